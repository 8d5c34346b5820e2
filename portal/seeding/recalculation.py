"""Years that are settled anew: one waits for its second check; of the other, checked, a bill is to be undone."""

import datetime
from collections.abc import Iterator
from itertools import islice

from django.utils import timezone

from accounts.models import ServiceCentre
from casework.actions.cases import decide
from portal.seeding import cast, staff
from portal.seeding.cast import SHANGHAI
from portal.seeding.claims import BANK, BANK_ACCOUNT
from settlements.actions import bill_reversals, care, recalculation
from settlements.models import Recalculation, Settlement


def make(now: datetime.datetime) -> None:
    """Two people: the first bill of each one's year, with its deductible, is taken back by the hospital, so the later ones
    come out otherwise."""
    for bill, go_on in zip(islice(_with_later_ones(), 2), (None, _undo), strict=False):
        asked = _settle_anew(bill, now)
        if go_on:
            go_on(asked, now)


def _with_later_ones() -> Iterator[Settlement]:
    """One of a person."""
    taken = set(cast.NUMBERS)
    first = Settlement.objects.filter(
        region=SHANGHAI, kind="outpatient", insurance="employee", deductible__gt=0, reversed_on=None, claim=None
    )
    for bill in first.select_related("patient").order_by("-counted_year", "id")[:200]:
        later = Settlement.objects.filter(
            patient=bill.patient, counted_year=bill.counted_year, kind="outpatient", id__gt=bill.pk, fund__gt=0
        )
        if bill.patient.id_number not in taken and later.filter(reversed_on=None).exists():
            taken.add(bill.patient.id_number)
            yield bill


def _settle_anew(bill: Settlement, now: datetime.datetime) -> Recalculation:
    """Asked for, and waiting for the second check."""
    today = timezone.localdate(now)
    care.reverse(settlement=bill, on=today, key=f"seed-undone-{bill.pk}")
    facts = {"member": bill.patient, "region_id": SHANGHAI, "year": bill.counted_year}
    seen = recalculation.preview(**facts, on=today)
    return recalculation.request_recalculation(
        **facts,
        seen=seen.as_data(),
        by=staff.clerk(SHANGHAI),
        at=now,
        bank=BANK,
        bank_account=BANK_ACCOUNT,
        centre=_office(),
    )


def _undo(asked: Recalculation, now: datetime.datetime) -> None:
    """Approved; the institution can no longer take such a bill back, so the window is asked to."""
    decide(case=asked.case, verb="approve", by=staff.supervisor(SHANGHAI), at=now, note="", version=asked.case.version)
    bill_reversals.request_reversal(
        bill=asked.bills.latest("id").new,
        reason="病人改到外院就诊，这次费用全部退回",
        by=staff.clerk(SHANGHAI),
        at=now,
        bank=BANK,
        bank_account=BANK_ACCOUNT,
        centre=_office(),
    )


def _office() -> ServiceCentre | None:
    return ServiceCentre.objects.filter(region=SHANGHAI).first()
