"""Until when a bill that was paid in cash may be filed (manual reimbursement)."""

import datetime
from dataclasses import dataclass

from accounts.domain.reading import Path, Reader


@dataclass(frozen=True, kw_only=True)
class FilingRule:
    """Either to a day of the calendar year after the year of care, or within so many months of the day of care."""

    next_year_month: int | None
    next_year_day: int | None
    within_months: int | None
    source: str
    grade: str
    note: str = ""

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "FilingRule":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        raise NotImplementedError

    @classmethod
    def read(cls, reader: Reader) -> "FilingRule":
        """The same out of a table that holds more."""
        raise NotImplementedError


def last_day(rule: FilingRule, service_on: datetime.date) -> datetime.date:
    """The last day on which a bill may be filed; a day off does not move it (that is for the working calendar)."""
    raise NotImplementedError
