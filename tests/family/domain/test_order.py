import pytest
from hypothesis import given
from hypothesis import strategies as st

from family.domain.order import MOVES, move, place


@pytest.mark.parametrize(
    ("one", "where", "after"),
    [
        ("B", "up", "BAC"),
        ("B", "down", "ACB"),
        ("B", "top", "BAC"),
        ("C", "top", "CAB"),
        ("A", "bottom", "BCA"),
        ("A", "up", "ABC"),
        ("C", "down", "ABC"),
    ],
)
def test_moves(one: str, where: str, after: str) -> None:
    assert move("ABC", one, where) == list(after)


@pytest.mark.parametrize(
    ("position", "after"), [(1, "BAC"), (2, "ABC"), (3, "ACB"), (9, "ACB"), (0, "BAC"), (-4, "BAC")]
)
def test_dragging(position: int, after: str) -> None:
    assert place("ABC", "B", position) == list(after)


def test_what_is_no_move() -> None:
    with pytest.raises(ValueError, match="sideways"):
        move("ABC", "A", "sideways")
    with pytest.raises(ValueError):
        move("ABC", "D", "up")


@given(st.lists(st.integers(), unique=True, min_size=1), st.data())
def test_nobody_is_lost_and_the_others_keep_their_order(order: list[int], data: st.DataObject) -> None:
    one, where = data.draw(st.sampled_from(order)), data.draw(st.sampled_from(MOVES))
    after = move(order, one, where)

    assert sorted(after) == sorted(order)
    assert [x for x in after if x != one] == [x for x in order if x != one]
    assert move(after, one, "top")[0] == one
