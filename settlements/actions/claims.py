"""Bills paid in cash (零星报销): the fund's part is paid back to the patient, by the rules of the day of care."""

import datetime

from django.db import transaction

from accounts.errors import Refused
from accounts.models import Institution, Member, User
from settlements import ledger
from settlements.actions import care
from settlements.domain.filing import FilingRule
from settlements.enums import EntryKind
from settlements.models import Settlement
from settlements.queries.care import CareFacts, care_facts
from settlements.queries.filing import filing_deadline, filing_rule_on


@transaction.atomic
def file_claim(
    *,
    patient: Member,
    institution: Institution,
    bill: care.Bill,
    filed_on: datetime.date,
    on: datetime.date,
    key: str,
    by: User | None = None,
) -> Settlement:
    """Settle a bill that was paid in cash: what the fund would have paid is to be paid out, `fund` + `supplement`.

    Accounts pay nothing unless the region's filing rule says so. `filed_on`: the day on which it was handed in, which the
    deadline is about; `on`: the day of settlement. Idempotent by (institution, key).
    Raises Refused: late_filing, duplicate (`number` and `day` of the other bill), not_insured, closed, not_covered.
    Source: domain.md 5, numbers 3 and 11.
    """
    facts = check_claim(patient=patient, institution=institution, bill=bill, filed_on=filed_on, on=on)
    rule = filing_rule_on(facts.region_id, _care_day(bill))
    # The sheet of counters is what a bill settled on line locks first: neither can slip by the other's look for twins.
    ledger.open(patient_id=patient.pk, years=[facts.counted_year], account_ids=[], on=on)
    refuse_twin(patient=patient, institution=institution, bill=bill)
    with_accounts = rule is not None and rule.accounts
    return care.settle(
        patient=patient,
        institution=institution,
        bill=bill,
        on=on,
        key=key,
        by=by,
        use_account=with_accounts,
        use_family=with_accounts,
        kind=EntryKind.CLAIM,
    )


def check_claim(
    *, patient: Member, institution: Institution, bill: care.Bill, filed_on: datetime.date, on: datetime.date
) -> CareFacts:
    """What holds of a claim before anything is looked up twice. Raises Refused as `file_claim`, but for the twin."""
    service_on = _care_day(bill)
    if service_on > filed_on:
        raise Refused("future_care")
    facts = care_facts(member_id=patient.pk, kind=bill.kind, on=on, service_on=service_on, use_family=False)
    refuse_late(filing_rule_on(facts.region_id, service_on), service_on, filed_on)
    return facts


def refuse_late(rule: FilingRule | None, service_on: datetime.date, filed_on: datetime.date) -> None:
    """Raises Refused("late_filing") after the region's deadline; where no source names one, nothing is late."""
    if rule is None:
        return
    last = filing_deadline(rule, service_on)
    if filed_on > last:
        raise Refused("late_filing", last=last.isoformat())


def refuse_twin(*, patient: Member, institution: Institution, bill: care.Bill) -> None:
    """Raises Refused("duplicate") where a bill of the same day, place and amount stands, settled on line or claimed."""
    total = bill.in_scope + bill.pre_self_pay + bill.self_paid
    twins = Settlement.objects.filter(
        patient=patient, institution=institution, service_on=_care_day(bill), reversed_on=None
    )
    twin = next((one for one in twins.order_by("id") if one.total == total), None)
    if twin is not None:
        raise Refused("duplicate", why="bill", number=twin.number, day=twin.settled_on.isoformat())


def _care_day(bill: care.Bill) -> datetime.date:
    assert bill.service_on is not None, "a claim names its day of care"
    return bill.service_on
