"""Premiums by table and by property: who fits which group, the season, and all or nothing."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.reading import BadData
from settlements.domain import premiums
from settlements.domain.premiums import PremiumPlan

PLAN = {
    "benefit_from": "2026-01-01",
    "source": "SH13",
    "grade": "A",
    "group": [
        {"key": "old", "name": {"zh": "老", "en": "Old"}, "amount": "700.00", "age_from": 70},
        {"key": "adult", "name": {"zh": "成", "en": "Adult"}, "amount": "1040.00", "age_from": 19, "age_below": 70},
        {"key": "student", "name": {"zh": "学", "en": "Student"}, "amount": "400.00", "age_below": 30},
        {"key": "poor", "name": {"zh": "困", "en": "Poor"}, "amount": "130.00", "own_route": True},
    ],
}


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def yuan(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize(
    ("birth", "groups"),
    [
        ("1956-01-01", ["old", "poor"]),
        ("1956-01-02", ["adult", "poor"]),
        ("2007-01-01", ["adult", "student", "poor"]),
        ("2007-01-02", ["student", "poor"]),
        ("2025-12-31", ["student", "poor"]),
    ],
)
def test_groups_by_the_age_at_which_benefits_begin(birth, groups):
    plan = PremiumPlan.from_data(PLAN)
    assert [group.key for group in plan.groups_for(day(birth))] == groups


def test_defaults_are_at_once_and_out_of_historical():
    plan = PremiumPlan.from_data(PLAN)
    assert (plan.collection, plan.buckets, plan.closes_at) == ("at_once", ("historical",), None)
    assert PremiumPlan.from_data(PLAN | {"closes_at": "17:30"}).closes_at == datetime.time(17, 30)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"group": [PLAN["group"][0], PLAN["group"][0]]}, "repeated"),
        ({"closes_at": "five"}, "bad_hour"),
        ({"collection": "sometimes"}, "not_one_of"),
        ({"buckets": ["debt"]}, "not_one_of"),
        ({"amount": "1"}, "unknown_key"),
        ({"group": []}, "empty"),
    ],
)
def test_a_mistake_is_told(change, code):
    with pytest.raises(BadData) as bad:
        PremiumPlan.from_data(PLAN | change)
    assert bad.value.code == code


@pytest.mark.parametrize(
    ("on", "year"), [("2025-08-31", 2025), ("2025-09-01", 2026), ("2025-12-31", 2026), ("2026-01-01", 2026)]
)
def test_the_usual_season(on, year):
    assert premiums.usual_year(day(on)) == year


@pytest.mark.parametrize(
    ("at", "debited"),
    [
        ("2026-11-03T23:59", "2026-11-30"),
        ("2026-11-30T19:59:59", "2026-11-30"),
        ("2026-11-30T20:00", "2026-12-01"),
        ("2026-12-31T23:59", "2027-01-01"),
    ],
)
def test_who_orders_after_the_debit_is_debited_the_next_evening(at, debited):
    assert premiums.debited_on(datetime.datetime.fromisoformat(at)) == day(debited)


@pytest.mark.parametrize(("on", "may"), [("2025-12-31", True), ("2026-01-01", False)])
def test_given_back_only_before_the_benefits_begin(on, may):
    assert premiums.may_refund(day("2026-01-01"), day(on)) is may


@pytest.mark.parametrize(
    ("buckets", "current", "historical", "amount", "keep", "taken"),
    [
        (["historical"], "500", "400.00", "400.00", "0", {"historical": "400.00"}),
        (["historical"], "500", "399.99", "400.00", "0", None),
        (["current", "historical"], "100", "300.00", "400.00", "0", {"current": "100", "historical": "300.00"}),
        (["current", "historical"], "100", "299.99", "400.00", "0", None),
        (["historical", "current"], "100", "400.00", "400.00", "0", {"historical": "400.00", "current": "0"}),
        (["historical"], "0", "8178.15", "400.00", "7778.15", {"historical": "400.00"}),
        (["historical"], "0", "8178.14", "400.00", "7778.15", None),
        (["historical"], "0", "5.00", "400.00", "7778.15", None),
    ],
)
def test_whole_or_not_at_all(buckets, current, historical, amount, keep, taken):
    held = {"current": yuan(current), "historical": yuan(historical)}
    expected = None if taken is None else {bucket: yuan(part) for bucket, part in taken.items()}
    assert premiums.take(buckets, held, yuan(amount), yuan(keep)) == expected


money = st.integers(0, 10_000_00).map(lambda fens: Decimal(fens).scaleb(-2))


@given(
    st.sampled_from([["historical"], ["current"], ["historical", "current"], ["current", "historical"]]),
    money,
    money,
    money.filter(bool),
    money,
)
def test_nothing_is_split_and_nothing_overdrawn(buckets, current, historical, amount, keep):
    held = {"current": current, "historical": historical}
    taken = premiums.take(buckets, held, amount, keep)
    free = {"current": current, "historical": max(historical - keep, Decimal(0))}
    if taken is None:
        assert sum(free[bucket] for bucket in buckets) < amount
    else:
        assert sum(taken.values()) == amount
        assert all(Decimal(0) <= taken[bucket] <= free[bucket] for bucket in taken)
