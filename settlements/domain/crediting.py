"""What is credited to a personal account for a month or a year, and what goes back on leaving."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from accounts.domain.benefit_year import Rules
from accounts.domain.reading import Path, Reader
from settlements.domain.parameters import Parameter, Person


@dataclass(frozen=True, kw_only=True)
class CreditRule:
    """One version of a region's crediting.

    `every`: month or year, the usual run. `active` is the percentage of the monthly base; `retired` the fixed amount a
    month or a year by `retired_per`. `joining` / `leaving`: the first month credited after joining, or taken back after
    leaving: this_month or next_month. `bucket`: current or historical.
    """

    every: str
    bucket: str
    active: Parameter
    retired: Parameter
    retired_per: str
    joining: str
    leaving: str
    source: str
    grade: str
    note: str = ""

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "CreditRule":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        raise NotImplementedError

    @classmethod
    def read(cls, reader: Reader) -> "CreditRule":
        """The same out of a table that holds more."""
        raise NotImplementedError


def month_credit(rule: CreditRule, person: Person, base: Decimal, on: datetime.date) -> Decimal:
    """One month's credit in yuan; age on the day. Active: percent of the monthly base, rounded once."""
    raise NotImplementedError


def year_credit(rule: CreditRule, person: Person, base: Decimal, on: datetime.date, years: Rules) -> Decimal:
    """The credit of the benefit year of `on`: whole on its first day; on a later day (joining) for the months left."""
    raise NotImplementedError


def clawback(rule: CreditRule, person: Person, base: Decimal, on: datetime.date, years: Rules) -> Decimal:
    """What goes back when somebody leaves on a day: the months not spent, of a rule that credits the whole year.

    The caller takes no more than is there; the rest is a debt.
    """
    raise NotImplementedError
