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
    """This month, the last three and twelve months, this benefit year, the last one; the years only where there are any."""
    month = on.replace(day=1)
    three = (month - DAY).replace(day=1)
    three = (three - DAY).replace(day=1)
    found = [
        Preset("month", _("This month"), month, on),
        Preset("quarter", _("Last three months"), three, on),
        Preset("twelve", _("Last twelve months"), _a_year_before(on), on),
    ]
    year = year_on(region_code, on)
    if year:
        found.append(Preset("year", _("This benefit year"), year.starts_on, on))
        last = year_on(region_code, year.starts_on - DAY)
        if last:
            found.append(Preset("last-year", _("Last benefit year"), last.starts_on, last.ends_on))
    return found


def _a_year_before(on: datetime.date) -> datetime.date:
    """The same day of last year; of 29 February the day before."""
    try:
        return on.replace(year=on.year - 1)
    except ValueError:
        return on.replace(year=on.year - 1, day=28)
