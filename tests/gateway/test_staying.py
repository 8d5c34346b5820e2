"""The life of a stay and the refund of a line, as pure rules."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.domain.refunds import Left, TooMuch, expected, parts_back
from gateway.domain.staying import FOLLOWS, Step, Where, days_of, is_within, refusal
from gateway.texts import TEXTS
from settlements.domain.catalogue import classify
from tests.gateway.stays import ago


@pytest.mark.parametrize("where", Where)
@pytest.mark.parametrize("step", Step)
def test_what_cannot_follow_is_told_why(where: Where, step: Step) -> None:
    code = refusal(where, step)
    assert (code is None) == (step in FOLLOWS[where])
    assert code is None or code in TEXTS


def test_every_state_but_the_end_can_be_left_and_reached() -> None:
    reached = {after for steps in FOLLOWS.values() for after in steps.values()}
    assert reached == set(Where)
    assert [where for where in Where if not FOLLOWS[where]] == [Where.CANCELLED]


def test_days_of_a_stay() -> None:
    assert days_of(ago(10), ago(3)) == 7
    assert days_of(ago(3), ago(3)) == 1
    assert is_within(ago(10), ago(10), ago(3))
    assert is_within(ago(3), ago(10), ago(3))
    assert not is_within(ago(2), ago(10), ago(3))
    assert is_within(ago(2), ago(10), None)
    assert not is_within(ago(11), ago(10), None)


@dataclass
class Item:
    item_class: str
    self_pay_percent: Decimal
    price_limit: Decimal | None


items = st.builds(
    Item,
    st.sampled_from("ABC"),
    st.sampled_from([Decimal(0), Decimal(10), Decimal("33.33")]),
    st.sampled_from([None, Decimal("5.55"), Decimal(80)]),
)


@given(
    item=items,
    price=st.decimals("0.01", "200", places=4),
    units=st.lists(st.decimals("0.01", "20", places=2), min_size=1, max_size=4),
    rounding=st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]),
)
def test_a_line_and_its_refunds_are_the_line_of_what_is_left(
    item: Item, price: Decimal, units: list[Decimal], rounding: str
) -> None:
    quantity = sum(units, Decimal(0))
    amount = (quantity * price).quantize(Decimal("0.01"), rounding)
    left, parts = Left(amount, quantity), [classify(item, amount, quantity, price)]
    for taken in units:
        try:
            back = expected(left, taken, price, (taken * price).quantize(Decimal("0.01"), rounding))
        except TooMuch:
            assume(False)
        parts.append(parts_back(item, left, back, taken, price))
        left = Left(left.amount - back, left.quantity - taken)
        for name in ("in_scope", "pre_self_pay", "over_limit", "off_catalogue"):
            assert sum(getattr(part, name) for part in parts) >= 0
        assert sum(part.in_scope + part.pre_self_pay + part.self_paid for part in parts) == left.amount
    assert left == Left(Decimal(0), Decimal(0))
