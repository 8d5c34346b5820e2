"""The one place that reads the clock; everything else is handed the moment."""

import datetime

from django.utils import timezone


def now() -> datetime.datetime:
    """The present moment, aware."""
    return timezone.now()


def today() -> datetime.date:
    """The present day in Asia/Shanghai."""
    return timezone.localdate()
