"""Bills tried out: the same sums as a settlement, and nothing of what a relative's account holds."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.clock import now
from accounts.money import ZERO
from settlements.actions import care
from settlements.models import LedgerTransaction
from settlements.ordering import worked_example
from settlements.queries.year import year_on
from settlements.trying import Tried, try_bill
from tests.settlements.scene import Scene, make_scene, share
from tests.support.pages import log_in

pytestmark = pytest.mark.django_db
D = Decimal


def tried(scene: Scene, amount: str, **more: str) -> Tried:
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=D(amount), **{k: D(v) for k, v in more.items()})
    return try_bill(scene.father.member, bill, scene.on)


def seen(one: Tried) -> tuple[object, ...]:
    """All that a page can show of it."""
    return one.fund, one.own_current, one.own_historical, one.family, one.sure, one.cash, one.steps


@pytest.fixture
def scene() -> Scene:
    """The father's own account is empty; the daughter lets him use 450 of hers, without a limit."""
    scene = make_scene(current="0.00", historical="450.00", father_current="0.00", father_historical="0.00")
    scene.grant.limit = None
    scene.grant.save()
    return scene


@pytest.mark.parametrize(
    ("amount", "sure"),
    # The deductible is 300 and more: what is borne by the patient is all of it.
    [("80.00", True), ("100.00", True), ("250.00", True), ("299.00", True)],
)
def test_what_surely_reaches_is_told(scene: Scene, amount: str, sure: bool) -> None:
    one = tried(scene, amount)
    assert (one.family, one.sure, one.cash) == (D(amount), sure, ZERO)


def test_beyond_the_step_it_is_told_together_with_cash(scene: Scene) -> None:
    one = tried(scene, "0.00", pre_self_pay="420.00")
    if not one.family:
        one = tried(scene, "900.00")
    assert not one.sure
    assert one.fund + one.own_current + one.own_historical + one.family + one.cash == one.total


@pytest.mark.parametrize("amount", ["310.00", "900.00", "5000.00", "99999.00"])
def test_two_balances_within_one_step_look_the_same(scene: Scene, amount: str) -> None:
    before = seen(tried(scene, amount))
    other = make_scene(
        code=scene.region.pk, current="0.00", historical="487.65", father_current="0.00", father_historical="0.00"
    )
    other.grant.limit = None
    other.grant.save()
    assert seen(tried(other, amount)) == before


@pytest.mark.parametrize("held", ["1100.00", "9000.00"])
def test_above_a_usual_visit_nothing_is_told_of_how_far_it_reaches(held: str) -> None:
    rich = make_scene(current="0.00", historical=held, father_current="0.00", father_historical="0.00")
    rich.grant.limit = None
    rich.grant.save()
    one = tried(rich, "8000.00")
    assert not one.sure and one.family > D("1000.00")
    assert held[:-3] not in str(one.steps)


def test_a_limit_is_the_relatives_own_word(scene: Scene) -> None:
    scene.grant.limit = D("50.00")
    scene.grant.save()
    one = tried(scene, "200.00")
    assert one.family == D("50.00") and one.cash == D("150.00") and not one.sure


def test_a_paused_relative_is_not_counted(scene: Scene) -> None:
    scene.grant.paused_at = datetime.datetime.now(datetime.UTC)
    scene.grant.save()
    one = tried(scene, "200.00")
    assert (one.family, one.cash) == (ZERO, D("200.00"))


def test_it_writes_nothing_and_agrees_with_the_settlement(scene: Scene) -> None:
    before = LedgerTransaction.objects.count()
    one = tried(scene, "100.00")
    assert LedgerTransaction.objects.count() == before
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=D("100.00"))
    settled = care.settle(
        patient=scene.father.member, institution=scene.institution, bill=bill, on=scene.on, key="real"
    )
    assert (settled.fund, settled.shared, settled.cash) == (one.fund, one.family, one.cash)


def test_next_year_begins_anew_with_rolled_balances(scene: Scene) -> None:
    rich = make_scene(father_current="200.00", father_historical="30.00", fathers_name="沈某梁")
    day = year_on(rich.region.pk, rich.on).next_day
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=D("100.00"))
    now, then = (try_bill(rich.father.member, bill, on) for on in (rich.on, day))
    assert (now.own_current, now.own_historical) == (D("100.00"), ZERO)
    assert (then.own_current, then.own_historical) == (ZERO, D("100.00"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(in_scope=st.integers(1, 400_000), pre=st.integers(0, 50_000), off=st.integers(0, 50_000))
def test_any_bill_adds_up(scene: Scene, in_scope: int, pre: int, off: int) -> None:
    one = tried(scene, str(D(in_scope) / 100), pre_self_pay=str(D(pre) / 100), self_paid=str(D(off) / 100))
    paid = one.fund + one.supplement + one.own_current + one.own_historical + one.family + one.cash
    assert paid == one.total
    legs = sum((D(step["amount"]) for step in one.steps if step["key"].startswith("pay.")), ZERO)
    assert one.total == one.fund + one.supplement + legs + sum(
        D(step["amount"]) for step in one.steps if step["key"] == "stage.account"
    )


# The page


def ask(**more: str) -> dict[str, str]:
    return {"kind": "outpatient", "level": "tertiary", "in_scope": "400", "when": "today", "family": "on"} | more


def test_the_page_tells_who_pays_with_the_working(scene: Scene) -> None:
    page = log_in(scene.father).get(reverse("settlements:estimate"), ask())
    assert page.status_code == 200 and page.context["tried"].total == D("400.00")
    text = page.content.decode()
    assert "450.00" not in text and page.context["told"].steps


def test_under_htmx_only_the_form_and_its_answer_come(scene: Scene) -> None:
    part = log_in(scene.father).get(reverse("settlements:estimate"), ask(), headers={"HX-Request": "true"})
    text = part.content.decode().strip()
    assert part.status_code == 200 and text.startswith('<div id="estimate"') and "<html" not in text


def test_under_htmx_a_mistake_stands_at_its_field(scene: Scene) -> None:
    asked = ask(in_scope="")
    part = log_in(scene.father).get(reverse("settlements:estimate"), asked, headers={"HX-Request": "true"})
    assert part.status_code == 422 and 'id="id_in_scope_error"' in part.content.decode()


def test_without_relatives_they_are_left_out(scene: Scene) -> None:
    asked = ask()
    del asked["family"]
    page = log_in(scene.father).get(reverse("settlements:estimate"), asked)
    assert page.context["tried"].family == ZERO


@pytest.mark.parametrize(
    ("wrong", "box"),
    [
        ({"in_scope": ""}, "in_scope"),
        ({"in_scope": "0"}, "in_scope"),
        ({"in_scope": "100001"}, "in_scope"),
        ({"level": "x"}, "level"),
    ],
)
def test_mistakes_are_told_at_their_place(scene: Scene, wrong: dict[str, str], box: str) -> None:
    page = log_in(scene.father).get(reverse("settlements:estimate"), ask(**wrong))
    assert page.status_code == 422 and list(page.context["form"].errors) == [box]


def test_the_order_page_tells_no_more(scene: Scene) -> None:
    share(scene.stranger.member, scene.father.member, "sibling", scene.region, scene.on, limit=None)
    page = log_in(scene.father).get(reverse("family:order"), {"amount": "5000", "level": "tertiary"})
    example = page.context["example"]
    family = [part for part in example.parts if part.kind == "family"]
    assert len(family) == 1 and "450.00" not in page.content.decode()
    assert len(example.order) == 2 and sum(part.amount for part in example.parts) == D("5000.00")


def test_who_comes_after_one_that_is_paused_pays_first(scene: Scene) -> None:
    other = share(scene.stranger.member, scene.father.member, "parent", scene.region, scene.on, limit=None)
    grants = [scene.grant, other]

    def places() -> list[str]:
        return [
            why for _name, why in worked_example(scene.father.member, D("50.00"), "tertiary", grants, scene.on).order
        ]

    with translation.override("en"):
        assert places() == ["pays first", "pays what is missing then"]
        scene.grant.paused_at = now()
        assert places() == ["paused", "pays first"]
