"""Preset periods: the days people ask for most."""

import datetime
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from settlements.queries.year import year_on

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Preset:
    """A named period, both days counted."""

    code: str
    label: str | Promise
    start: datetime.date
    end: datetime.date


def presets(region_code: str, on: datetime.date) -> list[Preset]:
    """This month, the last three months, this benefit year, the last one; without a benefit year only the first two."""
    month = on.replace(day=1)
    three = (month - DAY).replace(day=1)
    three = (three - DAY).replace(day=1)
    found = [
        Preset("month", _("This month"), month, on),
        Preset("quarter", _("Last three months"), three, on),
    ]
    year = year_on(region_code, on)
    if year:
        found.append(Preset("year", _("This benefit year"), year.starts_on, on))
        last = year_on(region_code, year.starts_on - DAY)
        if last:
            found.append(Preset("last-year", _("Last benefit year"), last.starts_on, last.ends_on))
    return found
