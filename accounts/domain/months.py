"""Months of the calendar: of a day, and so many later."""

import calendar
import datetime


def first_of(day: datetime.date, later: int = 0) -> datetime.date:
    """The first day of the month of a day, or of the one so many months later; below zero before it."""
    year, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return datetime.date(year, month + 1, 1)


def last_of(day: datetime.date, later: int = 0) -> datetime.date:
    """The last day of the month of a day, or of the one so many months later."""
    first = first_of(day, later)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def same_day(day: datetime.date, later: int) -> datetime.date:
    """The same day of the month so many months later, or its last day where it has no such day (Civil Code, article 202)."""
    last = last_of(day, later)
    return last.replace(day=min(day.day, last.day))
