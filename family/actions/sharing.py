"""Sharing from the first question to the grant: dry run, draft, application, and its coming into force.

What changes who shares with whom checks again under the locks (`family.actions.locks`). The relative's answer is in
`family.actions.invitations`, the second check in `casework.actions.cases`, what comes after a grant in
`family.actions.grants`.
"""

import datetime
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import audit
from accounts.domain import names
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Member, Region, ServiceCentre, User
from accounts.queries import find_member
from casework.actions import cases
from casework.domain.states import APPLICANT, CLERK
from casework.models import Case
from family import queries
from family.actions import notices
from family.actions.locks import lock_and_check, lock_application
from family.domain import check as rule
from family.domain.check import Finding, Terms
from family.enums import SHARING
from family.models import Commitment, SharingApplication, SharingGrant
from family.policies import is_verified, role_for_grantor


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """Whether it would succeed today: `findings` is empty then. `until`: the last day for the relative to agree."""

    findings: list[Finding]
    consent_needed: bool = False
    review_needed: bool = False
    until: datetime.date | None = None


def find_relative(*, name: str, id_number: str) -> Member:
    """The member of a name and an ID number. Raises Refused("relative_not_found").

    One answer for a wrong name and for an unknown number, so that nobody learns who is in the register.
    """
    member = find_member(id_number=id_number)
    if member is None or not names.same(member.name, name):
        raise Refused("relative_not_found")
    return member


@transaction.atomic
def dry_run(
    *,
    grantor: Member,
    beneficiary: Member,
    relation: str,
    by: User | None,
    at: datetime.datetime,
    terms: Terms | None = None,
    channel: str = Channel.ONLINE,
) -> DryRun:
    """Whether the grantor could share with the relative on this day, and everything that stands against it.

    The question is recorded for the relative, for its answer tells something of him. Raises PermissionDenied, and
    Refused("own_case") where a clerk is one of the two.
    """
    cases.refuse_own(by, grantor.pk, beneficiary.pk)
    on = timezone.localdate(at)
    region_code = queries.region_of(grantor, on)
    role = _grantor_role(by, grantor, region_code)
    rules = queries.rules_on(region_code, on) if region_code else None
    terms = terms or (Terms.offered(rules) if rules else Terms())
    facts = queries.facts_for(grantor, beneficiary, relation, on, terms)
    audit.record(
        action="sharing_dry_run",
        by=by,
        at=at,
        member=beneficiary,
        target=f"member {grantor.public_id}",
        details={"relation": relation},
        on_behalf_of=grantor if role == CLERK else None,
        channel=channel,
    )
    findings = rule.check(rules, facts, on)
    if rules is None:
        return DryRun(findings=findings)
    return DryRun(
        findings=findings,
        consent_needed=rule.consent_needed(rules, facts, on),
        review_needed=rule.review_needed(rules, channel),
        until=rule.consent_until(rules, on),
    )


@transaction.atomic
def draft(
    *,
    grantor: Member,
    beneficiary: Member,
    relation: str,
    by: User | None,
    at: datetime.datetime,
    terms: Terms | None = None,
    channel: str = Channel.ONLINE,
    centre: ServiceCentre | None = None,
    agent_name: str = "",
) -> SharingApplication:
    """An application that is kept and has no effect before it is submitted. `terms` None: all the region offers.

    Nothing is checked yet but that there is a grantor's region and two people. Raises Refused (not_insured,
    same_person, own_case) and PermissionDenied.
    """
    cases.refuse_own(by, grantor.pk, beneficiary.pk)
    on = timezone.localdate(at)
    region_code = queries.region_of(grantor, on)
    role = _grantor_role(by, grantor, region_code)
    if region_code is None:
        raise Refused("not_insured")
    if grantor.pk == beneficiary.pk:
        raise Refused("same_person")
    rules = queries.rules_on(region_code, on)
    case = cases.open_case(
        kind=SHARING,
        applicant=grantor,
        region=Region.objects.get(pk=region_code),
        by=by,
        role=role,
        at=at,
        channel=channel,
        centre=centre,
        agent_name=agent_name,
    )
    application = SharingApplication(case=case, grantor=grantor, beneficiary=beneficiary, relation=relation)
    return _with_terms(application, terms or (Terms.offered(rules) if rules else Terms()))


@transaction.atomic
def submit(
    *,
    application: SharingApplication,
    by: User | None,
    at: datetime.datetime,
    commitment: Commitment | None = None,
    channel: str = Channel.ONLINE,
    version: int | None = None,
) -> SharingApplication:
    """Sign the commitment and hand the application in; it then waits for the relative or the check, or is granted.

    `commitment` is the text that was read; the system alone signs none. An application returned and not changed keeps
    the relative's consent. Raises Refused: a code of `family.domain.check`, needs_verification, commitment_changed,
    stale, not_in_this_state; and PermissionDenied.
    """
    case, application = lock_application(application, "submit", version)
    on = timezone.localdate(at)
    role = _grantor_role(by, application.grantor, case.region_id)
    if by is not None:
        if role == APPLICANT and not is_verified(by):
            raise Refused("needs_verification")
        _sign(application, commitment, at, channel)
    rules, facts = lock_and_check(application, on)
    state = "review" if rule.review_needed(rules, case.channel, channel) else "granted"
    if application.consented_at is None and rule.consent_needed(rules, facts, on):
        state, application.consent_until = "consent", rule.consent_until(rules, on)
    application.save()
    application.case = cases.move(case=case, verb="submit", by=by, role=role, at=at, to=state, channel=channel)
    return application


@transaction.atomic
def apply(
    *,
    grantor: Member,
    beneficiary: Member,
    relation: str,
    by: User | None,
    at: datetime.datetime,
    commitment: Commitment | None = None,
    terms: Terms | None = None,
    channel: str = Channel.ONLINE,
    centre: ServiceCentre | None = None,
    agent_name: str = "",
) -> SharingApplication:
    """Draft and submit in one: by the grantor, or by a clerk for him. Refusals as `draft` and `submit`."""
    application = draft(
        grantor=grantor,
        beneficiary=beneficiary,
        relation=relation,
        by=by,
        at=at,
        terms=terms,
        channel=channel,
        centre=centre,
        agent_name=agent_name,
    )
    return submit(application=application, by=by, at=at, commitment=commitment, channel=channel)


def bind(
    *,
    grantor: Member,
    beneficiary: Member,
    relation: str,
    at: datetime.datetime,
    by: User | None = None,
    terms: Terms | None = None,
) -> str:
    """Apply by the register alone, without second check: "bound", or "consent" where the relative must agree.

    Refusals as `apply`.
    """
    application = apply(
        grantor=grantor,
        beneficiary=beneficiary,
        relation=relation,
        by=by,
        at=at,
        terms=terms,
        channel=Channel.SYSTEM,
    )
    return "bound" if application.case.state == "granted" else "consent"


@transaction.atomic
def amend(
    *,
    application: SharingApplication,
    by: User,
    at: datetime.datetime,
    relation: str | None = None,
    terms: Terms | None = None,
    channel: str = Channel.ONLINE,
    version: int | None = None,
    agent_name: str | None = None,
) -> SharingApplication:
    """Change what is asked for, taking it back from whoever was looking at it; it must then be submitted again.

    Signature, consent and check are void, for they were given to something else. `agent_name` None: as it was. Raises
    Refused (stale, not_in_this_state) and PermissionDenied.
    """
    case, application = lock_application(application, "amend", version)
    role = _grantor_role(by, application.grantor, case.region_id)
    before = queries.terms_data(application)
    application.relation = relation or application.relation
    application.commitment = application.committed_at = None
    application.consented_at = application.consent_until = None
    application.committed_channel = application.consent_channel = ""
    _with_terms(application, terms or queries.terms_of(application))
    if agent_name is not None and agent_name != case.agent_name:
        case.agent_name = agent_name
        case.save(update_fields=["agent_name"])
    if case.submitted_at is not None:
        # The second check is shown what was submitted first; before that there is nothing to compare with.
        audit.record(
            action="sharing_amended",
            by=by,
            at=at,
            member=application.grantor,
            target=f"case {case.number}",
            details={"before": before, "after": queries.terms_data(application)},
            on_behalf_of=application.grantor if role == CLERK else None,
            channel=channel,
        )
    application.case = cases.move(case=case, verb="amend", by=by, role=role, at=at, channel=channel)
    return application


@transaction.atomic
def withdraw(
    *,
    application: SharingApplication,
    by: User,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    version: int | None = None,
) -> SharingApplication:
    """The grantor, or a clerk for him, takes the application back for good.

    Raises Refused (stale, not_in_this_state) and PermissionDenied.
    """
    case, application = lock_application(application, "withdraw", version)
    role = _grantor_role(by, application.grantor, case.region_id)
    application.case = cases.move(case=case, verb="withdraw", by=by, role=role, at=at, channel=channel)
    return application


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Before a second check is accepted: does it hold still? Raises Refused with a code of the check."""
    lock_and_check(case.sharing_application, timezone.localdate(at))


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """The grant of a case that was granted, from this day on, checked once more under the locks. Raises Refused."""
    application = case.sharing_application
    on = timezone.localdate(at)
    lock_and_check(application, on)
    grant = SharingGrant.objects.create(
        grantor=application.grantor,
        beneficiary=application.beneficiary,
        region=case.region,
        relation=application.relation,
        uses_care=application.uses_care,
        uses_premium=application.uses_premium,
        limit=application.limit,
        application=application,
        bound_at=at,
        starts_on=on,
        ends_on=application.ends_on,
    )
    for member in (grant.grantor, grant.beneficiary):
        audit.record(
            action="sharing_bound",
            by=by,
            at=at,
            member=member,
            target=f"grant {grant.public_id}",
            details={"case": case.number, "relation": grant.relation, "from": on.isoformat()},
            channel=case.channel,
        )
    notices.bound(grant, at)


def _with_terms(application: SharingApplication, terms: Terms) -> SharingApplication:
    # The database would refuse these too, but not in words.
    if not (terms.care or terms.premium):
        raise Refused("no_use_chosen")
    if terms.limit is not None and terms.limit <= 0:
        raise Refused("bad_limit")
    application.uses_care, application.uses_premium = terms.care, terms.premium
    application.limit, application.ends_on = terms.limit, terms.ends_on
    application.save()
    return application


def _grantor_role(by: User | None, grantor: Member, region_code: str | None) -> str:
    role = role_for_grantor(by, grantor, region_code or "")
    if role is None:
        raise PermissionDenied
    return role


def _sign(application: SharingApplication, commitment: Commitment | None, at: datetime.datetime, channel: str) -> None:
    if commitment is None or commitment != queries.commitment_on(timezone.localdate(at)):
        raise Refused("commitment_changed")
    application.commitment, application.committed_at = commitment, at
    application.committed_channel = channel
