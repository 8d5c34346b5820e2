"""Bills paid in cash: the rule, the case with its second check, and what is paid out."""

import datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts import clock
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment, Institution, Message, Region, User
from casework.actions import cases
from settlements import ledger
from settlements.actions import care, claims
from settlements.actions.claims import PaidBill
from settlements.models import Claim, Entry, Reimbursement, Settlement, Usage
from settlements.queries.filing import filing_deadline, filing_rule_on
from tests.people import make_institution, make_staff, person
from tests.settlements.scene import open_with, region_of_file

BEIJING, SUZHOU, SHANGHAI, HANGZHOU = "110000", "320500", "310000", "330100"
LAST = datetime.date(2026, 1, 20)
CARE_DAY = datetime.date(2025, 12, 28)
D = Decimal

pytestmark = pytest.mark.django_db


def at(on: datetime.date = LAST, hour: int = 10) -> datetime.datetime:
    return datetime.datetime.combine(on, datetime.time(hour), tzinfo=clock.now().tzinfo)


class Desk:
    """A patient with an account, a hospital, a clerk and a supervisor of one region."""

    def __init__(self, code: str = BEIJING, opened: datetime.date = datetime.date(2025, 1, 2)) -> None:
        self.region: Region = region_of_file(code)
        self.patient: User = person("沈某宁", datetime.date(1985, 3, 12), region=self.region)
        two = self.region.two_buckets
        self.account = open_with(self.patient.member, self.region, opened, "300.00", "500.00", two)
        self.hospital: Institution = make_institution("海淀医院", region=self.region, level="secondary")
        self.clerk = make_staff(Role.CLERK, region=self.region)
        self.supervisor = make_staff(Role.SUPERVISOR, region=self.region)

    def asked(self, **more: Any) -> PaidBill:
        terms: dict[str, Any] = {
            "institution": self.hospital,
            "service_on": CARE_DAY,
            "kind": "outpatient",
            "in_scope": D("2000.00"),
            "pre_self_pay": D("0.00"),
            "self_paid": D("50.00"),
            "invoice_number": "0011223344",
            "bank": "示例银行",
            "bank_account": "6222020200012345678",
        }
        return PaidBill(**{**terms, **more})

    def submit(self, by: User | None = None, on: datetime.date = LAST, **more: Any) -> Claim:
        asked = self.asked(**more)
        return claims.submit_claim(patient=self.patient.member, asked=asked, by=by or self.patient, at=at(on))

    def decide(self, claim: Claim, verb: str = "approve", on: datetime.date = LAST, note: str = "") -> None:
        claim.case.refresh_from_db()
        cases.decide(
            case=claim.case, verb=verb, by=self.supervisor, at=at(on, 15), note=note, version=claim.case.version
        )
        claim.refresh_from_db()

    def file(self, on: datetime.date = LAST, key: str = "k", **more: Any) -> Settlement:
        asked = self.asked(**more)
        return claims.file_claim(
            patient=self.patient.member,
            institution=asked.institution,
            bill=asked.bill,
            filed_on=on,
            on=on,
            key=key,
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refused(call: Any, *args: Any, **kwargs: Any) -> Refused:
    with pytest.raises(Refused) as caught, transaction.atomic():
        call(*args, **kwargs)
    return caught.value


def sound() -> bool:
    """Whether the money counts the same both ways."""
    out = StringIO()
    call_command("check_ledger", stdout=out)
    return True


# The rule


def test_the_fund_pays_by_the_day_of_care_and_accounts_pay_nothing(desk: Desk) -> None:
    bill = desk.file()
    assert (bill.deductible, bill.fund, bill.cash) == (D("1800.00"), D("140.00"), D("1910.00"))
    assert (bill.own_current, bill.own_historical, bill.shared) == (D(0), D(0), D(0))
    assert claims.paid_back(bill) == D("140.00")
    assert bill.counted_year == 2025 and bill.settled_on == LAST and bill.service_on == CARE_DAY
    assert Usage.objects.get(member=desk.patient.member, benefit_year=2025, counter="fund").amount == D("140.00")
    assert Entry.objects.filter(account=desk.account).count() == 1, "only the opening"
    assert sound()


def test_the_same_key_again_gives_the_same_settlement_but_a_twin_is_refused(desk: Desk) -> None:
    first = desk.file()
    twin = refused(desk.file, key="another")
    assert (twin.code, twin.params["why"], twin.params["number"]) == ("duplicate", "bill", first.number)
    assert Settlement.objects.count() == 1


def test_a_bill_settled_on_line_is_not_paid_back_too(desk: Desk) -> None:
    asked = desk.asked()
    settled = care.settle(
        patient=desk.patient.member, institution=desk.hospital, bill=asked.bill, on=CARE_DAY, key="online"
    )
    assert refused(desk.file).params["number"] == settled.number
    care.reverse(settlement=settled, on=CARE_DAY, key="back")
    assert desk.file().fund == D("140.00"), "what was reversed may be claimed"


@pytest.mark.parametrize(
    ("code", "care_day", "last"),
    [
        (BEIJING, CARE_DAY, datetime.date(2026, 1, 20)),
        # 20 January 2024 was a Saturday: days off move it.
        (BEIJING, datetime.date(2023, 5, 5), datetime.date(2024, 1, 22)),
        (SUZHOU, datetime.date(2025, 11, 11), datetime.date(2026, 12, 31)),
        (HANGZHOU, datetime.date(2024, 2, 29), datetime.date(2025, 2, 28)),
    ],
)
def test_the_deadline_is_the_regions(code: str, care_day: datetime.date, last: datetime.date) -> None:
    region_of_file(code)
    rule = filing_rule_on(code, care_day)
    assert rule is not None
    assert filing_deadline(rule, care_day) == last


def test_a_day_late_is_late_and_says_since_when(desk: Desk) -> None:
    late = refused(desk.file, on=LAST + datetime.timedelta(days=1))
    assert (late.code, late.params["last_on"]) == ("late_filing", "2026-01-20")


def test_where_no_source_names_a_deadline_nothing_is_late() -> None:
    desk = Desk(SHANGHAI, datetime.date(2024, 7, 2))
    assert filing_rule_on(SHANGHAI, CARE_DAY) is None
    assert desk.file(on=datetime.date(2026, 5, 4), service_on=datetime.date(2024, 9, 2)).counted_year == 2024


def test_where_the_rule_counts_by_settlement_a_late_bill_counts_in_the_new_year() -> None:
    desk = Desk(SUZHOU)
    assert desk.file(on=datetime.date(2026, 12, 30), service_on=datetime.date(2025, 11, 11)).counted_year == 2026


def test_the_future_and_the_uninsured_are_refused(desk: Desk) -> None:
    assert refused(desk.file, service_on=LAST + datetime.timedelta(days=2)).code == "future_care"
    desk.patient.member.enrolments.update(valid_from=datetime.date(2026, 1, 1))
    assert refused(desk.file).code == "not_insured"


def test_where_the_rule_lets_accounts_pay_they_pay_and_a_reversal_gives_it_back(desk: Desk) -> None:
    desk.region.data["filing"][0]["accounts"] = True
    desk.region.save()
    bill = desk.file()
    assert (bill.fund, bill.own_historical, bill.cash) == (D("140.00"), D("800.00"), D("1110.00"))
    assert claims.paid_back(bill) == D("940.00")
    moved = Entry.objects.get(account=desk.account, kind="claim")
    assert (moved.contra, moved.contra_id) == ("claim", desk.hospital.pk)
    assert sound()
    care.reverse(settlement=bill, on=LAST, key="back")
    assert ledger.balances([desk.account.pk], LAST)[desk.account.pk].total == D("800.00")
    assert sound()


# The case


def test_a_claim_is_handed_in_checked_settled_and_listed_for_payment(desk: Desk) -> None:
    claim = desk.submit()
    assert claim.case.state == "review" and claim.case.region_id == BEIJING
    assert claim.settlement is None and not Settlement.objects.exists()
    desk.decide(claim)
    assert claim.case.state == "granted" and claim.settlement is not None
    row = Reimbursement.objects.get(case=claim.case)
    assert (row.amount, row.bank_account, row.done_on) == (D("140.00"), "6222020200012345678", None)
    assert row.masked_bank_account.startswith("622") and "0001234" not in row.masked_bank_account
    told = list(Message.objects.filter(member=desk.patient.member).values_list("kind", flat=True))
    assert sorted(told) == ["claim_filed", "claim_granted"]
    assert AuditEvent.objects.filter(action="case_approve", member_id=desk.patient.member_id).exists()
    assert sound()


def test_the_bank_account_lies_encrypted(desk: Desk) -> None:
    from django.db import connection

    claim = desk.submit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT bank_account FROM settlements_claim WHERE id = %s", [claim.pk])
        assert b"6222" not in bytes(cursor.fetchone()[0])


def test_whoever_made_it_does_not_check_it(desk: Desk) -> None:
    claim = desk.submit(by=desk.clerk)
    both = make_staff(Role.SUPERVISOR, region=desk.region)
    claim.case.opened_by = both
    claim.case.save()
    with pytest.raises(Refused, match="own_case"):
        cases.decide(case=claim.case, verb="approve", by=both, at=at(), note="", version=claim.case.version)


def test_an_invoice_is_claimed_once_until_it_comes_to_nothing(desk: Desk) -> None:
    first = desk.submit()
    again = refused(desk.submit, in_scope=D("100.00"))
    assert (again.code, again.params["why"], again.params["number"]) == ("duplicate", "invoice", first.case.number)
    desk.decide(first, "refuse", note="发票看不清")
    assert first.void and not Reimbursement.objects.exists()
    assert desk.submit().case.state == "review"


def test_two_invoices_of_one_day_and_amount_are_two_bills(desk: Desk) -> None:
    first, second = desk.submit(), desk.submit(invoice_number="0099887766")
    desk.decide(first)
    desk.decide(second)
    assert second.settlement is not None and second.settlement.deductible == D(0)
    assert second.settlement.fund == D("1400.00")


def test_of_two_who_hand_one_invoice_in_at_once_the_second_is_told(desk: Desk, monkeypatch: Any) -> None:
    first, other, again = desk.submit(), desk.submit(invoice_number="7"), claims._refuse_same_invoice
    desk.decide(other, "return", note="金额与发票不符")
    amended = {"claim": other, "asked": desk.asked(), "by": desk.patient, "at": at(), "version": other.case.version}
    for call in (desk.submit, lambda: claims.amend_claim(**amended)):
        looks = iter([lambda *_args, **_more: None, again])
        monkeypatch.setattr(
            claims, "_refuse_same_invoice", lambda *args, looks=looks, **more: next(looks)(*args, **more)
        )
        found = refused(call)
        assert (found.code, found.params) == ("duplicate", {"why": "invoice", "number": first.case.number})


def test_the_database_holds_one_invoice_once(desk: Desk) -> None:
    first = desk.submit()
    Claim.objects.filter(pk=first.pk).update(void=True)
    second = desk.submit()
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(pk=first.pk).update(void=False)
    assert second.pk != first.pk


def test_a_returned_claim_keeps_the_day_on_which_it_was_first_handed_in(desk: Desk) -> None:
    claim = desk.submit()
    desk.decide(claim, "return", note="金额与发票不符")
    later = LAST + datetime.timedelta(days=9)
    claims.amend_claim(
        claim=claim,
        asked=desk.asked(in_scope=D("1900.00")),
        by=desk.patient,
        at=at(later),
        version=claim.case.version,
    )
    claim.refresh_from_db()
    assert claim.in_scope == D("1900.00")
    desk.decide(claim, on=later)
    assert claim.settlement is not None and claim.settlement.fund == D("70.00")
    assert AuditEvent.objects.filter(action="claim_amended").exists()


def test_a_claim_amended_to_a_day_in_another_region_is_that_region_s_affair(desk: Desk) -> None:
    moved = CARE_DAY + datetime.timedelta(days=2)
    desk.patient.member.enrolments.update(valid_to=moved)
    Enrolment.objects.create(
        member=desk.patient.member,
        region=region_of_file(SHANGHAI),
        insurance="employee",
        status="normal",
        valid_from=moved,
    )
    claim = desk.submit()
    desk.decide(claim, "return", note="金额与发票不符")
    terms = {"claim": claim, "by": desk.patient, "at": at(), "version": claim.case.version}
    assert refused(claims.amend_claim, **terms, asked=desk.asked(service_on=moved)).params == {"why": "claim"}
    claims.amend_claim(**terms, asked=desk.asked())
    desk.patient.member.enrolments.filter(region=desk.region).update(valid_to=CARE_DAY)
    Enrolment.objects.filter(region=SHANGHAI).update(valid_from=CARE_DAY)
    assert refused(desk.decide, claim).code == "different_region", "the register was put right meanwhile"


def test_a_bill_settled_on_line_meanwhile_stops_the_check(desk: Desk) -> None:
    claim = desk.submit()
    care.settle(patient=desk.patient.member, institution=desk.hospital, bill=desk.asked().bill, on=LAST, key="online")
    assert refused(desk.decide, claim).code == "duplicate"
    claim.refresh_from_db()
    claim.case.refresh_from_db()
    assert claim.case.state == "review" and claim.settlement is None


def test_others_may_not_hand_in_withdraw_or_pay_out(desk: Desk) -> None:
    stranger = person("陆某川", datetime.date(1990, 11, 30), region=desk.region)
    with pytest.raises(PermissionDenied):
        desk.submit(by=stranger)
    claim = desk.submit()
    with pytest.raises(PermissionDenied):
        claims.withdraw_claim(claim=claim, by=stranger, at=at(), version=claim.case.version)
    desk.decide(claim)
    row = Reimbursement.objects.get()
    with pytest.raises(PermissionDenied):
        claims.pay_out(reimbursement=row, reference="B1", by=desk.clerk, at=at())


def test_a_withdrawn_claim_frees_its_invoice(desk: Desk) -> None:
    claim = desk.submit()
    claims.withdraw_claim(claim=claim, by=desk.patient, at=at(), version=claim.case.version)
    assert desk.submit().case.state == "review"


def test_a_payment_is_noted_once(desk: Desk) -> None:
    claim = desk.submit()
    desk.decide(claim)
    row = claims.pay_out(reimbursement=Reimbursement.objects.get(), reference="B-0001", by=desk.supervisor, at=at())
    assert (row.done_on, row.reference) == (LAST, "B-0001")
    assert refused(claims.pay_out, reimbursement=row, reference="B-2", by=desk.supervisor, at=at()).code == "duplicate"
    assert Message.objects.filter(kind="reimbursement_paid").count() == 1
    assert AuditEvent.objects.filter(action="reimbursement_paid").count() == 1


def test_a_claim_that_pays_nothing_back_lists_no_payment(desk: Desk) -> None:
    claim = desk.submit(in_scope=D("100.00"))
    desk.decide(claim)
    assert claim.settlement is not None and not Reimbursement.objects.exists()
