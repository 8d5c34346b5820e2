import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.domain.working_days import add, between, is_working

# The National Day weeks of 2026: a holiday from Thursday to Wednesday, the Saturday after it worked.
WEEKS = {datetime.date(2026, 10, day): False for day in (1, 2, 5, 6, 7)} | {datetime.date(2026, 10, 10): True}


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("on", "working"),
    [
        ("2026-09-30", True),
        ("2026-10-01", False),
        ("2026-10-03", False),
        ("2026-10-07", False),
        ("2026-10-08", True),
        ("2026-10-10", True),
        ("2026-10-11", False),
    ],
)
def test_whether_offices_work(on: str, working: bool) -> None:
    assert is_working(day(on), WEEKS) is working


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-20", 0, "2026-11-20"),
        ("2026-11-20", 1, "2026-11-23"),  # Friday: the weekend does not count
        ("2026-11-21", 5, "2026-11-27"),  # Saturday
        ("2026-11-23", 5, "2026-11-30"),
        ("2026-09-30", 3, "2026-10-10"),  # Thursday, Friday, then the worked Saturday
        ("2026-09-29", 5, "2026-10-12"),
    ],
)
def test_the_end_of_a_period(start: str, days: int, end: str) -> None:
    assert add(day(start), days, WEEKS) == day(end)


EXCEPTIONS = st.dictionaries(
    st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 6, 30)), st.booleans(), max_size=30
)


@given(st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 6, 30)), st.integers(1, 40), EXCEPTIONS)
def test_counting_back_gives_the_same_days(
    start: datetime.date, days: int, exceptions: dict[datetime.date, bool]
) -> None:
    end = add(start, days, exceptions)

    assert is_working(end, exceptions)
    assert between(start, end, exceptions) == days
    assert between(end, start, exceptions) == -days
