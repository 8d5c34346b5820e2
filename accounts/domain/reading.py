"""Reading nested data (TOML, JSON) into dataclasses, so that a mistake is told with the place where it stands."""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from accounts.money import ZERO, BadAmount, parse_amount

Path: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")

HUNDRED = Decimal(100)
LANGUAGES = ("zh", "en")
# How good a source is: official, repost, consumer page; general knowledge; inferred from a sourced rule.
GRADES = ("A", "B", "C", "OWN", "DERIVED")

MESSAGES = {
    "missing": "is missing",
    "unknown_key": "is not a key that is known here",
    "wrong_type": "should be {expected}",
    "bad_amount": 'should be an amount in quotation marks with at most two decimals, such as "500.00"',
    "bad_percent": 'should be a percentage in quotation marks from "0" to "100" with at most two decimals',
    "bad_date": "should be a date such as 2025-07-01",
    "not_one_of": "should be one of: {allowed}",
    "empty": "should not be empty",
    "repeated": "holds {value} twice",
    "out_of_range": "should be a whole number from {least} to {most}",
    "no_value": "has no row that fits: {circumstances}",
    "too_much": "comes to {value}, more than {most}, for: {circumstances}",
    "unknown_counter": "names the counter {counter}, which does not stand under [counters] of this file",
    "not_adjustable": "should be false where the order is {order}: only the filed order can be changed",
    "band_order": "is out of order: bands rise, and only the last has no up_to",
    "one_deadline": "stands for exactly one of next_year and within_months",
    "bad_month_and_day": 'should be a month and a day such as "01-20"',
    "one_version": "is a second version: one text holds one",
    "overlap": "falls into the time of another version for the same purpose",
    "ends_first": "should be later than valid_from (it is the first day on which the version no longer holds)",
    "years_order": "should be later than the one before",
    "bad_hour": 'should be an hour of the day such as "17:30"',
    "bad_code": "should be six digits (GB/T 2260)",
    "bad_counter_name": "should be a name of at most 24 small letters and underscores",
    "stage_order": "is out of order: accounts and deductibles, then one rate, then one supplement if there is a cap",
}


class BadData(ValueError):
    """Data that breaks its format: `path` (keys and positions), `code` and `params` of the reason.

    `others`: what else is wrong, where mistakes are collected.
    """

    def __init__(self, path: Path, code: str, **params: object) -> None:
        self.path, self.code, self.params = path, code, params
        self.others: tuple[BadData, ...] = ()
        super().__init__(f"{self.key} {self.reason}")

    @property
    def key(self) -> str:
        """The place as people count: scheme[2].stage[1].amount is the second scheme's first stage."""
        return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")

    @property
    def reason(self) -> str:
        """The reason in English."""
        told = {name: ", ".join(value) if isinstance(value, list) else value for name, value in self.params.items()}
        return MESSAGES.get(self.code, self.code).format(**told)


def raise_all(mistakes: Sequence[BadData]) -> None:
    """Raise the first with the others; nothing where there is none."""
    if mistakes:
        mistakes[0].others = tuple(mistakes[1:])
        raise mistakes[0]


class Reader:
    """One table of the data. Each key is asked for by name; leaving the `with` block refuses those not asked for.

    Every method raises BadData. A `default` of None means that the key may be left out.

    With `collect`, wrong values of this table and those below are kept, and something stands in for each; leaving the
    block raises the first with all the others, so that nothing read with a stand-in gets out. A value on which depends
    what else belongs into the table is asked for with `deciding`: a wrong one ends the reading of its table.
    """

    def __init__(self, data: object, path: Path = (), *, collect: bool = False) -> None:
        if not isinstance(data, dict):
            raise BadData(path, "wrong_type", expected="a table")
        self._data: dict[str, Any] = data
        self._asked: set[str] = set()
        self._collects = collect
        self._mistakes: list[BadData] | None = [] if collect else None
        self.path = path

    def _below(self, data: object, path: Path) -> "Reader":
        reader = Reader(data, path)
        reader._mistakes = self._mistakes
        return reader

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None:
            for key in self.rest():
                self._wrong(BadData((*self.path, key), "unknown_key"))
        if not self._collects or self._mistakes is None:
            return
        if error is None:
            raise_all(self._mistakes)
        elif isinstance(error, BadData):
            raise_all([*self._mistakes, error])

    def _wrong(self, mistake: BadData) -> None:
        if self._mistakes is None:
            raise mistake
        self._mistakes.append(mistake)

    def kept(self, read: Callable[[], T], instead: T) -> T:
        """What `read` gives; where mistakes are collected, `instead` for a wrong value."""
        try:
            return read()
        except BadData as mistake:
            self._wrong(mistake)
            return instead

    def has(self, key: str) -> bool:
        """Whether the key is there at all."""
        self._asked.add(key)
        return key in self._data

    def names(self) -> tuple[str, ...]:
        """The keys that are there, of a table whose keys are names."""
        return tuple(self._data)

    def rest(self) -> dict[str, Any]:
        """What has not been asked for yet, for another reader to check."""
        return {key: value for key, value in self._data.items() if key not in self._asked}

    def provenance(self) -> tuple[str, str]:
        """source and grade, which every part of the rules says of itself, with a note for people where there is one."""
        found = self.text("source"), self.choice("grade", GRADES)
        self.note()
        return found

    def note(self) -> None:
        """What `accounts.rule_text.note` shows, a text or one a language; no rule looks at it."""
        if isinstance(self._data.get("note"), Mapping):
            self.languages("note")
        else:
            self.text("note", "")

    def languages(self, key: str) -> dict[str, str]:
        """What people read, in both languages."""
        with self.table(key) as texts:
            return {language: texts.text(language) for language in LANGUAGES}

    def get(self, key: str) -> Any:
        """The value as it stands; the key must be there."""
        if not self.has(key):
            raise BadData((*self.path, key), "missing")
        return self._data[key]

    def _typed(self, key: str, kind: type, expected: str) -> Any:
        value = self.get(key)
        # True is an int to Python, and a flag written as a number is a mistake all the same.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadData((*self.path, key), "wrong_type", expected=expected)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        return self.kept(lambda: self._text(key, default), "")

    def _text(self, key: str, default: str | None = None) -> str:
        if default is not None and not self.has(key):
            return default
        value: str = self._typed(key, str, "a text in quotation marks")
        if not value.strip() and default != "":
            raise BadData((*self.path, key), "empty")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false."""
        if default is not None and not self.has(key):
            return default
        return self.kept(lambda: bool(self._typed(key, bool, "true or false")), False)

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        return self.kept(lambda: self._whole(key, least, most), least)

    def _whole(self, key: str, least: int, most: int) -> int:
        value: int = self._typed(key, int, "a whole number")
        if not least <= value <= most:
            raise BadData((*self.path, key), "out_of_range", least=least, most=most)
        return value

    def whole_or_none(self, key: str, least: int, most: int) -> int | None:
        """A whole number within bounds, or None where the key is left out."""
        return self.whole(key, least, most) if self.has(key) else None

    def date(self, key: str) -> datetime.date:
        """A day: a TOML date, or the same as a text in JSON."""
        return self.kept(lambda: read_date(self.get(key), (*self.path, key)), datetime.date.min)

    def date_or_none(self, key: str) -> datetime.date | None:
        """A day, or None where the key is left out."""
        return self.date(key) if self.has(key) else None

    def amount(self, key: str, default: Decimal | None = None) -> Decimal:
        """Yuan as a text; never a TOML number, which would be a float."""
        if default is not None and not self.has(key):
            return default
        return self.kept(lambda: read_amount(self.get(key), (*self.path, key)), ZERO)

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of the allowed texts."""
        return self.kept(lambda: self.deciding(key, allowed, default), "")

    def deciding(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of the allowed texts, on which depends what else belongs here: a wrong one is raised at once."""
        return check_choice(self._text(key, default), allowed, (*self.path, key))

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """A list of allowed texts, each once, at least one."""
        return self.kept(lambda: self._choices(key, allowed), ())

    def _choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        values: list[object] = self._typed(key, list, "a list")
        if not values:
            raise BadData((*self.path, key), "empty")
        for at, value in enumerate(values):
            check_choice(value, allowed, (*self.path, key, at))
            if value in values[:at]:
                raise BadData((*self.path, key, at), "repeated", value=value)
        return tuple(str(value) for value in values)

    def table(self, key: str) -> "Reader":
        """A table below this one."""
        return self._below(self.get(key), (*self.path, key))

    def tables(self, key: str, *, optional: bool = False) -> list["Reader"]:
        """A list of tables below this one; empty only if `optional`."""
        if optional and not self.has(key):
            return []
        rows: list[object] = self._typed(key, list, "a list of tables")
        if not rows and not optional:
            raise BadData((*self.path, key), "empty")
        return [self._below(row, (*self.path, key, at)) for at, row in enumerate(rows)]

    def parts(self, key: str, read: Callable[["Reader"], T], *, optional: bool = False) -> tuple[T, ...]:
        """What `read` makes of each table of a list; empty only if `optional`. A wrong one is left out if collecting."""
        none: list[Reader] = []
        found: list[T] = []
        for row in self.kept(partial(self.tables, key, optional=optional), none):
            try:
                found.append(read(row))
            except BadData as mistake:
                self._wrong(mistake)
        return tuple(found)


def check_choice(value: object, allowed: Collection[str], path: Path) -> str:
    """The text if it is one of those allowed. Raises BadData."""
    if not isinstance(value, str) or value not in allowed:
        raise BadData(path, "not_one_of", allowed=sorted(allowed))
    return value


def read_date(value: object, path: Path) -> datetime.date:
    """A day from a TOML date or an ISO text. Raises BadData."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise BadData(path, "bad_date") from None


def read_amount(value: object, path: Path) -> Decimal:
    """Yuan from a text, to the fen. Raises BadData."""
    if not isinstance(value, str):
        raise BadData(path, "bad_amount")
    try:
        return parse_amount(value)
    except BadAmount:
        raise BadData(path, "bad_amount") from None


def read_percent(value: object, path: Path) -> Decimal:
    """A percentage from 0 to 100 from a text. Raises BadData."""
    try:
        percent = parse_amount(value if isinstance(value, str) else "")
    except BadAmount:
        raise BadData(path, "bad_percent") from None
    if percent > HUNDRED:
        raise BadData(path, "bad_percent")
    return percent
