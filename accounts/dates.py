"""Dates and times as the reader writes them; an aware moment is shown in the portal's time zone."""

import datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _

from accounts.language import is_chinese

Day = datetime.date | datetime.datetime
CHINESE = {
    "day": "Y年n月j日",
    "day_short": "n月j日",
    "month": "Y年n月",
    "moment": "Y年n月j日 H:i",
    "moment_short": "n月j日 H:i",
    "second": "Y年n月j日 H:i:s",
    "clock": "H:i",
}
ENGLISH = {
    "day": "j F Y",
    "day_short": "j F",
    "month": "F Y",
    "moment": "j F Y, H:i",
    "moment_short": "j F, H:i",
    "second": "j F Y, H:i:s",
    "clock": "H:i",
}


def tell(value: Day | None, style: str) -> str:
    """`value` in one of the styles above; an empty string for nothing."""
    if not value:
        return ""
    if isinstance(value, datetime.datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    formats = CHINESE if is_chinese() else ENGLISH
    return format_date(value, formats[style])


def day(value: Day | None) -> str:
    """2026年3月12日."""
    return tell(value, "day")


def day_short(value: Day | None) -> str:
    """3月12日."""
    return tell(value, "day_short")


def month(value: Day | None) -> str:
    """2026年3月."""
    return tell(value, "month")


def moment(value: datetime.datetime | None) -> str:
    """2026年3月12日 10:26."""
    return tell(value, "moment")


def second(value: datetime.datetime | None) -> str:
    """2026年3月12日 10:26:41, where somebody compares it with a log of his own."""
    return tell(value, "second")


def moment_short(value: datetime.datetime | None) -> str:
    """3月12日 10:26."""
    return tell(value, "moment_short")


def clock(value: datetime.datetime | datetime.time | None) -> str:
    """10:26."""
    return tell(value, "clock")  # type: ignore[arg-type]


def duration(seconds: int) -> str:
    """Seconds as people say them: 5 min 48 s, 2 h 5 min."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}
