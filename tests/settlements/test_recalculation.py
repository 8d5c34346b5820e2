"""Bills of a year settled anew: the preview, the second check, the posting, and that the books agree afterwards."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from accounts import clock
from accounts.enums import Role
from accounts.models import Message
from casework.actions import cases
from settlements import ledger
from settlements.actions import care, claims, recalculation
from settlements.actions.claims import PaidBill
from settlements.models import RecalculatedBill, Recalculation, Reimbursement, Settlement, Usage
from tests.people import make_staff
from tests.settlements.scene import Scene, bill, make_scene, undo
from tests.settlements.test_claims import refused, sound

D = Decimal
DAY = datetime.timedelta(days=1)
ON = datetime.date(2025, 9, 10)

pytestmark = pytest.mark.django_db


def at(on: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(on, datetime.time(10), tzinfo=clock.now().tzinfo)


@pytest.fixture
def scene() -> Scene:
    """In Shanghai; the father's own account holds 100 and the daughter's 300."""
    return make_scene(on=ON, historical="300.00", current="0.00", father_current="60.00", father_historical="40.00")


def year_of(scene: Scene, on: datetime.date = ON + 9 * DAY) -> recalculation.Preview:
    return recalculation.preview(member=scene.father.member, region_id=scene.region.pk, year=2025, on=on)


def post(scene: Scene, on: datetime.date = ON + 9 * DAY, **more: str) -> Recalculation:
    """A clerk asks, a supervisor grants."""
    clerk, supervisor = (make_staff(role, region=scene.region) for role in (Role.CLERK, Role.SUPERVISOR))
    asked = recalculation.request_recalculation(
        member=scene.father.member,
        region_id=scene.region.pk,
        year=2025,
        seen=year_of(scene, on).as_data(),
        by=clerk,
        at=at(on),
        **more,
    )
    cases.decide(case=asked.case, verb="approve", by=supervisor, at=at(on), note="", version=asked.case.version)
    return asked


def amounts(one: Settlement) -> tuple[Decimal, ...]:
    return one.deductible, one.fund, one.own_current, one.own_historical, one.shared, one.cash


def standing(scene: Scene) -> list[Settlement]:
    return list(Settlement.objects.filter(patient=scene.father.member, reversed_on=None).order_by("id"))


def two_bills(scene: Scene) -> tuple[Settlement, Settlement]:
    """A first that fills the deductible, and a second that the fund helps with."""
    first = bill(scene, in_scope="700.00", self_paid="0.00", on=ON)
    second = bill(scene, in_scope="600.00", self_paid="0.00", on=ON + DAY)
    return first, second


def test_without_a_reason_nothing_changes(scene: Scene) -> None:
    two_bills(scene)
    found = year_of(scene)
    assert len(found.lines) == 2 and found.changed == [] and found.to_member == 0


def test_after_a_reversal_the_preview_says_who_pays_what_more(scene: Scene) -> None:
    first, second = two_bills(scene)
    before = amounts(second)
    undo(scene, first, ON + 2 * DAY)
    found = year_of(scene)
    (line,) = found.changed
    assert line.bill.pk == second.pk
    assert line.anew.decision.deductible > second.deductible
    assert line.differences["fund"] < 0 < line.differences["cash"]
    assert found.to_member == -line.differences["cash"]
    second.refresh_from_db()
    assert amounts(second) == before and second.reversed_on is None, "a preview writes nothing"


def test_posted_the_new_bill_stands_and_the_books_agree(scene: Scene) -> None:
    first, second = two_bills(scene)
    undo(scene, first, ON + 2 * DAY)
    wanted = year_of(scene).changed[0].amounts
    held = {pk: ledger.balances([pk], ON + 9 * DAY)[pk].total for pk in (scene.account.pk, scene.fathers.pk)}
    asked = post(scene)
    second.refresh_from_db()
    (new,) = standing(scene)
    assert second.reversed_on == ON + 9 * DAY and second.replaced_by.new == new
    assert {name: getattr(new, name) for name in recalculation.AMOUNTS} == wanted
    assert (new.service_on, new.counted_year, new.settled_on) == (second.service_on, 2025, ON + 9 * DAY)
    assert Usage.objects.get(member=scene.father.member, counter="fund", benefit_year=2025).amount == new.fund
    row = Reimbursement.objects.get(case=asked.case)
    assert row.amount == second.cash - new.cash < 0, "the father owes what the fund paid too much"
    after = {pk: ledger.balances([pk], ON + 9 * DAY)[pk].total for pk in held}
    assert after == held, "against him nobody's account pays more"
    assert Message.objects.filter(kind="recalculated_from_you").count() == 1
    assert sound()
    assert year_of(scene, ON + 10 * DAY).changed == []


def test_a_backdated_bill_makes_the_fund_take_over_and_gives_accounts_back(scene: Scene) -> None:
    bill(scene, in_scope="460.00", self_paid="0.00", on=ON)
    later = bill(scene, in_scope="500.00", self_paid="0.00", on=ON + DAY)
    # A paper bill of the day before: it bears the deductible that the later ones bore.
    claim = care.Bill(kind="outpatient", level="tertiary", in_scope=D("300.00"), service_on=ON - DAY)
    claims.file_claim(
        patient=scene.father.member,
        institution=scene.institution,
        bill=claim,
        filed_on=ON + 3 * DAY,
        on=ON + 3 * DAY,
        key="paper",
    )
    found = year_of(scene)
    assert [line.bill.service_on for line in found.lines] == [ON - DAY, ON, ON + DAY]
    assert sum(line.anew.decision.fund for line in found.lines) == sum(line.bill.fund for line in found.lines), (
        "one deductible and one rate: the year's sum is the same, only its place differs"
    )
    posted = post(scene, bank="示例银行", bank_account="6222020200012345678")
    assert posted.bills.count() == len(found.changed) > 0
    assert sum(one.fund for one in standing(scene)) == sum(line.bill.fund for line in found.lines)
    assert later.pk not in [one.pk for one in standing(scene)]
    assert sound()


def test_in_his_favour_cash_is_paid_back_to_the_bank(scene: Scene) -> None:
    first = bill(scene, in_scope="700.00", self_paid="0.00", on=ON, use_account=False, use_family=False)
    # As if the first had borne a deductible that another bill has borne since.
    Usage.objects.filter(member=scene.father.member, benefit_year=2025, counter="deductible").update(amount=D("600.00"))
    found = year_of(scene)
    assert found.to_member > 0
    assert refused(post, scene).code == "bank_missing"
    post(scene, bank="示例银行", bank_account="6222020200012345678")
    row = Reimbursement.objects.get()
    assert (row.amount, row.bank_account) == (found.to_member, "6222020200012345678")
    first.refresh_from_db()
    assert first.reversed_on is not None


def test_after_the_rollover_the_current_leg_comes_out_of_historical(scene: Scene) -> None:
    first, _second = two_bills(scene)
    assert first.own_current == D("60.00")
    Usage.objects.filter(member=scene.father.member, benefit_year=2025, counter="deductible").update(
        amount=first.deductible + D("100.00")
    )
    on = datetime.date(2026, 7, 3)
    held = ledger.balances([scene.fathers.pk], on)[scene.fathers.pk].total
    post(scene, on, bank="示例银行", bank_account="6222020200012345678")
    new = RecalculatedBill.objects.get(old=first).new
    assert (new.own_current, new.own_historical) == (D("0.00"), first.own_current + first.own_historical)
    assert ledger.balances([scene.fathers.pk], on)[scene.fathers.pk].total == held
    assert new.counted_year == 2025


def test_what_came_out_otherwise_meanwhile_is_not_posted(scene: Scene) -> None:
    first, _second = two_bills(scene)
    undo(scene, first, ON + 2 * DAY)
    clerk, supervisor = (make_staff(role, region=scene.region) for role in (Role.CLERK, Role.SUPERVISOR))
    asked = recalculation.request_recalculation(
        member=scene.father.member,
        region_id=scene.region.pk,
        year=2025,
        seen=year_of(scene).as_data(),
        by=clerk,
        at=at(ON + 9 * DAY),
    )
    bill(scene, in_scope="90.00", self_paid="0.00", on=ON + 9 * DAY)
    late = refused(
        cases.decide,
        case=asked.case,
        verb="approve",
        by=supervisor,
        at=at(ON + 9 * DAY),
        note="",
        version=asked.case.version,
    )
    assert late.code == "recalculation_stale"
    assert RecalculatedBill.objects.count() == 0


def test_who_may_ask_and_what_is_refused(scene: Scene) -> None:
    first, _second = two_bills(scene)
    ask = {"member": scene.father.member, "region_id": scene.region.pk, "year": 2025, "at": at(ON + 9 * DAY)}
    clerk = make_staff(Role.CLERK, region=scene.region)
    seen = year_of(scene).as_data()
    assert refused(recalculation.request_recalculation, seen=seen, by=clerk, **ask).code == "nothing_changes"
    undo(scene, first, ON + 2 * DAY)
    assert refused(recalculation.request_recalculation, seen=seen, by=clerk, **ask).code == "stale"
    seen = year_of(scene).as_data()
    with pytest.raises(PermissionDenied):
        recalculation.request_recalculation(seen=seen, by=scene.father, **ask)
    recalculation.request_recalculation(seen=seen, by=clerk, **ask)
    assert refused(recalculation.request_recalculation, seen=seen, by=clerk, **ask).code == "already_asked"


def test_the_institution_cannot_reverse_what_was_settled_anew(scene: Scene) -> None:
    first, second = two_bills(scene)
    undo(scene, first, ON + 2 * DAY)
    post(scene)
    second.refresh_from_db()
    again = refused(care.reverse, settlement=second, on=ON + 10 * DAY, key="institution")
    assert (again.code, again.params["why"]) == ("duplicate", "recalculated")
    care.reverse(settlement=second.replaced_by.new, on=ON + 10 * DAY, key="window")
    assert standing(scene) == []
    assert sound()


def test_the_link_between_old_and_new_cannot_be_taken_away(scene: Scene) -> None:
    first, _second = two_bills(scene)
    undo(scene, first, ON + 2 * DAY)
    post(scene)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        RecalculatedBill.objects.all().delete()


def test_a_claim_that_is_settled_anew_keeps_its_case(scene: Scene) -> None:
    first = bill(scene, in_scope="700.00", self_paid="0.00", on=ON)
    clerk, supervisor = (make_staff(role, region=scene.region) for role in (Role.CLERK, Role.SUPERVISOR))
    asked = PaidBill(
        institution=scene.institution,
        service_on=ON + DAY,
        kind="outpatient",
        in_scope=D("400.00"),
        pre_self_pay=D(0),
        self_paid=D(0),
        invoice_number="1",
        bank="示例银行",
        bank_account="6222020200012345678",
    )
    claim = claims.submit_claim(patient=scene.father.member, asked=asked, by=clerk, at=at(ON + 2 * DAY))
    cases.decide(case=claim.case, verb="approve", by=supervisor, at=at(ON + 2 * DAY), note="", version=1)
    undo(scene, first, ON + 3 * DAY)
    post(scene)
    claim.refresh_from_db()
    assert claim.settlement is not None and claim.settlement.reversed_on is None
    assert sound()
