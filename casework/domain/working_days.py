"""Working days: Monday to Friday, but for the exceptions of an official calendar (holidays and worked weekends)."""

import datetime
from collections.abc import Mapping

DAY = datetime.timedelta(days=1)
SATURDAY = 5

# day -> whether it is worked, only for days that differ from their weekday
Exceptions = Mapping[datetime.date, bool]


def is_working(day: datetime.date, exceptions: Exceptions) -> bool:
    """Whether the offices work on a day."""
    return exceptions.get(day, day.weekday() < SATURDAY)


def add(start: datetime.date, days: int, exceptions: Exceptions) -> datetime.date:
    """The last day of a period of so many working days; its first day is not counted (Civil Code, article 201)."""
    end = start
    while days > 0:
        end += DAY
        days -= is_working(end, exceptions)
    return end


def between(start: datetime.date, end: datetime.date, exceptions: Exceptions) -> int:
    """Working days after `start` up to and with `end`; negative where `end` is before `start`."""
    if end < start:
        return -between(end, start, exceptions)
    return sum(is_working(start + n * DAY, exceptions) for n in range(1, (end - start).days + 1))
