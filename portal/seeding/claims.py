"""Bills paid in cash, at each stage."""

import datetime
from decimal import Decimal

from django.utils import timezone

from accounts.models import Institution, Member, User
from accounts.money import ZERO
from casework.actions.cases import decide
from portal.seeding import cases, cast, staff
from portal.seeding.cast import SHANGHAI
from portal.seeding.register import registered
from settlements.actions import claims
from settlements.actions.claims import PaidBill
from settlements.models import Claim

DAY = datetime.timedelta(days=1)
HOSPITAL = "H31010400002"
BANK, BANK_ACCOUNT = "浦江银行徐汇支行", "6222020000012345678"


def make(now: datetime.datetime) -> None:
    """Handed in, returned, refused, granted and not yet paid, granted and paid: two people, five days."""
    today = timezone.localdate(now)
    member, father, judge = registered(cast.MEMBER), registered(cast.FATHER), staff.supervisor(SHANGHAI)
    day = today - 12 * DAY
    _claim(father, today - 2 * DAY, "00200101", "186.40")
    returned = _claim(member, day, "00200102", "920.00")
    _decide(returned, "return", judge, day + 2 * DAY, "票据上的金额看不清，请核对医保内金额后再交")
    refused = _claim(father, day - DAY, "00200103", "58.00")
    _decide(refused, "refuse", judge, day + 2 * DAY, "这张票据是体检费用，不属于医保报销范围")
    unpaid = _claim(father, day - 3 * DAY, "00200104", "760.00")
    _decide(unpaid, "approve", judge, day, "")
    paid = _claim(member, day - 4 * DAY, "00200105", "2380.00")
    _decide(paid, "approve", judge, day, "")
    paid.refresh_from_db()
    row = getattr(paid.case, "reimbursement", None)
    if row is not None:
        claims.pay_out(reimbursement=row, reference="PJ2026110600017", by=judge, at=cases.at(day + 3 * DAY, 16))


def _claim(patient: Member, filed_on: datetime.date, invoice: str, in_scope: str) -> Claim:
    asked = PaidBill(
        institution=Institution.objects.get(code=HOSPITAL),
        service_on=filed_on - 6 * DAY,
        kind="outpatient",
        in_scope=Decimal(in_scope),
        pre_self_pay=ZERO,
        self_paid=Decimal("35.00"),
        invoice_number=invoice,
        bank=BANK,
        bank_account=BANK_ACCOUNT,
    )
    return claims.submit_claim(
        patient=patient, asked=asked, by=User.objects.get(member=patient), at=cases.at(filed_on, 10)
    )


def _decide(claim: Claim, verb: str, judge: User, on: datetime.date, note: str) -> None:
    claim.case.refresh_from_db()
    decide(case=claim.case, verb=verb, by=judge, at=cases.at(on, 15), note=note, version=claim.case.version)
