import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.age import age_on, birthday_in

DATES = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 31))


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        ("2010-05-10", "2026-05-09", 15),
        ("2010-05-10", "2026-05-10", 16),
        ("2008-02-29", "2024-02-28", 15),
        ("2008-02-29", "2024-02-29", 16),
        ("2008-02-29", "2025-02-27", 16),
        ("2008-02-29", "2025-02-28", 17),
        ("2010-02-28", "2026-02-28", 16),
        ("2010-05-10", "2010-05-09", -1),
    ],
)
def test_the_birthday_counts_already(birth: str, on: str, age: int) -> None:
    assert age_on(datetime.date.fromisoformat(birth), datetime.date.fromisoformat(on)) == age


@given(DATES, DATES)
def test_age_rises_on_the_birthday_and_on_no_other_day(birth: datetime.date, on: datetime.date) -> None:
    rose = age_on(birth, on) - age_on(birth, on - datetime.timedelta(days=1))
    assert rose == (1 if on == birthday_in(birth, on.year) else 0)
