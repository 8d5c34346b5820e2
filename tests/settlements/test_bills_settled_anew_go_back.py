"""A bill of an institution that was settled anew, undone at the window: what goes back to whom, whatever came between."""

import datetime
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied

from accounts.enums import Role
from accounts.models import AuditEvent, Member, Message, User
from casework.actions import cases
from casework.models import Case
from family.models import SharingGrant
from settlements import ledger
from settlements.actions import bill_reversals, care, claims, recalculation
from settlements.actions.bill_reversals import TakenBack
from settlements.models import BillReversal, Claim, Reimbursement, Settlement, Usage
from tests.people import make_staff
from tests.settlements.rollover.world import release_run, work_to_the_end
from tests.settlements.scene import Scene, bill, make_scene, undo
from tests.settlements.test_claims import refused, sound
from tests.settlements.test_recalculation import DAY, ON, at, post
from tests.support.races import at_once

pytestmark = pytest.mark.django_db
D = Decimal
ANEW, BACK = ON + 9 * DAY, ON + 20 * DAY
BANK = {"bank": "示例银行", "bank_account": "6222020200012345678"}
REASON = "药品已退回医院"


@pytest.fixture
def scene() -> Scene:
    """In Shanghai; the father's own account holds 100 and the daughter's 300."""
    return make_scene(on=ON, historical="300.00", current="0.00", father_current="60.00", father_historical="40.00")


def rich() -> Scene:
    """The daughter's account bears all that the father's leaves."""
    return make_scene(on=ON, historical="3000.00", current="0.00", father_current="60.00", father_historical="40.00")


def for_less(scene: Scene, on: datetime.date = ANEW) -> Settlement:
    """A bill that the fund has helped with too much, for the one before it was reversed: now more of it is cash."""
    earlier = bill(scene, in_scope="700.00", self_paid="0.00", on=ON)
    found = bill(scene, in_scope="600.00", self_paid="0.00", on=ON + DAY)
    undo(scene, earlier, ON + 2 * DAY)
    post(scene, on)
    found.refresh_from_db()
    assert found.last.cash > found.cash
    return found


def for_more(scene: Scene, on: datetime.date = ANEW) -> Settlement:
    """A bill of which the fund takes over some: one of the day before, handed in later, has borne the deductible."""
    found = bill(scene, in_scope="900.00", self_paid="0.00", on=ON)
    late(scene, ON - DAY, "1")
    post(scene, on, **BANK)
    found.refresh_from_db()
    assert found.last.fund > found.fund
    return found


def late(scene: Scene, day: datetime.date, key: str) -> None:
    """A bill paid in cash, of a day before the others, handed in after them."""
    claims.file_claim(
        patient=scene.father.member,
        institution=scene.institution,
        bill=care.Bill(kind="outpatient", level="tertiary", in_scope=D("300.00"), service_on=day),
        filed_on=ON + 3 * DAY,
        on=ON + 3 * DAY,
        key=key,
    )


def staff(scene: Scene) -> tuple[User, User]:
    clerk, supervisor = (make_staff(role, region=scene.region) for role in (Role.CLERK, Role.SUPERVISOR))
    return clerk, supervisor


def ask(scene: Scene, found: Settlement, on: datetime.date = BACK, **more) -> BillReversal:
    terms = {"bill": found, "reason": REASON, "by": staff(scene)[0], "at": at(on)} | more
    return bill_reversals.request_reversal(**terms)


def decide(scene: Scene, asked: BillReversal, on: datetime.date = BACK, verb: str = "approve", note: str = "") -> None:
    cases.decide(case=asked.case, verb=verb, by=staff(scene)[1], at=at(on), note=note, version=asked.case.version)


def go_back(scene: Scene, found: Settlement, on: datetime.date = BACK, **more) -> BillReversal:
    asked = ask(scene, found, on, **more)
    decide(scene, asked, on)
    return asked


def borne() -> Decimal:
    """What the father is out of: cash at institutions that kept it, bills paid whole, less what the office gives him."""
    given = sum((row.amount for row in Reimbursement.objects.all()), D(0))
    there = D(0)
    for one in Settlement.objects.filter(replaces=None).select_related("transaction"):
        if one.last.reversed_on is None:
            there += one.total if one.transaction.kind == "claim" else one.cash
    return there - given


def standing_cash() -> Decimal:
    """The cash of what stands. A claim that was filed without a case has its money paid out beside the books."""
    paid_out = {
        one.pk: one.total - one.cash for one in Settlement.objects.filter(transaction__kind="claim", replaces=None)
    }
    return sum((one.cash for one in Settlement.objects.filter(reversed_on=None)), D(0)) + sum(
        (amount for pk, amount in paid_out.items() if Settlement.objects.get(pk=pk).last.reversed_on is None), D(0)
    )


def held(scene: Scene, on: datetime.date) -> dict[int, Decimal]:
    pks = [scene.account.pk, scene.fathers.pk]
    return {pk: one.total for pk, one in ledger.balances(pks, on).items()}


def test_for_less_what_he_was_asked_for_goes_back_to_his_bank(scene: Scene) -> None:
    before = held(scene, ON)
    found = for_less(scene)
    owed = found.last.cash - found.cash
    asked = go_back(scene, found, **BANK)
    row = Reimbursement.objects.get(case=asked.case)
    assert (row.amount, row.bank_account, row.done_on) == (owed, BANK["bank_account"], None)
    assert Settlement.objects.get(pk=found.last.pk).reversed_on == BACK
    assert held(scene, BACK) == before
    assert not Usage.objects.filter(member=scene.father.member, amount__gt=0).exists()
    assert borne() == standing_cash() == 0
    line = AuditEvent.objects.get(action="bill_reversed")
    assert (line.member_id, line.reason, line.target) == (
        scene.father.member.pk, REASON, f"case {asked.case.number}",
    )  # fmt: skip
    assert line.details["owed"] == str(-owed)
    told = Message.objects.get(kind="bill_reversed_back")
    assert told.params["amount"] == str(owed) and told.params["institution"] == scene.institution.name
    assert sound()


@pytest.mark.parametrize("paid", [False, True])
def test_for_more_what_he_got_he_owes_whether_it_was_paid_or_not(paid: bool) -> None:
    scene = make_scene(on=ON, historical="0.00", current="0.00", father_current="0.00", father_historical="0.00")
    found = for_more(scene)
    got = found.cash - found.last.cash
    assert got > 0
    if paid:
        for row in Reimbursement.objects.all():
            claims.pay_out(reimbursement=row, reference="PJ1", by=staff(scene)[1], at=at(ANEW))
    asked = go_back(scene, found)
    row = Reimbursement.objects.get(case=asked.case)
    assert (row.amount, row.bank_account, row.done_on) == (-got, None, None)
    assert borne() == standing_cash()
    assert Message.objects.get(kind="bill_reversed_owed").params["amount"] == str(got)
    claims.pay_out(reimbursement=row, reference="R1", by=staff(scene)[1], at=at(BACK))
    assert sound()


def test_what_the_fund_took_over_of_a_relative_s_part_goes_back_to_the_fund() -> None:
    scene = rich()
    found = for_more(scene)
    assert found.cash == found.last.cash and found.shared > found.last.shared > 0
    asked = go_back(scene, found)
    assert not Reimbursement.objects.filter(case=asked.case).exists()
    assert Message.objects.get(kind="bill_reversed").params["case"] == asked.case.number
    assert held(scene, BACK) == {scene.account.pk: D("3000.00"), scene.fathers.pk: D("100.00")}
    assert sound()


def test_after_a_second_recalculation_it_counts_from_the_last(scene: Scene) -> None:
    found = for_less(scene)
    once = found.last
    late(scene, ON - DAY, "second")
    post(scene, ANEW + DAY, **BANK)
    found.refresh_from_db()
    for one in (found, once):
        one.refresh_from_db()
    last = Settlement.objects.get(pk=found.pk).last
    assert (last.first, once.reversed_on) == (found, ANEW + DAY) and last.cash != once.cash
    go_back(scene, last, **BANK)
    last.refresh_from_db()
    assert last.reversed_on == BACK
    assert borne() == standing_cash()
    assert BillReversal.objects.get().bill == found, "kept under the settlement that the institution knows"
    assert sound()


@pytest.mark.parametrize("anew", [ANEW, datetime.date(2026, 7, 3)], ids=["before", "after"])
def test_over_the_rollover_what_was_current_comes_back_as_historical(scene: Scene, anew: datetime.date) -> None:
    back = datetime.date(2026, 7, 20)
    if anew < datetime.date(2026, 7, 1):
        found = for_less(scene, anew)
        work_to_the_end(release_run(scene.region, rates=(D(0), D(0))))
    else:
        bill_first = bill(scene, in_scope="700.00", self_paid="0.00", on=ON)
        found = bill(scene, in_scope="600.00", self_paid="0.00", on=ON + DAY)
        work_to_the_end(release_run(scene.region, rates=(D(0), D(0))))
        undo(scene, bill_first, datetime.date(2026, 7, 2))
        post(scene, anew)
        found.refresh_from_db()
    go_back(scene, found, back, **BANK)
    fathers = ledger.balances([scene.fathers.pk], back)[scene.fathers.pk]
    assert (fathers.current, fathers.historical) == (D(0), D("100.00"))
    assert ledger.balances([scene.account.pk], back)[scene.account.pk].total == D("300.00")
    assert not Usage.objects.filter(member=scene.father.member, amount__gt=0).exists()
    assert sound()


def test_after_unbinding_the_daughter_has_hers_back() -> None:
    scene = rich()
    found = for_more(scene)
    SharingGrant.objects.filter(pk=scene.grant.pk).update(ends_on=ANEW + DAY)
    assert found.last.shared > 0
    go_back(scene, found)
    assert held(scene, BACK) == {scene.account.pk: D("3000.00"), scene.fathers.pk: D("100.00")}
    assert sound()


def test_after_death_it_goes_back_and_nobody_is_written_to(scene: Scene) -> None:
    found = for_less(scene)
    Member.objects.filter(pk=scene.father.member.pk).update(died_on=ANEW + DAY)
    found = Settlement.objects.get(pk=found.pk)
    go_back(scene, found, **BANK)
    assert held(scene, BACK)[scene.fathers.pk] == D("100.00")
    assert not Message.objects.filter(kind__startswith="bill_reversed").exists()
    assert sound()


def test_refusals(scene: Scene) -> None:
    plain = bill(scene, in_scope="90.00", self_paid="0.00", on=ON - DAY)
    found = for_less(scene)
    assert refused(ask, scene, plain).code == "not_settled_anew"
    assert refused(ask, scene, found).code == "bank_missing"
    late(scene, ON - 2 * DAY, "claim")
    claimed = Settlement.objects.get(transaction__kind="claim")
    assert refused(ask, scene, claimed).code == "not_settled_anew"
    own = staff(scene)[0]
    own.person_index = scene.father.member.id_number_index
    own.save(update_fields=["person_index"])
    assert refused(ask, scene, found, by=own, **BANK).code == "own_case"
    for other in (scene.father, make_staff(Role.CLERK, region=make_scene(code="110000").region)):
        with pytest.raises(PermissionDenied):
            ask(scene, found, by=other, **BANK)
    asked = ask(scene, found, **BANK)
    again = refused(ask, scene, found.last, **BANK)
    assert (again.code, again.params["number"]) == ("already_asked", asked.case.number)
    decide(scene, asked)
    gone = refused(ask, scene, found, **BANK)
    assert (gone.code, gone.params["why"]) == ("duplicate", "bill_reversed")


def test_refused_nothing_happens(scene: Scene) -> None:
    found = for_less(scene)
    rows = Reimbursement.objects.count()
    asked = ask(scene, found, **BANK)
    decide(scene, asked, verb="refuse", note="没有退货凭证")
    assert found.last.reversed_on is None
    assert Reimbursement.objects.count() == rows
    assert ask(scene, found, **BANK).case.state == "review", "may be asked for anew"


def test_reversed_or_settled_anew_while_it_waits(scene: Scene) -> None:
    found = for_less(scene)
    asked = ask(scene, found, **BANK)
    last = found.last
    care.reverse(settlement=last, on=BACK, key="meanwhile")
    assert refused(decide, scene, BillReversal.objects.get(pk=asked.pk)).params["why"] == "bill_reversed"


def test_what_an_institution_must_know_is_asked_before_the_money_moves(scene: Scene, monkeypatch) -> None:
    told: list[tuple[str, object]] = []
    side = TakenBack(
        check=lambda one: told.append(("check", one.pk)), note=lambda one, number, at: told.append((number, one.pk))
    )
    monkeypatch.setattr(bill_reversals, "_institutions", [side])
    found = for_less(scene)
    asked = go_back(scene, found.last, **BANK)
    assert (asked.case.number, found.pk) in told and ("check", found.pk) in told
    assert not Claim.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(2))
def test_undone_and_settled_anew_once_more_at_once_one_follows_the_other(turn: int) -> None:
    scene = make_scene(on=ON, historical="300.00", current="0.00", father_current="60.00", father_historical="40.00")
    found = for_less(scene)
    late(scene, ON - DAY, "second")
    who = {"member": scene.father.member, "region_id": scene.region.pk, "year": 2025}
    clerk, supervisor = staff(scene)
    seen = recalculation.preview(**who, on=BACK).as_data()
    anew = recalculation.request_recalculation(**who, **BANK, seen=seen, by=clerk, at=at(BACK))
    undone = ask(scene, found, **BANK)

    def approved(case: Case) -> str:
        return cases.decide(case=case, verb="approve", by=supervisor, at=at(BACK), version=case.version).state

    outcomes = at_once(partial(approved, anew.case), partial(approved, undone.case))
    assert outcomes in (["granted", "granted"], ["granted", "recalculation_stale"])
    assert Settlement.objects.get(pk=found.pk).last.reversed_on == BACK
    assert borne() == standing_cash()
    assert sound()
