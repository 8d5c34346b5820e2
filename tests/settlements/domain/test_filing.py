import datetime

import pytest

from accounts.domain.reading import BadData
from settlements.domain.filing import FilingRule, last_day

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
