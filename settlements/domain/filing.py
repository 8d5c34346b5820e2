"""Until when a bill that was paid in cash may be filed (manual reimbursement)."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from accounts.domain.months import same_day
from accounts.domain.reading import BadData, Path, Reader

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class FilingRule:
    """Either to a day of the calendar year after the year of care, or within so many months of the day of care.

    `days_off_move`: a deadline on a day off moves to the next working day. `accounts`: accounts pay what the fund leaves
    of such a bill, and the money is paid out; by default they do not, for the bill was paid in cash (docs/assessment.md).
    """

    source: str
    grade: str
    next_year: tuple[int, int] | None = None
    within_months: int | None = None
    days_off_move: bool = False
    accounts: bool = False

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "FilingRule":
        """From a version's data: next_year = "01-20" or within_months = 12; days_off_move and accounts are true or false.

        Raises BadData.
        """
        with Reader(data, path) as reader:
            if reader.has("next_year") == reader.has("within_months"):
                raise BadData((*path, "next_year"), "one_deadline")
            source, grade = reader.provenance()
            return cls(
                source=source,
                grade=grade,
                next_year=_month_and_day(reader) if reader.has("next_year") else None,
                within_months=reader.whole_or_none("within_months", 1, 120),
                days_off_move=reader.flag("days_off_move", False),
                accounts=reader.flag("accounts", False),
            )


def last_day(rule: FilingRule, service_on: datetime.date) -> datetime.date:
    """The last day on which a bill may be filed, before days off move it (`deadline`).

    Months end on the same day of the month, or on its last day where there is none (Civil Code, article 202).
    """
    if rule.next_year is not None:
        return datetime.date(service_on.year + 1, *rule.next_year)
    return same_day(service_on, rule.within_months or 0)


def deadline(rule: FilingRule, service_on: datetime.date, is_working: Callable[[datetime.date], bool]) -> datetime.date:
    """`last_day`, or the next working day after it where the rule lets days off move it (Beijing, BJ8)."""
    last = last_day(rule, service_on)
    while rule.days_off_move and not is_working(last):
        last += DAY
    return last


def _month_and_day(reader: Reader) -> tuple[int, int]:
    """From "01-20"; 29 February is no deadline that every year has."""
    try:
        day = datetime.date.fromisoformat(f"2025-{reader.text('next_year')}")
    except ValueError:
        raise BadData((*reader.path, "next_year"), "bad_month_and_day") from None
    return day.month, day.day
