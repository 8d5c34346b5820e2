"""Sharing from the first question to the grant: dry run, draft, application, consent, second check, coming into force.

What changes who shares with whom locks the case (if there is one), then the two members, and checks again under the
locks. What comes after a grant is written in `family.actions.grants` and can be called from here as well.
"""

import datetime
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import audit, codes
from accounts.domain import names
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Member, Region, ServiceCentre, User
from accounts.queries import find_member
from casework.actions import cases
from casework.domain.states import APPLICANT, CLERK, RELATIVE, SUPERVISOR, SYSTEM
from casework.models import Case
from family import queries
from family.actions import notices
from family.actions.locks import lock_members
from family.domain import check as rule
from family.domain.check import Facts, Finding, Terms
from family.domain.rules import SharingRules
from family.enums import SHARING
from family.models import Commitment, SharingApplication, SharingGrant
from family.policies import is_verified, role_for_consent, role_for_grantor

CONSENT_PURPOSE = "sharing_consent"


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
    case, application = _locked(application, "submit", version)
    on = timezone.localdate(at)
    role = _grantor_role(by, application.grantor, case.region_id)
    if by is not None:
        if role == APPLICANT and not is_verified(by):
            raise Refused("needs_verification")
        _sign(application, commitment, at, channel)
    rules, facts = _checked(application, on)
    state = "review" if _review_needed(rules, case, channel) else "granted"
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
    case, application = _locked(application, "amend", version)
    role = _grantor_role(by, application.grantor, case.region_id)
    before = queries.terms_data(application)
    application.relation = relation or application.relation
    application.commitment = application.committed_at = None
    application.consented_at = application.consent_until = None
    application.committed_channel = application.consent_channel = ""
    _with_terms(application, terms or terms_of(application))
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


def send_consent_code(*, application: SharingApplication, by: User, at: datetime.datetime) -> None:
    """Send the relative a code by which a clerk can record the consent. Raises Refused (no_phone, code_too_soon,
    too_many_codes, not_in_this_state, own_case) and PermissionDenied."""
    cases.refuse_own(by, application.grantor_id, application.beneficiary_id)
    if role_for_consent(by, application) != CLERK:
        raise PermissionDenied
    if application.case.state != "consent":
        raise Refused("not_in_this_state", state=application.case.state, verb="consent")
    codes.issue(
        phone=_phone_of(application.beneficiary), purpose=CONSENT_PURPOSE, subject=_code_subject(application), at=at
    )


def _code_subject(application: SharingApplication) -> str:
    """The case as it is now: a code told for one set of terms must not agree to terms changed since."""
    return f"{application.case.number} {application.case.version}"


def _phone_of(member: Member) -> str:
    """A telephone that the person has proven, else the one in the register."""
    user = User.objects.filter(member=member, phone_verified=True).first()
    phone = (user and user.phone) or member.phone
    if not phone:
        raise Refused("no_phone")
    return str(phone)


def consent(
    *,
    application: SharingApplication,
    by: User,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    code: str = "",
    version: int | None = None,
) -> SharingApplication:
    """The relative agrees: in his own login, or at a window with the code sent to his telephone.

    Without a code a clerk records a consent on paper, and a second person looks at it whatever the region's rule says.
    Raises Refused: a code of `family.domain.check`, needs_verification, code_*, no_phone, stale, not_in_this_state
    (also when it has lapsed); and PermissionDenied. With a code it must be called outside any transaction.
    """
    cases.refuse_own(by, application.grantor_id, application.beneficiary_id)
    role = role_for_consent(by, application)
    if role is None:
        raise PermissionDenied
    if role == RELATIVE and not is_verified(by):
        raise Refused("needs_verification")
    if role == CLERK and code:
        phone = _phone_of(application.beneficiary)
        codes.confirm(phone=phone, purpose=CONSENT_PURPOSE, subject=_code_subject(application), code=code, at=at)
    on_paper = role == CLERK and not code
    return _consent(application, role, on_paper, by=by, at=at, channel=channel, version=version)


@transaction.atomic
def _consent(
    application: SharingApplication,
    role: str,
    on_paper: bool,
    *,
    by: User,
    at: datetime.datetime,
    channel: str,
    version: int | None,
) -> SharingApplication:
    case, application = _locked(application, "consent", version)
    on = timezone.localdate(at)
    if application.consent_until is not None and on > application.consent_until:
        raise Refused("not_in_this_state", state="expired", verb="consent")
    rules, _ = _checked(application, on)
    state = "review" if on_paper or _review_needed(rules, case, channel) else "granted"
    application.consented_at, application.consent_channel = at, channel
    application.save(update_fields=["consented_at", "consent_channel"])
    note = "paper" if on_paper else ""
    application.case = cases.move(
        case=case, verb="consent", by=by, role=role, at=at, to=state, note=note, channel=channel
    )
    return application


@transaction.atomic
def decline(
    *,
    application: SharingApplication,
    by: User,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    version: int | None = None,
) -> SharingApplication:
    """The relative does not agree, and the application is refused.

    Raises Refused (stale, not_in_this_state) and PermissionDenied.
    """
    case, application = _locked(application, "decline", version)
    role = role_for_consent(by, application)
    if role is None:
        raise PermissionDenied
    application.declined_at = at
    application.save(update_fields=["declined_at"])
    application.case = cases.move(case=case, verb="decline", by=by, role=role, at=at, channel=channel)
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
    """The grantor, or a clerk for him, takes the application back for good. Refusals as `decline`."""
    case, application = _locked(application, "withdraw", version)
    role = _grantor_role(by, application.grantor, case.region_id)
    application.case = cases.move(case=case, verb="withdraw", by=by, role=role, at=at, channel=channel)
    return application


def review_approve(
    *, application: SharingApplication, by: User, at: datetime.datetime, note: str = "", version: int | None = None
) -> SharingApplication:
    """The second check agrees and the grant begins.

    Raises Refused (own_case, stale, not_in_this_state, a code of the check) and PermissionDenied.
    """
    return _review(application, "approve", by, at, note, version)


def review_return(
    *, application: SharingApplication, by: User, at: datetime.datetime, note: str, version: int | None = None
) -> SharingApplication:
    """The second check gives it back to be changed; `note` says what. Refusals as `review_approve`."""
    return _review(application, "return", by, at, note, version)


def review_refuse(
    *, application: SharingApplication, by: User, at: datetime.datetime, note: str, version: int | None = None
) -> SharingApplication:
    """The second check refuses; `note` says why. Refusals as `review_approve`."""
    return _review(application, "refuse", by, at, note, version)


@transaction.atomic
def expire(*, application: SharingApplication, at: datetime.datetime) -> SharingApplication:
    """An invitation that nobody answered lapses. Raises Refused (not_in_this_state) while its days are not over."""
    case, application = _locked(application, "expire", None)
    until = application.consent_until
    if until is None or timezone.localdate(at) <= until:
        raise Refused("not_in_this_state", state=case.state, verb="expire")
    application.case = cases.move(case=case, verb="expire", by=None, role=SYSTEM, at=at, channel=Channel.SYSTEM)
    return application


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Before a second check is accepted: does it hold still? Raises Refused with a code of the check."""
    _checked(case.sharing_application, timezone.localdate(at))


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """The grant of a case that was granted, from this day on, checked once more under the locks. Raises Refused."""
    application = case.sharing_application
    on = timezone.localdate(at)
    _checked(application, on)
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


def terms_of(application: SharingApplication) -> Terms:
    """What an application offers, as the check reads it."""
    return Terms(
        care=application.uses_care,
        premium=application.uses_premium,
        limit=application.limit,
        ends_on=application.ends_on,
    )


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


def _locked(application: SharingApplication, verb: str, version: int | None) -> tuple[Case, SharingApplication]:
    """Case and application as they are now, locked. The case comes before the members in every action here."""
    case = cases.lock(case=application.case, verb=verb, version=version)
    rows = SharingApplication.objects.select_related("grantor", "beneficiary", "commitment")
    application = rows.get(pk=application.pk)
    application.case = case
    return case, application


def _checked(application: SharingApplication, on: datetime.date) -> tuple[SharingRules, Facts]:
    """Lock the two, ask the one check, and give the day's rules and facts. Raises Refused with the first finding."""
    lock_members(application.grantor_id, application.beneficiary_id)
    grantor, beneficiary = application.grantor, application.beneficiary
    facts = queries.facts_for(
        grantor, beneficiary, application.relation, on, terms_of(application), except_application=application.pk
    )
    rules = queries.rules_on(facts.grantor.region, on)
    findings = rule.check(rules, facts, on)
    if findings:
        raise Refused(findings[0].code, **findings[0].params)
    assert rules is not None  # no rules is a finding
    return rules, facts


def _review_needed(rules: SharingRules, case: Case, channel: str) -> bool:
    # Begun online and finished at the window, or the other way round: a clerk had a hand in it.
    return any(rule.review_needed(rules, each) for each in (case.channel, channel))


def _sign(application: SharingApplication, commitment: Commitment | None, at: datetime.datetime, channel: str) -> None:
    if commitment is None or commitment != queries.commitment_on(timezone.localdate(at)):
        raise Refused("commitment_changed")
    application.commitment, application.committed_at = commitment, at
    application.committed_channel = channel


@transaction.atomic
def _review(
    application: SharingApplication, verb: str, by: User, at: datetime.datetime, note: str, version: int | None
) -> SharingApplication:
    seen = application.case.version if version is None else version
    application.case = cases.move(
        case=application.case,
        verb=verb,
        by=by,
        role=SUPERVISOR,
        at=at,
        note=note,
        version=seen,
        channel=Channel.WINDOW,
    )
    return application
