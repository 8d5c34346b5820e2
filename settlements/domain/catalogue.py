"""What the catalogue makes of one fee line: its parts in scope, up front, over the price limit and off-catalogue."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from accounts.money import ZERO, fen

HUNDRED = Decimal(100)


class Item(Protocol):
    """A catalogue item: class A, B or C, pre-self-pay in percent (class B), price limit in yuan a unit or None."""

    @property
    def item_class(self) -> str: ...
    @property
    def self_pay_percent(self) -> Decimal: ...
    @property
    def price_limit(self) -> Decimal | None: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a line in yuan; they do not overlap and their sum is the line."""

    in_scope: Decimal = ZERO
    pre_self_pay: Decimal = ZERO
    over_limit: Decimal = ZERO
    off_catalogue: Decimal = ZERO

    @property
    def self_paid(self) -> Decimal:
        """What no insurance looks at: off-catalogue, and what goes over a price limit (超限价自费)."""
        return self.over_limit + self.off_catalogue


def classify(item: Item | None, amount: Decimal, quantity: Decimal, price: Decimal) -> Parts:
    """Split a line of `amount` yuan, `quantity` units at `price` yuan.

    No item, or class C: off-catalogue. Above the price limit: the excess is over the limit. Of the rest class B has its
    percentage up front, rounded half up to the fen. Source: interface.md 4.1, F6 and F8.
    """
    if item is None or item.item_class == "C":
        return Parts(off_catalogue=amount)
    within = amount
    if item.price_limit is not None and price > item.price_limit:
        within = min(amount, fen(item.price_limit * quantity))
    percent = item.self_pay_percent if item.item_class == "B" else ZERO
    up_front = fen(within * percent / HUNDRED)
    return Parts(in_scope=within - up_front, pre_self_pay=up_front, over_limit=amount - within)
