"""The batch gives way to settlements, and comes back: a rule of two numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlements.domain.pacing import FIRST_MS, LEAST_SHARE, MOST_MS, Limits, Load, is_strained, next_rest, next_share

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
        (Load(waiting=0, busy=1, visit_ms=601), True),
        (Load(waiting=0, busy=0, visit_ms=60_000), False),
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


def test_a_visit_takes_as_many_accounts_as_it_can_hold_for_the_time():
    assert next_share(500, 500, 25, held_ms=100) == 1000
    assert next_share(1000, 1000, 50, held_ms=100) == 2000
    assert next_share(2000, 2000, 90, held_ms=100) == 2000
    assert next_share(2000, 2000, 400, held_ms=100) == 500
    assert next_share(500, 500, 60_000, held_ms=100) == LEAST_SHARE


def test_the_end_of_a_chunk_says_nothing_about_more():
    assert next_share(500, 20, 5, held_ms=100) == 500


@given(share=st.integers(LEAST_SHARE, 10_000), visit_ms=st.integers(0, 60_000), held_ms=st.integers(1, 1000))
def test_whoever_took_too_long_takes_fewer_and_nobody_grows_past_twice(share, visit_ms, held_ms):
    after = next_share(share, share, visit_ms, held_ms)
    assert LEAST_SHARE <= after <= share * 2
    if visit_ms > held_ms:
        assert after < share or after == LEAST_SHARE
