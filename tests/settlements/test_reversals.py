"""Reversal whole and by the original channel: after the rollover, after unbinding, after death, onto a debt."""

import datetime
from decimal import Decimal

import pytest

from accounts import clock
from family.actions import grants
from settlements import ledger
from settlements.actions import care
from settlements.actions.leaving import leave
from settlements.models import PersonalAccount
from tests.settlements.scene import Scene, bill, make_scene
from tests.settlements.test_claims import sound
from tests.support.ledger import move

pytestmark = pytest.mark.django_db
D = Decimal
DAY = datetime.timedelta(days=1)
ON = datetime.date(2026, 6, 20)
AFTER = datetime.date(2026, 7, 3)


@pytest.fixture
def scene() -> Scene:
    """The father pays 200 of this year's and 100 of earlier years', the daughter 300, the rest is cash."""
    return make_scene(on=ON, current="0.00", historical="300.00", father_current="200.00", father_historical="100.00")


def held(account: PersonalAccount, on: datetime.date) -> tuple[Decimal, Decimal, Decimal]:
    shown = ledger.balances([account.pk], on)[account.pk]
    return shown.current, shown.historical, shown.debt


def settled(scene: Scene):
    one = bill(scene, in_scope="1500.00", self_paid="0.00", on=ON)
    assert (one.own_current, one.own_historical) == (D("200.00"), D("100.00")) and one.shared > 0
    return one


def at(on: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(on, datetime.time(10), tzinfo=clock.now().tzinfo)


def test_after_the_rollover_current_comes_back_to_historical(scene: Scene) -> None:
    one = settled(scene)
    back = care.reverse(settlement=one, on=AFTER, key="back")
    assert back[scene.fathers.pk] == (D("0.00"), D("300.00"))
    assert back[scene.account.pk] == (D("0.00"), one.shared)
    assert held(scene.fathers, AFTER) == (D("0.00"), D("300.00"), D("0.00"))
    assert held(scene.account, AFTER)[1] == D("300.00")
    assert sound()


def test_after_unbinding_the_relative_still_gets_it_back(scene: Scene) -> None:
    one = settled(scene)
    grants.unbind(grant=scene.grant, by=None, at=at(ON))
    care.reverse(settlement=one, on=ON + DAY, key="back")
    assert held(scene.account, ON + DAY)[1] == D("300.00")
    assert sound()


@pytest.mark.parametrize("who", ["daughter", "father"])
def test_after_a_death_it_goes_to_the_account_all_the_same(scene: Scene, who: str) -> None:
    one = settled(scene)
    dead = getattr(scene, who).member
    leave(enrolment=dead.enrolments.get(), why="died", on=ON + DAY, at=at(ON + DAY))
    before = {pk: ledger.balances([pk], ON + 2 * DAY)[pk].total for pk in (scene.account.pk, scene.fathers.pk)}
    back = care.reverse(settlement=one, on=ON + 2 * DAY, key="back")
    after = {pk: ledger.balances([pk], ON + 2 * DAY)[pk].total for pk in before}
    assert {pk: after[pk] - before[pk] for pk in before} == {pk: sum(amounts) for pk, amounts in back.items()}
    assert sum(after.values()) - sum(before.values()) == one.own_current + one.own_historical + one.shared
    assert sound()


def test_onto_a_debt_it_comes_back_whole_and_the_rollover_nets_it(scene: Scene) -> None:
    one = settled(scene)
    move(scene.fathers, ON, debt=D("120.00"), kind="clearing")
    back = care.reverse(settlement=one, on=ON + DAY, key="back")
    assert back[scene.fathers.pk] == (D("200.00"), D("100.00"))
    assert held(scene.fathers, ON + DAY) == (D("200.00"), D("100.00"), D("120.00"))
    assert held(scene.fathers, AFTER) == (D("0.00"), D("180.00"), D("0.00"))
    assert sound()


def test_a_second_reversal_is_refused_also_a_year_later(scene: Scene) -> None:
    one = settled(scene)
    care.reverse(settlement=one, on=AFTER, key="back")
    with pytest.raises(Exception, match="duplicate"):
        care.reverse(settlement=one, on=AFTER + DAY, key="again")
    assert sound()
