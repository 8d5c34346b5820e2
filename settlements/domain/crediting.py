"""What is credited to a personal account for a month or a year, and what goes back on leaving."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from accounts.domain.benefit_year import Rules, months_left, start_of, year_of
from accounts.domain.months import first_of
from accounts.domain.reading import Path, Reader, read_amount, read_percent
from accounts.money import ZERO, fen
from settlements.domain.parameters import Circumstances, NotKnown, Parameter, Person
from settlements.domain.scheme import OWN_BUCKETS

PERIODS = ("month", "year")
MONTHS = ("this_month", "next_month")
ARREARS = (*OWN_BUCKETS, "none")


@dataclass(frozen=True, kw_only=True)
class CreditRule:
    """One version of a region's crediting.

    `every`: month or year, the usual run. `active` is the percentage of the monthly base; `retired` the fixed amount a
    month or a year by `retired_per` (None: no source tells it, and crediting somebody retired raises NotKnown).
    `joining` / `leaving`: the first month credited after joining, or taken back after leaving: this_month or
    next_month. `bucket`: current or historical.
    """

    every: str
    bucket: str
    active: Parameter
    retired: Parameter | None
    retired_per: str
    joining: str
    leaving: str
    arrears: str
    day: int
    source: str
    grade: str

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "CreditRule":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        with Reader(data, path) as reader:
            source, grade = reader.provenance()
            known = reader.flag("retired_known", True)
            return cls(
                every=reader.choice("every", PERIODS),
                bucket=reader.choice("bucket", OWN_BUCKETS),
                active=Parameter.read(reader, "active_percent", read_percent),
                retired=Parameter.read(reader, "retired_amount", read_amount) if known else None,
                retired_per=reader.choice("retired_per", PERIODS) if known else "month",
                joining=reader.choice("joining", MONTHS),
                leaving=reader.choice("leaving", MONTHS),
                arrears=reader.choice("arrears", ARREARS, "historical"),
                day=reader.whole_or_none("day", 1, 28) or 1,
                source=source,
                grade=grade,
            )

    def knows(self, status: str) -> bool:
        """Whether it tells what somebody of a status (active, retired) gets."""
        return status == "active" or self.retired is not None

    def check(self, levels: Collection[str], path: Path = ()) -> None:
        """That everybody has a value. Raises BadData."""
        self.active.check((*path, "active_percent"), levels)
        if self.retired is not None:
            self.retired.check((*path, "retired_amount"), levels)


def month_credit(rule: CreditRule, person: Person, base: Decimal, on: datetime.date) -> Decimal:
    """One month's credit in yuan, rounded once; age on the day.

    Active: percent of the monthly base. Retired: the fixed amount, a yearly one divided by twelve.
    """
    amount = _amount(rule, person, on)
    if person.status == "active":
        return fen(Fraction(base) * Fraction(amount) / 100)
    return amount if rule.retired_per == "month" else fen(Fraction(amount) / 12)


def year_credit(rule: CreditRule, person: Person, base: Decimal, on: datetime.date, years: Rules) -> Decimal:
    """The credit of the benefit year of `on`, in yuan: whole on its first day; later (joining) for the months left."""
    year = year_of(years, on)
    if on > start_of(years, year):
        return month_credit(rule, person, base, on) * _months(rule.joining, years, on)
    if person.status == "retired" and rule.retired_per == "year":
        return _amount(rule, person, on)
    return month_credit(rule, person, base, on) * 12


def months_covered(rule: CreditRule, credited_on: datetime.date, years: Rules) -> int:
    """How many months the year's credit of a day was for: twelve on the year's first day, those left on a later one."""
    year = year_of(years, credited_on)
    return _months(rule.joining, years, credited_on) if credited_on > start_of(years, year) else 12


def clawback(
    rule: CreditRule, credited: Decimal, credited_on: datetime.date, left_on: datetime.date, years: Rules
) -> Decimal:
    """What goes back, in yuan, of a year's credit when somebody leaves on a day: the months not spent.

    `credited` was credited on `credited_on` for the rest of that day's benefit year. A month of it is rounded once. Who
    left before the year began gives all of it back. The caller takes no more than is there; the rest is a debt.
    """
    year, covered = year_of(years, credited_on), months_covered(rule, credited_on, years)
    if left_on >= start_of(years, year + 1):
        return ZERO
    spent = 0 if left_on < start_of(years, year) else max(covered - _months(rule.leaving, years, left_on), 0)
    return credited if not spent else fen(Fraction(credited) / covered) * (covered - spent)


@dataclass(frozen=True)
class MonthDue:
    """A month of a benefit year that counts: its first day, who he was then, the base of its contribution in yuan."""

    first: datetime.date
    person: Person
    base: Decimal


def due_of_year(rule: CreditRule, months: Sequence[MonthDue], years: Rules) -> Decimal:
    """What the credit of a closed benefit year should have come to, in yuan, month by month by its base.

    The age is that of the year's first day where the year is credited ahead, else that of the month. The yearly sum of
    somebody retired is not taken apart where all twelve months count.
    """
    if not months:
        return ZERO
    first = start_of(years, year_of(years, months[0].first))
    if len(months) == 12 and rule.retired_per == "year" and all(month.person.status == "retired" for month in months):
        return _amount(rule, months[0].person, first)
    credited = [
        month_credit(rule, month.person, month.base, first if rule.every == "year" else month.first) for month in months
    ]
    return sum(credited, ZERO)


def standing_months(
    rule: CreditRule, credited_on: datetime.date, left_on: datetime.date | None, years: Rules
) -> tuple[datetime.date, int]:
    """The first month that a year's credit was for, and how many months of it stayed after a leaving."""
    year, covered = year_of(years, credited_on), months_covered(rule, credited_on, years)
    end = start_of(years, year + 1)
    gone = 0
    if left_on is not None and left_on < end:
        gone = covered if left_on < start_of(years, year) else min(_months(rule.leaving, years, left_on), covered)
    return first_of(end, -covered), covered - gone


def _amount(rule: CreditRule, person: Person, on: datetime.date) -> Decimal:
    parameter, at = rule.active if person.status == "active" else rule.retired, Circumstances(person=person, on=on)
    if parameter is None:
        raise NotKnown(at)
    return parameter.at(at)


def _months(first: str, years: Rules, on: datetime.date) -> int:
    """The months of the benefit year from the month of `on`, or from the one after it."""
    months = months_left(years, year_of(years, on), on)
    return months if first == "this_month" else months - 1
