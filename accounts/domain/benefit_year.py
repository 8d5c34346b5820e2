"""The benefit year of a region: by dated rule, named after the calendar year in which it begins.

A rule is (first_year, month, day): from that benefit year on, years begin on this day. A change of the day makes
one year longer or shorter than twelve months.
"""

import datetime
from collections.abc import Sequence
from typing import NamedTuple


class YearRule(NamedTuple):
    """From the benefit year `first_year` on, a year begins on this day of its calendar year."""

    first_year: int
    month: int
    day: int


Rules = Sequence[tuple[int, int, int]]


def start_of(rules: Rules, year: int) -> datetime.date:
    """The first day of a benefit year. ValueError for a year before the first rule."""
    known = [rule for rule in rules if rule[0] <= year]
    if not known:
        raise ValueError(f"no rule for the benefit year {year}")
    _, month, day = max(known)
    return datetime.date(year, month, day)


def end_of(rules: Rules, year: int) -> datetime.date:
    """The last day of a benefit year, which is the day before the next one begins."""
    return start_of(rules, year + 1) - datetime.timedelta(days=1)


def year_of(rules: Rules, on: datetime.date) -> int:
    """The benefit year to which a day belongs: the largest year that has begun by then.

    ValueError for a day before the first year that the rules know.
    """
    # A year begins within its calendar year, so it is this one or the one before.
    return on.year if start_of(rules, on.year) <= on else _known(rules, on.year - 1)


def _known(rules: Rules, year: int) -> int:
    start_of(rules, year)
    return year


def months_left(rules: Rules, year: int, on: datetime.date) -> int:
    """Calendar months from the month of `on` to the month in which the benefit year ends, both counted.

    Never more than twelve.
    """
    end = end_of(rules, year)
    return min(12, (end.year - on.year) * 12 + end.month - on.month + 1)
