"""A parameter of a scheme: one value, or rows of which the first that fits decides, and additions that all count."""

import datetime
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from accounts.domain.age import age_on
from accounts.domain.reading import BadData, Path, Reader, check_choice

STATUSES = ("active", "retired")
LEVELS = ("primary", "secondary", "tertiary", "top")
ReadValue: TypeAlias = Callable[[object, Path], Decimal]


@dataclass(frozen=True, kw_only=True)
class Person:
    """What the rules ask about an insured person. `enrolment`: normal, suspended or frozen."""

    birth: datetime.date
    status: str = "active"
    retired_on: datetime.date | None = None
    enrolment: str = "normal"


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """A person on a day, at an institution of a level (with his signed family doctor or not)."""

    person: Person
    on: datetime.date
    level: str = "primary"
    signed: bool = False

    @property
    def age(self) -> int:
        """Age in full years on the day."""
        return age_on(self.person.birth, self.on)


class NoValue(LookupError):
    """No row of a parameter fits the circumstances: the region file has a hole."""

    why = "no_rate"


class NotKnown(NoValue):
    """The region file says itself that no source tells this value."""

    why = "not_known"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """When a row holds: everything that is given must be so."""

    status: frozenset[str] | None = None
    level: frozenset[str] | None = None
    retired_by: datetime.date | None = None
    age_from: int | None = None
    age_below: int | None = None
    signed: bool | None = None

    @classmethod
    def read(cls, reader: Reader) -> "Condition":
        """From the table `when`."""
        with reader:
            return cls(
                status=_one_or_more(reader, "status", STATUSES),
                level=_one_or_more(reader, "level", LEVELS),
                retired_by=reader.date_or_none("retired_by"),
                age_from=reader.whole_or_none("age_from", 0, 150),
                age_below=reader.whole_or_none("age_below", 0, 150),
                signed=reader.flag("signed") if reader.has("signed") else None,
            )

    def holds(self, at: Circumstances) -> bool:
        """Whether the row counts. Somebody retired on an unknown day has not retired by any given day."""
        retired_on = at.person.retired_on
        return (
            (self.status is None or at.person.status in self.status)
            and (self.level is None or at.level in self.level)
            and (self.retired_by is None or (retired_on is not None and retired_on <= self.retired_by))
            and (self.age_from is None or at.age >= self.age_from)
            and (self.age_below is None or at.age < self.age_below)
            and (self.signed is None or at.signed is self.signed)
        )


@dataclass(frozen=True)
class Row:
    """A value and when it holds."""

    when: Condition
    value: Decimal


@dataclass(frozen=True)
class Parameter:
    """An amount in yuan or a percentage that may depend on the circumstances."""

    rows: tuple[Row, ...]
    additions: tuple[Row, ...] = ()

    @classmethod
    def read(cls, reader: Reader, key: str, read_value: ReadValue) -> "Parameter":
        """From `key = "70"` or `key = [{when = {…}, value = "70"}, {when = {…}, add = "5"}]`. Raises BadData."""
        return reader.kept(lambda: cls._read(reader, key, read_value), cls(()))

    @classmethod
    def _read(cls, reader: Reader, key: str, read_value: ReadValue) -> "Parameter":
        raw, path = reader.get(key), (*reader.path, key)
        if not isinstance(raw, list):
            return cls((Row(Condition(), read_value(raw, path)),))

        def one(row: Reader) -> tuple[bool, Row]:
            with row:
                kind = "add" if row.has("add") else "value"
                when = Condition.read(row.table("when")) if row.has("when") else Condition()
                return kind == "add", Row(when, read_value(row.get(kind), (*row.path, kind)))

        read = reader.parts(key, one)
        return cls(tuple(row for add, row in read if not add), tuple(row for add, row in read if add))

    def at(self, circumstances: Circumstances) -> Decimal:
        """The value in these circumstances: the first row that holds, plus every addition that holds.

        Raises NoValue.
        """
        for row in self.rows:
            if row.when.holds(circumstances):
                return row.value + sum(more.value for more in self.additions if more.when.holds(circumstances))
        raise NoValue(circumstances)

    def check(self, path: Path, levels: Collection[str], most: Decimal | None = None) -> None:
        """That it has a value everywhere, and none above `most`. Raises BadData with the code no_value or too_much."""
        for circumstances in self._every_circumstance(levels):
            shown = _describe(circumstances)
            try:
                value = self.at(circumstances)
            except NoValue:
                raise BadData(path, "no_value", circumstances=shown) from None
            if most is not None and value > most:
                raise BadData(path, "too_much", value=value, most=most, circumstances=shown)

    def _every_circumstance(self, levels: Collection[str]) -> Iterator[Circumstances]:
        """One of each kind of circumstance that the rows tell apart."""
        conditions = [row.when for row in (*self.rows, *self.additions)]
        on = datetime.date(2025, 7, 1)
        for status, level, signed in itertools.product(STATUSES, levels, (False, True)):
            for age, retired_on in itertools.product(_ages(conditions), _retirement_days(conditions)):
                person = Person(birth=on.replace(year=on.year - age), status=status, retired_on=retired_on)
                yield Circumstances(person=person, on=on, level=level, signed=signed)


def _one_or_more(reader: Reader, key: str, allowed: Collection[str]) -> frozenset[str] | None:
    if not reader.has(key):
        return None
    if isinstance(reader.get(key), list):
        return frozenset(reader.choices(key, allowed))
    return frozenset({check_choice(reader.get(key), allowed, (*reader.path, key))})


def _ages(conditions: Iterable[Condition]) -> list[int]:
    bounds = {bound for when in conditions for bound in (when.age_from, when.age_below) if bound is not None}
    return sorted({40} | bounds | {bound - 1 for bound in bounds if bound})


def _retirement_days(conditions: Iterable[Condition]) -> list[datetime.date | None]:
    bounds = sorted({when.retired_by for when in conditions if when.retired_by is not None})
    return [None, *(day for bound in bounds for day in (bound, bound + datetime.timedelta(days=1)))]


def _describe(at: Circumstances) -> str:
    retired_on = f", retired on {at.person.retired_on}" if at.person.retired_on else ""
    return f"{at.person.status}{retired_on}, age {at.age}, level {at.level}, signed {str(at.signed).lower()}"
