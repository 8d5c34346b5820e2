"""A year that is settled anew, waiting for its second check."""

import datetime

from django.utils import timezone

from accounts.models import ServiceCentre
from portal.seeding import cast, staff
from portal.seeding.cast import SHANGHAI
from portal.seeding.claims import BANK, BANK_ACCOUNT
from settlements.actions import care, recalculation
from settlements.models import Settlement


def make(now: datetime.datetime) -> None:
    """The first bill of somebody's year, with its deductible, is taken back by the hospital: the later ones come out
    otherwise. Asked for, and waiting for the second check."""
    first = Settlement.objects.filter(
        region=SHANGHAI, kind="outpatient", insurance="employee", deductible__gt=0, reversed_on=None, claim=None
    )
    for bill in first.select_related("patient").order_by("-counted_year", "id")[:200]:
        later = Settlement.objects.filter(
            patient=bill.patient, counted_year=bill.counted_year, kind="outpatient", id__gt=bill.pk, fund__gt=0
        )
        if bill.patient.id_number not in cast.NUMBERS and later.filter(reversed_on=None).exists():
            _settle_anew(bill, now)
            return


def _settle_anew(bill: Settlement, now: datetime.datetime) -> None:
    today = timezone.localdate(now)
    care.reverse(settlement=bill, on=today, key=f"seed-undone-{bill.pk}")
    facts = {"member": bill.patient, "region_id": SHANGHAI, "year": bill.counted_year}
    seen = recalculation.preview(**facts, on=today)
    recalculation.request_recalculation(
        **facts,
        seen=seen.as_data(),
        by=staff.clerk(SHANGHAI),
        at=now,
        bank=BANK,
        bank_account=BANK_ACCOUNT,
        centre=ServiceCentre.objects.filter(region=SHANGHAI).first(),
    )
