import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.benefit_year import YearRule, end_of, months_left, start_of, year_of

SHANGHAI = [YearRule(2001, 4, 1), YearRule(2020, 7, 1)]
CALENDAR = [(2001, 1, 1)]
DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("rules", "on", "year"),
    [
        (SHANGHAI, "2017-03-31", 2016),
        (SHANGHAI, "2017-04-01", 2017),
        (SHANGHAI, "2019-03-31", 2018),
        (SHANGHAI, "2019-04-01", 2019),
        (SHANGHAI, "2020-04-01", 2019),
        (SHANGHAI, "2020-06-30", 2019),
        (SHANGHAI, "2020-07-01", 2020),
        (SHANGHAI, "2026-06-30", 2025),
        (SHANGHAI, "2026-07-01", 2026),
        (CALENDAR, "2025-12-31", 2025),
        (CALENDAR, "2026-01-01", 2026),
    ],
)
def test_the_year_of_a_day(rules: list[tuple[int, int, int]], on: str, year: int) -> None:
    assert year_of(rules, datetime.date.fromisoformat(on)) == year


def test_the_year_of_the_change_is_long() -> None:
    assert start_of(SHANGHAI, 2019) == datetime.date(2019, 4, 1)
    assert end_of(SHANGHAI, 2019) == datetime.date(2020, 6, 30)


def test_before_the_first_rule_there_is_no_year() -> None:
    with pytest.raises(ValueError, match="2000"):
        year_of(SHANGHAI, datetime.date(2001, 3, 31))
    with pytest.raises(ValueError, match="1999"):
        year_of(SHANGHAI, datetime.date(1999, 5, 1))


@pytest.mark.parametrize(
    ("on", "months"), [("2025-07-01", 12), ("2025-07-31", 12), ("2025-10-15", 9), ("2026-02-10", 5), ("2026-06-30", 1)]
)
def test_months_left(on: str, months: int) -> None:
    assert months_left(SHANGHAI, 2025, datetime.date.fromisoformat(on)) == months


@given(
    st.dictionaries(st.integers(1995, 2040), st.tuples(st.integers(1, 12), st.integers(1, 28)), min_size=1, max_size=4),
    st.dates(datetime.date(2000, 1, 1), datetime.date(2050, 12, 31)),
)
def test_every_day_lies_in_exactly_its_year(starts: dict[int, tuple[int, int]], on: datetime.date) -> None:
    rules = [(1990, 1, 1), *((year, month, day) for year, (month, day) in starts.items())]
    year = year_of(rules, on)

    assert start_of(rules, year) <= on <= end_of(rules, year)
    assert year_of(rules, end_of(rules, year)) == year
    assert year_of(rules, end_of(rules, year) + DAY) == year + 1
