"""Moving one of a list, as the buttons and the dragging of a page do."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
MOVES = ("up", "down", "top", "bottom")


def move(order: Sequence[T], one: T, where: str) -> list[T]:
    """The order after `one` went up, down, to the top or to the bottom; the first cannot rise and the last cannot sink.

    ValueError if `one` is not in the order or `where` is no move.
    """
    at, last = order.index(one), len(order) - 1
    targets = {"up": max(at - 1, 0), "down": min(at + 1, last), "top": 0, "bottom": last}
    if where not in targets:
        raise ValueError(f"no such move: {where}")
    return place(order, one, targets[where] + 1)


def place(order: Sequence[T], one: T, position: int) -> list[T]:
    """The order with `one` at a position counted from 1; a position beyond an end is that end. ValueError as above."""
    rest = list(order)
    rest.remove(one)
    rest.insert(min(max(position - 1, 0), len(rest)), one)
    return rest
