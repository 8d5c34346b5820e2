"""The locks of family sharing, the case (if there is one) always before the members; and the check under them."""

import datetime

from accounts.errors import Refused
from accounts.models import Member
from casework.actions import cases
from casework.models import Case
from family import queries
from family.domain.check import Facts
from family.domain.rules import SharingRules
from family.models import SharingApplication


def lock_members(*ids: int) -> None:
    """Lock the rows of members to the end of the transaction, always in the order of their ids.

    Numbers (how many relatives, how many grantors) are counted over several rows, which no constraint can hold; and
    without the order two people who bind each other at the same moment would wait for each other for ever.
    """
    rows = Member.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))


def lock_application(
    application: SharingApplication, verb: str, version: int | None
) -> tuple[Case, SharingApplication]:
    """Case and application as they are now, the case locked. Raises Refused: stale, not_in_this_state."""
    case = cases.lock(case=application.case, verb=verb, version=version)
    rows = SharingApplication.objects.select_related("grantor", "beneficiary", "commitment")
    application = rows.get(pk=application.pk)
    application.case = case
    return case, application


def lock_and_check(application: SharingApplication, on: datetime.date) -> tuple[SharingRules, Facts]:
    """Lock the two, ask the one check, and give the day's rules and facts. Raises Refused with the first finding."""
    lock_members(application.grantor_id, application.beneficiary_id)
    findings, facts, rules = queries.findings_on(application, on)
    if findings:
        raise Refused(findings[0].code, **findings[0].params)
    assert rules is not None  # no rules is a finding
    return rules, facts
