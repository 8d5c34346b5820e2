"""A bill of an institution that was settled anew and goes back at the window: what the institution is told, and its books."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import clock
from accounts.clock import now, today
from accounts.enums import Role
from accounts.models import Institution
from casework.actions import cases
from gateway.actions import at_window
from gateway.enums import DayState, DifferenceKind, VisitState
from gateway.models import Difference, FeeLine, Stay, Visit, VisitSettlement
from gateway.queries.clearing import clearing_of
from settlements.actions import bill_reversals, care, recalculation
from settlements.models import BillReversal, Settlement
from tests.gateway import stays
from tests.gateway.test_clearing import contra_sum
from tests.gateway.test_pharmacy import drug, purchase
from tests.gateway.test_reconciliation_days import look
from tests.gateway.test_reconciling import balanced, compare, refused, settle, totals_input
from tests.gateway.test_sequence import held
from tests.gateway.world import DRUG, World, make_hospital
from tests.people import make_institution, make_staff
from tests.settlements.test_claims import refused as refused_here
from tests.settlements.test_claims import sound
from tests.support.pages import log_in

DAY = datetime.timedelta(days=1)
BANK = {"bank": "示例银行", "bank_account": "6222020200012345678"}


def year_of(world: World) -> dict[str, Any]:
    return {
        "member": world.patient,
        "region_id": world.region.pk,
        "year": Settlement.objects.latest("pk").counted_year,
    }


def settle_anew(world: World) -> None:
    """On request of a clerk, after the second check."""
    clerk, supervisor = (make_staff(role, region=world.region) for role in (Role.CLERK, Role.SUPERVISOR))
    who = year_of(world)
    seen = recalculation.preview(**who, on=today()).as_data()
    asked = recalculation.request_recalculation(**who, **BANK, seen=seen, by=clerk, at=now())
    cases.decide(case=asked.case, verb="approve", by=supervisor, at=now(), note="", version=asked.case.version)


def filled(world: World, kind: str = "outpatient", in_scope: str = "200.00") -> Settlement:
    """A bill elsewhere that bears a part of the deductible, paid in cash. Taken back, the later ones come out otherwise."""
    hospital = Institution.objects.filter(name="别家医院").first()
    return care.settle(
        patient=world.patient,
        institution=hospital or make_institution("别家医院", region=world.region),
        bill=care.Bill(kind=kind, level="secondary", in_scope=Decimal(in_scope)),
        on=today(),
        key=f"filled {Settlement.objects.count()}",
        use_account=False,
        use_family=False,
    )


def undone_and_settled_anew(world: World, filling: Settlement) -> None:
    care.reverse(settlement=filling, on=today(), key=f"undone {filling.pk}")
    settle_anew(world)


def settled_anew(world: World, times: int = 1) -> dict[str, Any]:
    """A bill that the hospital settled, and the office anew, once or twice; its setlinfo."""
    filling = [filled(world) for _ in range(times)]
    bill = settle(world, "1400.00")
    for one in filling:
        undone_and_settled_anew(world, one)
    first = VisitSettlement.objects.get(setl_id=bill["setl_id"]).settlement
    assert first.last != first and first.last.fund < first.fund
    return bill


def back_at_window(world: World, bill: dict[str, Any]) -> BillReversal:
    clerk, supervisor = (make_staff(role, region=world.region) for role in (Role.CLERK, Role.SUPERVISOR))
    first = VisitSettlement.objects.get(setl_id=bill["setl_id"]).settlement
    asked = bill_reversals.request_reversal(bill=first, reason="药品已退回", by=clerk, at=now(), **BANK)
    cases.decide(case=asked.case, verb="approve", by=supervisor, at=now(), note="", version=asked.case.version)
    return asked


def negated(bill: dict[str, Any], number: str) -> dict[str, Any]:
    """The reversal as the institution enters it."""
    amounts = {name: -bill[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    return bill | amounts | {"setl_id": number}


def named(bill: dict[str, Any]) -> dict[str, Any]:
    return {"data": {name: bill[name] for name in ("setl_id", "mdtrt_id", "psn_no")}}


def test_refused_at_the_till_it_goes_back_at_the_window_as_it_was_settled_there(world: World) -> None:
    before = held(world)
    bill = settled_anew(world)
    code, told = refused(world, "2208", named(bill))
    assert code == "duplicate" and "窗口" in told
    asked = back_at_window(world, bill)
    known = VisitSettlement.objects.get(setl_id=bill["setl_id"])
    assert (known.reversal_msgid, known.settlement.last.reversed_on) == (f"case {asked.case.number}", today())
    assert known.visit.state == VisitState.REVERSED
    assert held(world) == before
    code, told = refused(world, "2208", named(bill))
    assert code == "duplicate" and known.reversal_setl_id in told
    given = {"psn_no": bill["psn_no"], "omsgid": known.msgid, "oinfno": "2207"}
    assert refused(world, "2601", {"data": given})[0] == "already_reversed"
    seen = world.hospital.ok("5203", named(bill | {"setl_id": known.reversal_setl_id}))["setlinfo"]
    assert (seen["medfee_sumamt"], seen["fund_pay_sumamt"]) == (-bill["medfee_sumamt"], -bill["fund_pay_sumamt"])
    assert seen["cash_payamt"] == -bill["psn_cash_pay"] and seen["balc"] == before["patient"]
    assert world.hospital.ok("5203", named(bill))["setlinfo"]["refd_setl_flag"] == "1"
    assert sound()


def test_the_lines_stand_and_may_be_settled_again(world: World) -> None:
    bill = settled_anew(world)
    back_at_window(world, bill)
    answer = world.hospital.settle(world.patient, bill["mdtrt_id"], bill["medfee_sumamt"])
    assert answer["infcode"] == 0, answer["err_msg"]
    assert sound()


def test_until_the_institution_has_entered_it_totals_and_rows_differ(world: World) -> None:
    bill = settled_anew(world)
    assert balanced(world, totals_input([bill])), "the recalculation is none of its affairs"
    asked = back_at_window(world, bill)
    assert not balanced(world, totals_input([bill]))
    rows = compare(world, [bill])
    told = next(row for row in rows if row[4] == "1")
    assert "窗口" in told[6] and told[3] == f"case {asked.case.number}"
    difference = Difference.objects.get()
    assert difference.kind == DifferenceKind.REVERSED_HERE
    page = log_in(make_staff(Role.REGION_ADMIN, region=world.region)).get(
        reverse("admin:gateway_difference_change", args=[difference.pk])
    )
    assert asked.case.number in page.content.decode()
    known = VisitSettlement.objects.get(setl_id=bill["setl_id"])
    entered = [bill, negated(bill, known.reversal_setl_id)]
    for count in (2, 1, 0):
        assert balanced(world, totals_input(entered, count=count)), count
    assert balanced(world, totals_input(entered[1:], refd_setl_flag="1"))
    assert {row[4] for row in compare(world, entered)} == {"0"}
    difference.refresh_from_db()
    assert difference.state == "closed"


def test_on_another_day_it_is_a_reversal_of_that_day(world: World) -> None:
    """Also the day on which it was settled anew is no day of a reversal."""
    bill = settled_anew(world)
    later = now() + 3 * DAY
    with clock.standing(later):
        back_at_window(world, bill)
    known = VisitSettlement.objects.get(setl_id=bill["setl_id"])
    assert balanced(world, totals_input([bill]))
    that_day = {"stmt_begndate": f"{today() + 3 * DAY}", "stmt_enddate": f"{today() + 3 * DAY}"}
    back = negated(bill, known.reversal_setl_id)
    assert balanced(world, totals_input([back], **that_day))
    assert not balanced(world, totals_input([], **that_day))
    assert balanced(world, totals_input([bill], refd_setl_flag="0"))


def test_the_day_is_to_be_reconciled_anew(world: World) -> None:
    bill = settled_anew(world)
    assert balanced(world, totals_input([bill]))
    code = world.hospital.institution.code
    assert look() == []
    back_at_window(world, bill)
    assert look() == [(code, DayState.MISSING)]
    known = VisitSettlement.objects.get(setl_id=bill["setl_id"])
    assert balanced(world, totals_input([bill, negated(bill, known.reversal_setl_id)]))
    assert look() == []


@pytest.mark.parametrize("times", [1, 2])
def test_the_clearing_gives_back_what_was_due_and_agrees_with_the_books(world: World, times: int) -> None:
    settle(world, "20.00")
    bill = settled_anew(world, times)
    due = clearing_of(world.hospital.institution, today())
    first = VisitSettlement.objects.get(setl_id=bill["setl_id"]).settlement
    back_at_window(world, bill)
    found = clearing_of(world.hospital.institution, today())
    for name, amount in (("fund", first.fund), ("family", first.shared), ("cash", first.cash), ("total", first.total)):
        assert getattr(due.sums, name) - getattr(found.sums, name) == amount, name
    assert (found.sums.settled, found.sums.reversed) == (2, 1)
    assert found.sums.accounts + found.recalculated.accounts == contra_sum(world, today())
    # Whatever the recalculations moved has come back: of it nothing is left between office and member either.
    assert due.recalculated.fund == first.last.fund - first.fund
    moved = found.recalculated
    assert (moved.total, moved.fund, moved.family, moved.own, moved.cash) == (0, 0, 0, 0, 0)


def test_in_a_later_month_the_one_before_keeps_its_sums(world: World) -> None:
    bill = settled_anew(world)
    institution, later = world.hospital.institution, now() + 40 * DAY
    before = clearing_of(institution, today())
    with clock.standing(later):
        back_at_window(world, bill)
    assert clearing_of(institution, today()) == before
    found = clearing_of(institution, timezone.localdate(later))
    first = VisitSettlement.objects.get(setl_id=bill["setl_id"]).settlement
    assert (found.sums.total, found.sums.fund, found.sums.due) == (-first.total, -first.fund, first.cash - first.total)
    assert found.recalculated.fund == -before.recalculated.fund != 0
    assert found.sums.accounts + found.recalculated.accounts == contra_sum(world, timezone.localdate(later))


def test_a_purchase_goes_with_its_lines(world: World) -> None:
    """No pharmacy's bill of this region comes out otherwise when it is settled anew; elsewhere the fund pays there."""
    pharmacy = make_hospital(world.region, "示例药店", kind="pharmacy", level="primary")
    bill = pharmacy.ok("2102", purchase(world, drug("1", DRUG, "1", "900.00")))["setlinfo"]
    known = VisitSettlement.objects.get()
    with transaction.atomic():
        at_window.note(known.settlement, "ABCD", now())
    known.refresh_from_db()
    assert (known.reversal_msgid, known.visit.state) == ("case ABCD", VisitState.REVERSED)
    assert not FeeLine.objects.filter(visit=known.visit, cancelled_at=None).exists()
    code, told = refused(World(world.region, pharmacy, world.patient, world.husband), "2103", named(bill))
    assert code == "duplicate" and known.reversal_setl_id in told


def test_a_stay_is_discharged_again(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    filling = filled(world, "inpatient", "1000.00")
    mdtrt_id = stays.admit(hospital, patient)
    hospital.ok("2301", {"feedetail": [stays.fee(patient, mdtrt_id, "1", DRUG, "1", "3000.00")]})
    hospital.ok("2402", stays.leaving(patient, mdtrt_id))
    bill = hospital.ok("2304", stays.bill(patient, mdtrt_id, "3000.00"))["setlinfo"]
    undone_and_settled_anew(world, filling)
    assert Stay.objects.get().state == "settled"
    back_at_window(world, bill)
    assert Stay.objects.get().state == "discharged"
    code, told = refused(world, "2305", named(bill))
    assert code == "duplicate" and "窗口" in told
    again = hospital.ok("2304", stays.bill(patient, mdtrt_id, "3000.00"))["setlinfo"]
    assert again["medfee_sumamt"] == bill["medfee_sumamt"]
    assert sound()


def test_of_a_stay_that_was_settled_in_parts_the_last_goes_first(world: World) -> None:
    bill = settled_anew(world)
    visit = VisitSettlement.objects.get(setl_id=bill["setl_id"]).visit
    Visit.objects.filter(pk=visit.pk).update(kind="inpatient")
    told = {"admission": "{}", "discharge": "{}", "admitted_at": now() - 3 * DAY, "discharged_at": now()}
    Stay.objects.create(visit=visit, member=world.patient, state="settled", **told)
    later = VisitSettlement.objects.get(visit=visit)
    later.pk, later.setl_id, later.batch, later.settlement = None, "1", "2", filled(world)
    later.save()
    assert refused_here(back_at_window, world, bill).code == "later_settlement"
    assert not BillReversal.objects.exists()


def test_what_the_institution_took_back_meanwhile_is_refused(world: World) -> None:
    bill = settled_anew(world)
    known = VisitSettlement.objects.get(setl_id=bill["setl_id"])
    asked = back_at_window(world, bill)
    late = refused_here(bill_reversals.check_again, case=asked.case, by=None, at=now())
    assert (late.code, late.params["why"]) == ("duplicate", "bill_reversed")
    VisitSettlement.objects.filter(pk=known.pk).update(reversal_msgid="H1")
    assert "窗口" not in refused(world, "2208", named(bill))[1]
