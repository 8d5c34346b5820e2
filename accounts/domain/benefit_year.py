"""The benefit year of a region: by dated rule, named after the calendar year in which it begins.

A rule is (first_year, month, day): from that benefit year on, years begin on this day. Where the day changes,
one year is longer or shorter than twelve months.
"""

import datetime
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

DAY = datetime.timedelta(days=1)


class YearRule(NamedTuple):
    """From the benefit year `first_year` on, a year begins on this day of its calendar year."""

    first_year: int
    month: int
    day: int


Rules: TypeAlias = Sequence[tuple[int, int, int]]


def start_of(rules: Rules, year: int) -> datetime.date:
    """The first day of a benefit year. ValueError for a year before the first rule."""
    known = [rule for rule in rules if rule[0] <= year]
    if not known:
        raise ValueError(f"no rule for the benefit year {year}")
    _, month, day = max(known)
    return datetime.date(year, month, day)


def end_of(rules: Rules, year: int) -> datetime.date:
    """The last day of a benefit year: the day before the next one begins."""
    return start_of(rules, year + 1) - DAY


def year_of(rules: Rules, on: datetime.date) -> int:
    """The benefit year of a day: the last one that has begun by then.

    ValueError for a day before the first year that the rules know.
    """
    # A year begins within its own calendar year, so it is this one or the one before.
    if start_of(rules, on.year) <= on:
        return on.year
    start_of(rules, on.year - 1)
    return on.year - 1


def months_left(rules: Rules, year: int, on: datetime.date) -> int:
    """Calendar months from the month of `on` to the last month of the benefit year, both counted."""
    end = end_of(rules, year)
    return (end.year - on.year) * 12 + end.month - on.month + 1
