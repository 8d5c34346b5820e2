import datetime
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.benefit_year import Rules, start_of, year_of
from settlements.domain.crediting import (
    CreditRule,
    MonthDue,
    clawback,
    due_of_year,
    month_credit,
    standing_months,
    year_credit,
)
from settlements.domain.parameters import Person
from tests.settlements.domain.world import BEIJING, SHANGHAI, SHENYANG, SHENZHEN, ZHENGZHOU, region, version_on

CALENDAR = [(2001, 1, 1)]
WORKER = Person(birth=datetime.date(1985, 1, 1))
NINGBO = CreditRule.from_data(
    {
        "every": "year",
        "bucket": "current",
        "active_percent": "2",
        "retired_per": "year",
        "retired_amount": [{"when": {"age_below": 70}, "value": "3435.00"}, {"value": "3735.00"}],
        "joining": "next_month",
        "leaving": "next_month",
        "source": "ZJ14",
        "grade": "B",
    }
)


def retired(birth: str) -> Person:
    return Person(birth=datetime.date.fromisoformat(birth), status="retired")


def rule_of(code: str, on: datetime.date) -> CreditRule:
    found: CreditRule = version_on(region(code).credits, on).rule
    return found


@pytest.mark.parametrize(
    ("code", "person", "base", "on", "amount"),
    [
        (BEIJING, WORKER, "11000.00", "2025-12-05", "220.00"),
        (BEIJING, retired("1956-06-15"), "0", "2025-12-05", "100.00"),
        (BEIJING, retired("1955-12-05"), "0", "2025-12-04", "100.00"),
        (BEIJING, retired("1955-12-05"), "0", "2025-12-05", "110.00"),
        (SHENYANG, retired("1940-01-01"), "0", "2025-12-05", "80.00"),
        (ZHENGZHOU, retired("1940-01-01"), "0", "2025-12-05", "95.00"),
        (SHENZHEN, WORKER, "6727.00", "2026-03-10", "134.54"),
        (SHENZHEN, WORKER, "33633.00", "2026-03-10", "672.66"),
        (SHENZHEN, WORKER, "6727.25", "2026-03-10", "134.55"),
        (SHANGHAI, retired("1951-09-15"), "0", "2025-07-01", "140.00"),
    ],
)
def test_a_month(code: str, person: Person, base: str, on: str, amount: str) -> None:
    day = datetime.date.fromisoformat(on)
    assert month_credit(rule_of(code, day), person, Decimal(base), day) == Decimal(amount)


@pytest.mark.parametrize(
    ("person", "base", "on", "amount"),
    [
        (WORKER, "12000.00", "2025-07-01", "2880.00"),
        (WORKER, "12000.00", "2025-10-15", "2160.00"),
        (WORKER, "10001.00", "2025-07-20", "2400.24"),
        (WORKER, "10001.00", "2026-06-10", "200.02"),
        (retired("1951-09-15"), "0", "2025-07-01", "1680.00"),
        (retired("1949-12-01"), "0", "2025-07-01", "1890.00"),
        (retired("1950-07-01"), "0", "2025-07-01", "1890.00"),
        (retired("1950-07-02"), "0", "2025-07-01", "1680.00"),
        (retired("1945-01-01"), "0", "2026-04-02", "472.50"),
    ],
)
def test_a_year_in_shanghai(person: Person, base: str, on: str, amount: str) -> None:
    day = datetime.date.fromisoformat(on)
    years = region(SHANGHAI).years
    assert year_credit(rule_of(SHANGHAI, day), person, Decimal(base), day, years) == Decimal(amount)


@pytest.mark.parametrize(
    ("person", "base", "on", "amount"),
    [
        (WORKER, "12000.00", "2026-02-10", "1200.00"),
        (retired("1949-03-01"), "0", "2025-12-15", "1102.50"),
        # Credited as a person of 74 in July, so taken back as one, although he is 75 by now.
        (retired("1950-09-01"), "0", "2026-06-30", "140.00"),
    ],
)
def test_what_goes_back_in_shanghai(person: Person, base: str, on: str, amount: str) -> None:
    day = datetime.date.fromisoformat(on)
    assert goes_back(rule_of(SHANGHAI, day), person, base, day, region(SHANGHAI).years) == Decimal(amount)


def test_months_begin_after_joining_and_leaving_in_ningbo() -> None:
    base = Decimal("10000.00")

    assert year_credit(NINGBO, WORKER, base, datetime.date(2025, 1, 1), CALENDAR) == Decimal("2400.00")
    assert goes_back(NINGBO, WORKER, "10000.00", datetime.date(2025, 5, 31), CALENDAR) == Decimal("1400.00")
    assert year_credit(NINGBO, WORKER, base, datetime.date(2025, 9, 10), CALENDAR) == Decimal("600.00")
    assert year_credit(NINGBO, WORKER, base, datetime.date(2025, 12, 2), CALENDAR) == 0


def test_a_yearly_sum_that_twelve_does_not_divide_is_rounded_for_the_month() -> None:
    rule = CreditRule.from_data({**_data(NINGBO), "retired_amount": "1000.00"})
    somebody = retired("1950-01-01")

    assert year_credit(rule, somebody, Decimal(0), datetime.date(2025, 1, 1), CALENDAR) == Decimal("1000.00")
    assert month_credit(rule, somebody, Decimal(0), datetime.date(2025, 1, 1)) == Decimal("83.33")
    assert goes_back(rule, somebody, "0", datetime.date(2025, 9, 30), CALENDAR) == Decimal("249.99")


@pytest.mark.parametrize(
    ("credited_on", "left_on", "amount"),
    [
        # Back in September, credited for October to December: all of it goes back with a second leaving at once.
        ("2025-09-10", "2025-09-12", "600.00"),
        ("2025-09-10", "2025-10-31", "400.00"),
        ("2025-09-10", "2025-12-01", "0.00"),
        # The death was reported late: the year after it was credited whole and goes back whole.
        ("2025-01-01", "2024-12-31", "600.00"),
        ("2025-01-01", "2026-01-01", "0.00"),
    ],
)
def test_what_goes_back_of_a_credit_of_any_day(credited_on: str, left_on: str, amount: str) -> None:
    days = [datetime.date.fromisoformat(day) for day in (credited_on, left_on)]
    assert clawback(NINGBO, Decimal("600.00"), days[0], days[1], CALENDAR) == Decimal(amount)


def goes_back(rule: CreditRule, person: Person, base: str, on: datetime.date, years: Rules) -> Decimal:
    """Of the whole year's credit, on leaving."""
    first = start_of(years, year_of(years, on))
    return clawback(rule, year_credit(rule, person, Decimal(base), first, years), first, on, years)


def _data(rule: CreditRule) -> dict[str, object]:
    keys = ("every", "bucket", "retired_per", "joining", "leaving", "source", "grade")
    return {"active_percent": "2", **{key: getattr(rule, key) for key in keys}}


DAYS_OF_2025 = st.integers(0, 364).map(lambda days: datetime.date(2025, 1, 1) + datetime.timedelta(days=days))
BASES = st.integers(1, 5_000_000).map(lambda fens: Decimal(fens).scaleb(-2))


@given(base=BASES, credited_on=DAYS_OF_2025, left_on=DAYS_OF_2025, months=st.sampled_from(["this_month", "next_month"]))
def test_never_more_goes_back_than_was_credited(
    base: Decimal, credited_on: datetime.date, left_on: datetime.date, months: str
) -> None:
    rule = replace(NINGBO, joining=months, leaving=months)
    credited = year_credit(rule, WORKER, base, credited_on, CALENDAR)
    back = clawback(rule, credited, credited_on, left_on, CALENDAR) if credited else Decimal(0)
    assert 0 <= back <= credited
    first, stays = standing_months(rule, credited_on, left_on, CALENDAR)
    # What stays is what the months that stay are worth, to the fen: nobody gains or loses by leaving.
    assert credited - back == month_credit(rule, WORKER, base, credited_on) * stays
    assert first >= datetime.date(2025, 1, 1)


@given(base=BASES, left_on=DAYS_OF_2025, months=st.sampled_from(["this_month", "next_month"]))
def test_leaving_and_coming_back_on_one_day_changes_nothing(base: Decimal, left_on: datetime.date, months: str) -> None:
    rule, first = replace(NINGBO, joining=months, leaving=months), datetime.date(2025, 1, 1)
    credited = year_credit(rule, WORKER, base, first, CALENDAR)
    back = clawback(rule, credited, first, left_on, CALENDAR)
    again = year_credit(rule, WORKER, base, left_on, CALENDAR) if left_on > first else back
    assert back == again


def test_the_due_of_a_year_by_its_months() -> None:
    months = [MonthDue(datetime.date(2025, month, 1), WORKER, Decimal("10000.00")) for month in range(1, 13)]
    assert due_of_year(NINGBO, months, CALENDAR) == Decimal("2400.00")
    assert due_of_year(NINGBO, months[:5], CALENDAR) == Decimal("1000.00")
    assert due_of_year(NINGBO, [], CALENDAR) == 0
    old = [replace(month, person=retired("1950-01-01"), base=Decimal(0)) for month in months]
    assert due_of_year(NINGBO, old, CALENDAR) == Decimal("3735.00")
    # Three months of 311.25, nine of 200.
    assert due_of_year(NINGBO, [*months[:9], *old[9:]], CALENDAR) == Decimal("2733.75")
