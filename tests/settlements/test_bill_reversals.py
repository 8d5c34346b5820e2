"""A settled claim undone: asked for at the window, done after a second check; the money and the counters come back."""

import datetime
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts import clock
from accounts.models import AuditEvent, Message
from casework.actions import cases
from casework.models import Case
from settlements import ledger
from settlements.actions import bill_reversals, claims, recalculation
from settlements.actions.payment_file import payment_file
from settlements.ledger.checks import run_checks
from settlements.models import BillReversal, Claim, Reimbursement, Usage
from tests.people import make_staff
from tests.settlements.test_claims import CARE_DAY, LAST, SHANGHAI, Desk, at
from tests.support.pages import fields, log_in
from tests.support.races import at_once
from tests.support.refusals import code_of

pytestmark = pytest.mark.django_db
REASON = "发票金额录错，重新提交"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def granted(desk: Desk, *, paid: bool = False) -> Claim:
    claim = desk.submit(in_scope=Decimal("6000.00"))
    desk.decide(claim)
    if paid:
        row = Reimbursement.objects.get(case=claim.case)
        claims.pay_out(reimbursement=row, reference="PJ1", by=desk.supervisor, at=at(hour=15))
    return claim


def ask(desk: Desk, claim: Claim, **more) -> BillReversal:
    terms = {"claim": claim, "reason": REASON, "by": desk.clerk, "at": at(hour=15)} | more
    return bill_reversals.request_reversal(**terms)


def decide(desk: Desk, asked: BillReversal, verb: str = "approve", by=None) -> None:
    asked.case.refresh_from_db()
    cases.decide(
        case=asked.case, verb=verb, by=by or desk.supervisor, at=at(hour=15), note="", version=asked.case.version
    )
    asked.claim.refresh_from_db()


def used(desk: Desk) -> Decimal:
    return sum((row.amount for row in Usage.objects.filter(member=desk.patient.member)), Decimal(0))


def test_before_it_was_paid_out_nothing_is_paid_and_the_bill_can_be_handed_in_anew(desk) -> None:
    claim = granted(desk)
    assert used(desk) > 0
    assert Reimbursement.objects.get().amount > 0
    decide(desk, ask(desk, claim))
    claim.refresh_from_db()
    assert not Reimbursement.objects.exists()
    assert (claim.void, claim.settlement.reversed_on) == (True, LAST)
    assert used(desk) == 0
    line = AuditEvent.objects.get(action="claim_reversed")
    assert (line.actor_id, line.reason, line.details["owed"]) == (desk.supervisor.pk, REASON, "0.00")
    assert Message.objects.filter(kind="claim_reversed", member=desk.patient.member).count() == 1
    assert desk.submit(in_scope=Decimal("600.00")).case.state == "review"
    assert [found.check.name for found in run_checks(LAST) if found.count] == []


def test_what_was_paid_out_is_owed(desk) -> None:
    claim = granted(desk, paid=True)
    before = Reimbursement.objects.get()
    asked = ask(desk, claim)
    decide(desk, asked)
    owed = Reimbursement.objects.get(case=asked.case)
    assert (owed.amount, owed.done_on) == (-before.amount, None)
    assert Message.objects.get(kind="claim_reversed_owed").params["amount"] == str(before.amount)
    claims.pay_out(reimbursement=owed, reference="R2", by=desk.supervisor, at=at(hour=15))
    assert [found.check.name for found in run_checks(LAST) if found.count] == []


def test_accounts_that_paid_get_theirs_back() -> None:
    desk = Desk(SHANGHAI)
    before = ledger.balances([desk.account.pk], LAST)[desk.account.pk]
    claim = desk.submit()
    desk.decide(claim)
    decide(desk, ask(desk, claim))
    assert ledger.balances([desk.account.pk], LAST)[desk.account.pk] == before


def granted_on(desk: Desk, day: datetime.date, in_scope: str, invoice: str) -> Claim:
    claim = desk.submit(service_on=day, in_scope=Decimal(in_scope), invoice_number=invoice)
    desk.decide(claim)
    return claim


def settle_anew(desk: Desk) -> None:
    who = {"member": desk.patient.member, "region_id": desk.region.pk, "year": 2025}
    seen = recalculation.preview(**who, on=LAST).as_data()
    bank = {"bank": "示例银行", "bank_account": "6222020200012345678"}
    asked = recalculation.request_recalculation(**who, **bank, seen=seen, by=desk.clerk, at=at(hour=15))
    cases.decide(case=asked.case, verb="approve", by=desk.supervisor, at=at(hour=15), note="", version=1)


def pay(desk: Desk, claim: Claim) -> None:
    row = Reimbursement.objects.get(case=claim.case)
    claims.pay_out(reimbursement=row, reference="PJ1", by=desk.supervisor, at=at(hour=15))


def between_office_and_member() -> Decimal:
    """Yuan to the member, less what he owes, done or open."""
    return sum((row.amount for row in Reimbursement.objects.all()), Decimal(0))


@pytest.mark.parametrize("paid", [False, True])
def test_settled_anew_for_more_and_reversed_nothing_of_it_stays_with_the_member(desk, paid: bool) -> None:
    late = granted_on(desk, CARE_DAY, "2000.00", "1")
    # Handed in afterwards: it bears the deductible now, and what it was paid too much the late one is paid too little.
    early = granted_on(desk, CARE_DAY - datetime.timedelta(days=8), "1000.00", "2")
    if paid:
        pay(desk, late)
    settle_anew(desk)
    for claim in (late, early):
        claim.refresh_from_db()
    assert claims.paid_back(late.settlement) > Reimbursement.objects.get(case=late.case).amount
    asked = ask(desk, late)
    decide(desk, asked)
    assert between_office_and_member() == claims.paid_back(early.settlement) == 0
    owed = Reimbursement.objects.get(case=asked.case)
    assert Message.objects.get(kind="claim_reversed_owed").params["amount"] == str(-owed.amount)


@pytest.mark.parametrize("paid", [False, True])
def test_settled_anew_for_less_and_reversed_the_member_owes_nothing_for_it(desk, paid: bool) -> None:
    early = granted_on(desk, CARE_DAY - datetime.timedelta(days=8), "2000.00", "1")
    late = granted_on(desk, CARE_DAY, "1000.00", "2")
    if paid:
        pay(desk, late)
    decide(desk, ask(desk, early))
    settle_anew(desk)
    late.refresh_from_db()
    assert claims.paid_back(late.settlement) == 0
    asked = ask(desk, late)
    decide(desk, asked)
    assert between_office_and_member() == 0
    row = Reimbursement.objects.filter(case=asked.case).first()
    if paid:
        assert row is None, "what he was paid he owes already by the recalculation"
    else:
        assert (row.amount, row.bank_account) == (Decimal("700.00"), late.bank_account)
        assert Message.objects.get(kind="claim_reversed_back").params["amount"] == "700.00"


def test_refusals(desk) -> None:
    waiting = desk.submit(invoice_number="1")
    assert code_of(lambda: ask(desk, waiting)) == "claim_not_settled"
    claim = granted(desk)
    with pytest.raises(PermissionDenied):
        ask(desk, claim, by=desk.patient)
    with pytest.raises(PermissionDenied):
        ask(desk, claim, by=make_staff("clerk", region=Desk(SHANGHAI).region))
    asked = ask(desk, claim)
    assert code_of(lambda: ask(desk, claim)) == "already_asked"
    decide(desk, asked)
    assert code_of(lambda: ask(desk, claim)) == "duplicate"


def test_refused_nothing_happens(desk) -> None:
    claim = granted(desk)
    asked = ask(desk, claim)
    asked.case.refresh_from_db()
    cases.decide(
        case=asked.case, verb="refuse", by=desk.supervisor, at=at(hour=15), note="不符", version=asked.case.version
    )
    claim.refresh_from_db()
    assert (claim.void, claim.settlement.reversed_on) == (False, None)
    assert Reimbursement.objects.count() == 1


def test_at_the_window_and_the_second_check(desk) -> None:
    with clock.standing(at(LAST + datetime.timedelta(days=1))):
        claim = granted(desk, paid=True)
        clerk, judge = log_in(desk.clerk), log_in(desk.supervisor)
        for client in (clerk, judge):
            client.cookies["django_language"] = "en"
        page = reverse("counter:case", args=[claim.case.public_id])
        assert "Reverse it" not in clerk.get(page).content.decode()
        opening = {"number": desk.patient.member.id_number, "reason": "reimbursement"}
        clerk.post("/counter/", fields(clerk.get("/counter/")) | opening)
        sent = fields(clerk.get(page)) | {"do": "reverse"}
        empty = clerk.post(page, sent)
        assert (empty.status_code, "Write why it is to be reversed" in empty.content.decode()) == (422, True)
        for _ in range(2):
            assert clerk.post(page, sent | {"why": REASON}).status_code == 302
        asked = BillReversal.objects.get()
        review = reverse("counter:review", args=[asked.case.public_id])
        shown = judge.get(review).content.decode()
        assert "is to pay it back at the window" in shown
        assert REASON in shown
        assert judge.post(review, fields(judge.get(review)) | {"verdict": "approve"}).status_code == 302
        claim.refresh_from_db()
        assert claim.settlement.reversed_on is not None
        assert "Reversal" in clerk.get(page).content.decode()
        member = log_in(desk.patient)
        member.cookies["django_language"] = "en"
        case_page = reverse("settlements:reversal", args=[asked.case.public_id])
        told = member.get(case_page, follow=True).content.decode()
        assert "are to be paid back at the window" in told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_reversed_and_settled_anew_at_once_one_follows_the_other(turn: int) -> None:
    """Whichever is first: nobody is broken off by the database, and nothing stays between office and member."""
    desk = Desk()
    late = granted_on(desk, CARE_DAY, "2000.00", "1")
    early = granted_on(desk, CARE_DAY - datetime.timedelta(days=8), "1000.00", "2")
    seen = recalculation.preview(member=desk.patient.member, region_id=desk.region.pk, year=2025, on=LAST).as_data()
    anew = recalculation.request_recalculation(
        member=desk.patient.member, region_id=desk.region.pk, year=2025, seen=seen, by=desk.clerk, at=at(hour=15),
        bank="示例银行", bank_account="6222020200012345678",
    )  # fmt: skip
    undone = ask(desk, late)
    outcomes = at_once(partial(approved, desk, anew.case), partial(approved, desk, undone.case))
    assert outcomes in (["granted", "granted"], ["granted", "recalculation_stale"])
    early.refresh_from_db()
    assert between_office_and_member() == claims.paid_back(early.settlement)
    assert [found.check.name for found in run_checks(LAST) if found.count] == []


def approved(desk: Desk, case: Case) -> str:
    return cases.decide(
        case=case, verb="approve", by=desk.supervisor, at=at(hour=15), note="", version=case.version
    ).state


def test_what_stood_in_a_file_for_the_bank_is_owed_and_its_payment_can_still_be_noted(desk) -> None:
    """The bank has the file: a payment that was dropped from the list would be carried out all the same."""
    claim = granted(desk)
    row = Reimbursement.objects.get(case=claim.case)
    first = payment_file(by=desk.supervisor, at=at(hour=15)).decode()
    again = payment_file(by=desk.supervisor, at=at(LAST + datetime.timedelta(days=1))).decode()
    assert LAST.isoformat() in again.splitlines()[1].rsplit(",", 1)[1] and first.splitlines()[1].endswith(",")
    asked = ask(desk, claim)
    decide(desk, asked)
    assert Reimbursement.objects.get(case=asked.case).amount == -row.amount
    claims.pay_out(reimbursement=row, reference="PJ1", by=desk.supervisor, at=at(hour=15))
    assert between_office_and_member() == 0


def test_a_payment_that_was_dropped_meanwhile_is_not_noted(desk) -> None:
    claim = granted(desk)
    row = Reimbursement.objects.get(case=claim.case)
    decide(desk, ask(desk, claim))
    noted = {"reimbursement": row, "reference": "PJ1", "by": desk.supervisor, "at": at(hour=15)}
    assert code_of(lambda: claims.pay_out(**noted)) == "changed_meanwhile"
