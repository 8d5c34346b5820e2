"""The one place that reads the clock; everything else is handed the moment."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

_standing: ContextVar[datetime.datetime | None] = ContextVar("standing", default=None)


def now() -> datetime.datetime:
    """The present moment, aware."""
    return _standing.get() or timezone.now()


def today() -> datetime.date:
    """The present day in Asia/Shanghai."""
    return timezone.localdate(now())


def local(at: datetime.datetime) -> datetime.datetime:
    """An aware moment in the country's time zone; `timezone.localtime` asks each time which one is active, at ten times
    the cost."""
    return at.astimezone(timezone.get_default_timezone())


@contextmanager
def standing(at: datetime.datetime) -> Iterator[None]:
    """The clock stands at a moment: for cases that are played on another day (`run_cases`), and for tests."""
    token = _standing.set(at)
    try:
        yield
    finally:
        _standing.reset(token)
