import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.reading import BadData
from settlements.domain.filing import FilingRule, deadline, last_day

SOURCE = {"source": "BJ8", "grade": "B"}


@pytest.mark.parametrize(
    ("deadline", "service_on", "last"),
    [
        ({"next_year": "01-20"}, "2025-12-28", "2026-01-20"),
        ({"next_year": "01-20"}, "2025-01-01", "2026-01-20"),
        ({"next_year": "12-31"}, "2025-11-11", "2026-12-31"),
        ({"within_months": 12}, "2024-03-01", "2025-03-01"),
        ({"within_months": 12}, "2024-02-29", "2025-02-28"),
        ({"within_months": 1}, "2025-12-31", "2026-01-31"),
        ({"within_months": 2}, "2025-12-31", "2026-02-28"),
    ],
)
def test_the_last_day(deadline: dict[str, object], service_on: str, last: str) -> None:
    rule = FilingRule.from_data({**SOURCE, **deadline})
    assert last_day(rule, datetime.date.fromisoformat(service_on)) == datetime.date.fromisoformat(last)


@pytest.mark.parametrize(
    ("deadline", "code"),
    [
        ({}, "one_deadline"),
        ({"next_year": "01-20", "within_months": 12}, "one_deadline"),
        ({"next_year": "02-29"}, "bad_month_and_day"),
        ({"next_year": "20 January"}, "bad_month_and_day"),
        ({"within_months": 0}, "out_of_range"),
    ],
)
def test_what_is_no_deadline(deadline: dict[str, object], code: str) -> None:
    with pytest.raises(BadData) as caught:
        FilingRule.from_data({**SOURCE, **deadline})
    assert caught.value.code == code


DAYS = st.dates(datetime.date(2001, 1, 1), datetime.date(2035, 12, 31))


def weekday(day: datetime.date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize(
    ("moves", "last"), [(True, datetime.date(2024, 1, 22)), (False, datetime.date(2024, 1, 20))], ids=["moves", "stays"]
)
def test_a_day_off_moves_the_deadline_only_where_the_rule_says_so(moves: bool, last: datetime.date) -> None:
    found = FilingRule.from_data({"next_year": "01-20", "days_off_move": moves, "source": "TEST", "grade": "OWN"})
    assert deadline(found, datetime.date(2023, 5, 5), weekday) == last


def test_accounts_pay_nothing_unless_the_rule_says_so() -> None:
    data = {"within_months": 12, "source": "TEST", "grade": "OWN"}
    assert FilingRule.from_data(data).accounts is False
    assert FilingRule.from_data({**data, "accounts": True}).accounts is True


@given(service_on=DAYS, months=st.integers(1, 120))
def test_the_deadline_is_a_working_day_on_or_after_the_last_day(service_on: datetime.date, months: int) -> None:
    data = {"within_months": months, "days_off_move": True, "source": "TEST", "grade": "OWN"}
    found = FilingRule.from_data(data)
    moved, plain = deadline(found, service_on, weekday), last_day(found, service_on)
    assert plain <= moved <= plain + datetime.timedelta(days=2)
    assert weekday(moved)
    # A bill of a later day never has an earlier last day.
    assert deadline(found, service_on + datetime.timedelta(days=1), weekday) >= moved
