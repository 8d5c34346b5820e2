"""Premiums (代缴): what a region asks of whom for a year, until when it may be paid, and out of which bucket."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.domain.age import age_on
from accounts.domain.months import last_of
from accounts.domain.reading import BadData, Path, Reader
from accounts.money import ZERO

AT_ONCE, MONTH_END = "at_once", "month_end"
COLLECTIONS = (AT_ONCE, MONTH_END)
BUCKETS = ("historical", "current")
# Where no window is known: from September on people pay for the next year (domain.md 1.6: the usual window).
COLLECTED_FROM_MONTH = 9
# When the bureau's debit is made on its day: in the evening, so that what was credited during the day counts.
DEBIT_AT = datetime.time(20)


@dataclass(frozen=True, kw_only=True)
class PremiumGroup:
    """What one group pays for the year, in yuan. `own_route`: not here, it is paid or settled by another office."""

    key: str
    names: Mapping[str, str]
    amount: Decimal
    age_from: int | None = None
    age_below: int | None = None
    own_route: bool = False

    def fits(self, age: int) -> bool:
        """Whether somebody of this age can belong to the group."""
        return (self.age_from is None or age >= self.age_from) and (self.age_below is None or age < self.age_below)


@dataclass(frozen=True, kw_only=True)
class PremiumPlan:
    """The premium of one insurance and year. Benefits run from `benefit_from`; until then it can be given back.

    `collection`: at_once, or month_end where the bureau debits on the last day of the month. `buckets`: what pays, in
    order. `closes_at`: the hour of the last day of the window after which nothing is taken; None is midnight.
    """

    benefit_from: datetime.date
    collection: str
    buckets: tuple[str, ...]
    groups: tuple[PremiumGroup, ...]
    closes_at: datetime.time | None
    source: str
    grade: str

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "PremiumPlan":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        with Reader(data, path) as reader:
            source, grade = reader.provenance()
            return cls(
                benefit_from=reader.date("benefit_from"),
                collection=reader.choice("collection", COLLECTIONS, AT_ONCE),
                buckets=reader.choices("buckets", BUCKETS) if reader.has("buckets") else ("historical",),
                groups=_groups(reader),
                closes_at=_hour(reader) if reader.has("closes_at") else None,
                source=source,
                grade=grade,
            )

    def groups_for(self, birth: datetime.date) -> tuple[PremiumGroup, ...]:
        """The groups somebody can belong to by the age at which the benefits begin, groups of another route too."""
        age = age_on(birth, self.benefit_from)
        return tuple(group for group in self.groups if group.fits(age))


def _groups(reader: Reader) -> tuple[PremiumGroup, ...]:
    groups: list[PremiumGroup] = []
    for row in reader.tables("group"):
        with row:
            group = PremiumGroup(
                key=row.text("key"),
                names=row.languages("name"),
                amount=row.amount("amount"),
                age_from=row.whole_or_none("age_from", 0, 150),
                age_below=row.whole_or_none("age_below", 0, 150),
                own_route=row.flag("own_route", False),
            )
        if any(group.key == earlier.key for earlier in groups):
            raise BadData((*row.path, "key"), "repeated", value=group.key)
        groups.append(group)
    return tuple(groups)


def _hour(reader: Reader) -> datetime.time:
    """closes_at = "17:30"."""
    try:
        return datetime.time.fromisoformat(reader.text("closes_at"))
    except ValueError:
        raise BadData((*reader.path, "closes_at"), "bad_hour") from None


def usual_year(on: datetime.date) -> int:
    """The year that is paid for on a day where no window of the region says so: from September on the next one."""
    return on.year + 1 if on.month >= COLLECTED_FROM_MONTH else on.year


def take(
    buckets: Sequence[str], held: Mapping[str, Decimal], amount: Decimal, keep: Decimal = ZERO
) -> dict[str, Decimal] | None:
    """Bucket -> yuan that pay the whole premium, in the order of `buckets`; None if together they do not cover it.

    All or nothing (domain.md 5, number 31). `keep` yuan of historical stay (the region's threshold of sharing).
    """
    taken: dict[str, Decimal] = {}
    due = amount
    for bucket in buckets:
        there = max(held[bucket] - (keep if bucket == "historical" else ZERO), ZERO)
        taken[bucket] = min(there, due)
        due -= taken[bucket]
    return None if due else taken


def may_refund(benefit_from: datetime.date, on: datetime.date) -> bool:
    """Only before the benefits begin (domain.md 2.11, Sichuan)."""
    return on < benefit_from


def debited_on(at: datetime.datetime) -> datetime.date:
    """The day on which an order that is given at a moment of local time is debited: the last of its month (BJ9). Who
    comes after that day's debit is debited the next evening, which the source does not say: the month after could be
    too late for the window."""
    last = last_of(at.date())
    return last if (at.date(), at.time()) < (last, DEBIT_AT) else last + datetime.timedelta(days=1)
