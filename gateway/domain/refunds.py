"""What a line comes to; and one of a stay taken back in part or whole: what the refund line holds of each part."""

from dataclasses import dataclass
from decimal import Decimal

from accounts.money import fen
from settlements.domain.catalogue import Item, Parts, classify

HALF_A_FEN = Decimal("0.005")


class TooMuch(ValueError):
    """More is taken back than is left of the line."""


@dataclass(frozen=True)
class Left:
    """What is left of a line after earlier refunds: yuan and units."""

    amount: Decimal
    quantity: Decimal


def comes_to(amount: Decimal, product: Decimal) -> bool:
    """Whether an amount in whole fen is the product of quantity and price, in yuan. The text names no rounding, and .NET
    and Python round an exact half to the even fen: both neighbours of a half are right."""
    return abs(amount - product) <= HALF_A_FEN


def expected(left: Left, quantity: Decimal, price: Decimal, said: Decimal) -> Decimal:
    """What a refund of `quantity` units (positive) at `price` yuan must come to, in yuan (positive): `said`, if it is that.

    Quantity times price (F7); the last units take what is left, so that fractions of a fen leave nothing behind.
    Raises TooMuch.
    """
    product = quantity * price
    amount = left.amount if quantity == left.quantity else said if comes_to(said, product) else fen(product)
    if quantity > left.quantity or amount > left.amount:
        raise TooMuch
    return amount


def parts_back(item: Item, left: Left, amount: Decimal, quantity: Decimal, price: Decimal) -> Parts:
    """The parts of the refund line, as what they take away (negative), by the terms under which the line was charged.

    They are the difference that the refund makes, so a line and its refunds together are the line of what is left (F6).
    """
    before = classify(item, left.amount, left.quantity, price)
    after = classify(item, left.amount - amount, left.quantity - quantity, price)
    return Parts(
        in_scope=after.in_scope - before.in_scope,
        pre_self_pay=after.pre_self_pay - before.pre_self_pay,
        over_limit=after.over_limit - before.over_limit,
        off_catalogue=after.off_catalogue - before.off_catalogue,
    )
