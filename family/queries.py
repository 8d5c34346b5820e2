"""Reading who shares with whom, and the facts of a binding; nothing here is locked."""

import datetime
import json
from collections import Counter
from dataclasses import asdict
from functools import lru_cache

from django.db import connection
from django.db.models import F, Func, IntegerField, Q, QuerySet

from accounts.domain import id_number
from accounts.models import AuditEvent, Enrolment, Member, User
from accounts.money import plain
from accounts.queries import enrolments_on, valid_on
from casework.enums import OPEN_STATES, CaseState
from casework.policies import staff_regions
from family.domain.ages import Born
from family.domain.check import Facts, Finding, Person, Terms, check, check_ages
from family.domain.rules import SharingRules
from family.models import Commitment, DeductionOrder, SharingApplication, SharingGrant

IN_FILED_ORDER = (
    Func(
        F("beneficiary__deduction_order__grant_ids"),
        F("id"),
        function="array_position",
        output_field=IntegerField(),
    ).asc(nulls_last=True),
    "bound_at",
    "id",
)


RULES_ON = """
SELECT data::text FROM family_sharingrules
WHERE region_id = %s AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
"""


def rules_on(region_code: str, on: datetime.date) -> SharingRules | None:
    """A region's sharing rules on a day; None where it has no sharing then."""
    with connection.cursor() as cursor:
        cursor.execute(RULES_ON, [region_code, on, on])
        row = cursor.fetchone()
    return None if row is None else _parsed(row[0])


@lru_cache(maxsize=256)
def _parsed(data: str) -> SharingRules:
    # Kept by content: a row can be corrected in place, and its id would go on giving the old version.
    return SharingRules.from_data(json.loads(data))


@lru_cache(maxsize=256)
def rules_version(rules_id: int, version: str) -> SharingRules:
    """The rules of a row, read once for each version of it (any text that changes with the row)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM family_sharingrules WHERE id = %s", [rules_id])
        return _parsed(cursor.fetchone()[0])


def in_force(on: datetime.date) -> Q:
    """Grants that hold on a day."""
    return Q(starts_on__lte=on) & (Q(ends_on=None) | Q(ends_on__gt=on))


def grants_to_order(beneficiary_id: int, on: datetime.date) -> QuerySet[SharingGrant]:
    """Grants for care in force on a day, paused ones too, each with its `grantor`.

    In filed order: as the beneficiary put them, then as they were bound.
    """
    grants = SharingGrant.objects.filter(in_force(on), beneficiary_id=beneficiary_id, uses_care=True)
    return grants.select_related("grantor").order_by(*IN_FILED_ORDER)


def who_shares_with(member: Member, on: datetime.date) -> QuerySet[SharingGrant]:
    """Grants that the member may use on a day, in filed order, each with its `grantor`."""
    grants = SharingGrant.objects.filter(in_force(on), beneficiary=member)
    return grants.select_related("grantor", "region").order_by(*IN_FILED_ORDER)


def whom_shares(member: Member, on: datetime.date) -> QuerySet[SharingGrant]:
    """Grants that the member gives on a day, in the order of binding, each with its `beneficiary`."""
    return SharingGrant.objects.filter(in_force(on), grantor=member).select_related("beneficiary", "region")


def given_by(member: Member) -> QuerySet[SharingGrant]:
    """All grants that the member ever gave, ended ones too: what was used under them stays used."""
    return SharingGrant.objects.filter(grantor=member)


def order_of(beneficiary_id: int) -> tuple[list[int], int]:
    """The order a beneficiary filed as ids of grants, and its version; ([], 0) before the first one."""
    row = DeductionOrder.objects.filter(pk=beneficiary_id).values_list("grant_ids", "version").first()
    return (list(row[0]), row[1]) if row else ([], 0)


def commitment_on(on: datetime.date) -> Commitment | None:
    """The text to be signed on a day."""
    return Commitment.objects.filter(valid_from__lte=on).order_by("-valid_from", "-id").first()


def region_of(member: Member, on: datetime.date) -> str | None:
    """The region a member is enrolled in on a day: six digits, or None."""
    return Enrolment.objects.filter(valid_on(on), member=member).values_list("region_id", flat=True).first()


def facts_for(
    grantor: Member,
    beneficiary: Member,
    relation: str,
    on: datetime.date,
    terms: Terms | None = None,
    except_application: int | None = None,
) -> Facts:
    """What is so on a day about the two, for `family.domain.check`.

    `except_application`: the id of an application that is being checked again and so does not stand in its own way.
    """
    enrolments = enrolments_on([grantor, beneficiary], on)
    given, held = Q(grantor=grantor), Q(beneficiary=beneficiary)
    other_way = Q(grantor=beneficiary, beneficiary=grantor)
    # The grants of these two alone, by index: an aggregate over all in force would read the whole table each time.
    now = SharingGrant.objects.filter(in_force(on)).filter(given | held | other_way)
    grants = list(now.order_by().values_list("grantor_id", "beneficiary_id", "relation"))
    pairs = {(giving, using) for giving, using, _ in grants}
    return Facts(
        grantor=_person(grantor, enrolments.get(grantor.pk), on),
        beneficiary=_person(beneficiary, enrolments.get(beneficiary.pk), on),
        relation=relation,
        same_person=grantor.pk == beneficiary.pk,
        bound=(grantor.pk, beneficiary.pk) in pairs,
        bound_the_other_way=(beneficiary.pk, grantor.pk) in pairs,
        applied=open_applications(grantor.pk, beneficiary.pk).exclude(pk=except_application).exists(),
        relatives=Counter(relation for giving, _, relation in grants if giving == grantor.pk),
        grantors=sum(using == beneficiary.pk for _, using, _ in grants),
        terms=terms or Terms(),
    )


def relation_findings(grantor: Member, beneficiary: Member, relation: str, on: datetime.date) -> list[Finding]:
    """What the ages of the two say against the relation, for the field in which it is entered."""
    return check_ages(relation, _born(grantor), _born(beneficiary), on)


def _born(member: Member) -> Born:
    return Born(
        birth=member.birth,
        sex=member.sex,
        permit=id_number.is_permit(member.id_number),
        proved=id_number.has_birth(member.id_number),
    )


def _person(member: Member, enrolment: Enrolment | None, on: datetime.date) -> Person:
    born = asdict(_born(member))
    if enrolment is None:
        return Person(**born)
    dead = member.died_on is not None and member.died_on <= on
    return Person(
        **born,
        insurance=enrolment.insurance,
        status="closed" if dead else enrolment.status,
        region=enrolment.region_id,
    )


def open_applications(grantor_id: int, beneficiary_id: int) -> QuerySet[SharingApplication]:
    """Applications of one for the other that have been handed in and not ended; a draft stands in nobody's way."""
    states = [state for state in OPEN_STATES if state != CaseState.DRAFT]
    return SharingApplication.objects.filter(
        grantor_id=grantor_id, beneficiary_id=beneficiary_id, case__state__in=states
    )


def draft_between(grantor: Member, beneficiary: Member, region_code: str | None) -> SharingApplication | None:
    """The draft of one for the other that was begun last in a region and not handed in yet."""
    drafts = SharingApplication.objects.filter(
        grantor=grantor, beneficiary=beneficiary, case__region=region_code, case__state=CaseState.DRAFT
    )
    return drafts.select_related("case", "grantor", "beneficiary").order_by("-case__opened_at", "-id").first()


def invitations_to(member: Member) -> QuerySet[SharingApplication]:
    """Applications that wait for this member's consent, the first to lapse first."""
    waiting = SharingApplication.objects.filter(beneficiary=member, case__state=CaseState.CONSENT)
    return waiting.select_related("case", "grantor").order_by("consent_until", "id")


def lapsed_invitations(on: datetime.date) -> QuerySet[SharingApplication]:
    """Applications whose days for consent are over."""
    return SharingApplication.objects.filter(case__state=CaseState.CONSENT, consent_until__lt=on).order_by("id")


def applications_visible_to(user: User) -> QuerySet[SharingApplication]:
    """One's own; those one is asked to agree to, once handed in; for staff those of the region."""
    handed_in = ~Q(case__state=CaseState.DRAFT)
    mine = Q(grantor=user.member_id) | Q(beneficiary=user.member_id) & handed_in
    found = SharingApplication.objects.filter(mine | Q(case__region__in=staff_regions(user)))
    return found.select_related("case", "grantor", "beneficiary")


def grants_visible_to(user: User) -> QuerySet[SharingGrant]:
    """Grants that one gives or holds, also ended ones; for staff those of the region."""
    mine = Q(grantor=user.member_id) | Q(beneficiary=user.member_id)
    found = SharingGrant.objects.filter(mine | Q(region__in=staff_regions(user)))
    return found.select_related("grantor", "beneficiary", "region")


def findings_on(application: SharingApplication, on: datetime.date) -> tuple[list[Finding], Facts, SharingRules | None]:
    """What stands against an application on a day, with the facts and the rules it was judged by; nothing is locked."""
    facts = facts_for(
        application.grantor,
        application.beneficiary,
        application.relation,
        on,
        terms_of(application),
        except_application=application.pk,
    )
    rules = rules_on(facts.grantor.region, on)
    return check(rules, facts, on), facts, rules


def terms_of(application: SharingApplication) -> Terms:
    """What an application offers, as the check reads it."""
    return Terms(
        care=application.uses_care,
        premium=application.uses_premium,
        limit=application.limit,
        ends_on=application.ends_on,
    )


def terms_data(application: SharingApplication) -> dict[str, object]:
    """Relation and terms as the log keeps them: codes, yuan as text, `ends_on` as an ISO day."""
    return {
        "relation": application.relation,
        "care": application.uses_care,
        "premium": application.uses_premium,
        "limit": None if application.limit is None else plain(application.limit),
        "ends_on": application.ends_on.isoformat() if application.ends_on else None,
    }


def first_terms(application: SharingApplication) -> dict[str, object] | None:
    """What was submitted first, as `terms_data`; None if nothing was changed since."""
    changed = AuditEvent.objects.filter(
        member_id=application.grantor_id, action="sharing_amended", target=f"case {application.case.number}"
    )
    first = changed.order_by("id").first()
    return first.details["before"] if first else None
