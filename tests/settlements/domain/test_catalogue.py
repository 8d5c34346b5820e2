"""What the catalogue makes of a line: a table, and that no fen is lost."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.money import fen
from settlements.domain.catalogue import classify


@dataclass(frozen=True)
class Item:
    item_class: str
    self_pay_percent: Decimal = Decimal(0)
    price_limit: Decimal | None = None


def item(text: str) -> Item | None:
    """ "B 10 30" is class B, 10 percent up front, at most 30 yuan a unit."""
    if not text:
        return None
    item_class, percent, *limit = text.split()
    return Item(item_class, Decimal(percent), Decimal(limit[0]) if limit else None)


@pytest.mark.parametrize(
    ("what", "quantity", "price", "in_scope", "pre_self_pay", "over_limit", "off_catalogue"),
    [
        ("A 0", "2", "10.00", "20.00", "0.00", "0.00", "0.00"),
        ("", "2", "10.00", "0.00", "0.00", "0.00", "20.00"),
        ("C 100", "2", "10.00", "0.00", "0.00", "0.00", "20.00"),
        # The worked line of interface.md, F8: 4.52 at 5 percent is 0.226, so 0.23.
        ("B 5", "1", "4.52", "4.29", "0.23", "0.00", "0.00"),
        ("B 100", "1", "4.52", "0.00", "4.52", "0.00", "0.00"),
        ("A 0 30", "2", "40.00", "60.00", "0.00", "20.00", "0.00"),
        ("A 0 30", "2", "30.00", "60.00", "0.00", "0.00", "0.00"),
        ("B 20 30", "2", "40.00", "48.00", "12.00", "20.00", "0.00"),
        # A percentage on class A is not looked at: class A is in scope whole.
        ("A 10", "1", "10.00", "10.00", "0.00", "0.00", "0.00"),
        ("B 10", "3", "0.00", "0.00", "0.00", "0.00", "0.00"),
    ],
)
def test_classes(what, quantity, price, in_scope, pre_self_pay, over_limit, off_catalogue) -> None:
    amount = fen(Decimal(quantity) * Decimal(price))
    parts = classify(item(what), amount, Decimal(quantity), Decimal(price))
    found = [parts.in_scope, parts.pre_self_pay, parts.over_limit, parts.off_catalogue]
    assert found == [Decimal(text) for text in (in_scope, pre_self_pay, over_limit, off_catalogue)]
    assert parts.self_paid == Decimal(over_limit) + Decimal(off_catalogue)


@given(
    st.sampled_from("ABC"),
    st.decimals("0", "100", places=2),
    st.none() | st.decimals("0", "500", places=2),
    st.decimals("0.0001", "99", places=4),
    st.decimals("0", "900", places=6),
)
def test_the_parts_are_the_line(item_class, percent, limit, quantity, price) -> None:
    amount = fen(quantity * price)
    parts = classify(Item(item_class, percent, limit), amount, quantity, price)
    every = [parts.in_scope, parts.pre_self_pay, parts.over_limit, parts.off_catalogue]
    assert sum(every) == amount
    assert all(part >= 0 for part in every)
