"""The batch gives way to settlements, and comes back: a rule of two numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlements.domain.pacing import FIRST_MS, MOST_MS, Limits, Load, is_strained, next_rest

LIMITS = Limits(busy=12, visit_ms=600)
CALM = Load(waiting=0, busy=3, visit_ms=60)
loads = st.builds(Load, waiting=st.integers(0, 50), busy=st.integers(0, 200), visit_ms=st.integers(0, 60_000))


@pytest.mark.parametrize(
    ("load", "strained"),
    [
        (CALM, False),
        (Load(waiting=0, busy=12, visit_ms=600), False),
        (Load(waiting=1, busy=0, visit_ms=0), True),
        (Load(waiting=0, busy=13, visit_ms=0), True),
        (Load(waiting=0, busy=0, visit_ms=601), True),
    ],
)
def test_what_counts_as_strain(load, strained):
    assert is_strained(load, LIMITS) is strained


def test_full_speed_while_nobody_suffers():
    assert next_rest(0, CALM, LIMITS) == 0


def test_it_gives_way_fast_and_comes_back_as_fast():
    strained, rest, rests = Load(waiting=2, busy=3, visit_ms=60), 0, []
    for _ in range(8):
        rest = next_rest(rest, strained, LIMITS)
        rests.append(rest)
    assert rests == [25, 50, 100, 200, 400, 800, 1600, 1600]
    while rest:
        rest = next_rest(rest, CALM, LIMITS)
        rests.append(rest)
    assert rests[8:] == [800, 400, 200, 100, 50, 25, 0]


@given(rest=st.integers(0, MOST_MS), load=loads)
def test_a_rest_is_bounded_and_never_shorter_under_strain(rest, load):
    after = next_rest(rest, load, LIMITS)
    assert 0 <= after <= MOST_MS
    if is_strained(load, LIMITS):
        assert after >= max(rest, FIRST_MS)
    else:
        assert after < rest or after == rest == 0
