"""Age in full years (周岁)."""

import datetime


def birthday_in(birth: datetime.date, year: int) -> datetime.date:
    """The birthday in a calendar year; whoever was born on 29 February has it on 28 February of a common year.

    Civil Code, article 202: where the month has no such day, its last day is meant.
    """
    try:
        return birth.replace(year=year)
    except ValueError:
        return birth.replace(year=year, day=28)


def age_on(birth: datetime.date, on: datetime.date) -> int:
    """Full years of age on a day; the birthday itself counts already. Negative before birth."""
    years = on.year - birth.year
    return years if on >= birthday_in(birth, on.year) else years - 1
