import datetime

import pytest

from accounts.domain.months import first_of, last_of, same_day

day = datetime.date.fromisoformat


@pytest.mark.parametrize(
    ("on", "later", "first", "last", "same"),
    [
        ("2025-01-31", 0, "2025-01-01", "2025-01-31", "2025-01-31"),
        ("2025-01-31", 1, "2025-02-01", "2025-02-28", "2025-02-28"),
        ("2024-01-31", 1, "2024-02-01", "2024-02-29", "2024-02-29"),
        ("2025-11-30", 1, "2025-12-01", "2025-12-31", "2025-12-30"),
        ("2025-12-15", 1, "2026-01-01", "2026-01-31", "2026-01-15"),
        ("2025-12-31", 12, "2026-12-01", "2026-12-31", "2026-12-31"),
        ("2024-02-29", 12, "2025-02-01", "2025-02-28", "2025-02-28"),
        ("2026-01-10", -1, "2025-12-01", "2025-12-31", "2025-12-10"),
        ("2026-03-31", -13, "2025-02-01", "2025-02-28", "2025-02-28"),
    ],
)
def test_months_later_and_before(on: str, later: int, first: str, last: str, same: str) -> None:
    assert first_of(day(on), later) == day(first)
    assert last_of(day(on), later) == day(last)
    assert same_day(day(on), later) == day(same)
