"""A region's file (regions/*.toml): text in, checked plain data out, or problems that name file, line and key."""

import datetime
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from accounts.domain.benefit_year import YearRule
from accounts.domain.reading import BadData, Reader
from family.domain.rules import SharingRules
from settlements.domain.crediting import CreditRule
from settlements.domain.filing import FilingRule
from settlements.domain.parameters import LEVELS
from settlements.domain.premiums import PremiumPlan
from settlements.domain.scheme import INSURANCES, KINDS, Scheme
from settlements.domain.toml_errors import place_of
from settlements.domain.toml_lines import line_of
from settlements.domain.withdrawal import WithdrawalRule

_CODE = re.compile(r"[0-9]{6}")
# Short enough that a counter of a day and an institution still fits its column of sixty characters.
_COUNTER = re.compile(r"[a-z][a-z_]{0,23}")


@dataclass(frozen=True, kw_only=True)
class Version:
    """What every dated part of the file has: it holds from `valid_from` until before `valid_to` (None: open).

    `data` is the part as JSON: texts, numbers, lists and tables exactly as in the file, dates as ISO texts, without the
    keys that have fields here (valid_from, valid_to, and for schemes insurance and kind).
    """

    valid_from: datetime.date
    valid_to: datetime.date | None
    data: dict[str, Any]

    @property
    def slot(self) -> tuple[str, ...]:
        """No two versions of one slot hold on one day."""
        return ()


@dataclass(frozen=True, kw_only=True)
class SchemeVersion(Version):
    """`Scheme.from_data(data)` gives `scheme` again."""

    insurance: str
    kind: str
    scheme: Scheme

    @property
    def slot(self) -> tuple[str, ...]:
        """One scheme for an insurance and a kind of care."""
        return self.insurance, self.kind


@dataclass(frozen=True, kw_only=True)
class SharingVersion(Version):
    """`SharingRules.from_data(data)` gives `rules` again."""

    rules: SharingRules


@dataclass(frozen=True, kw_only=True)
class CreditVersion(Version):
    """`CreditRule.from_data(data)` gives `rule` again."""

    rule: CreditRule


@dataclass(frozen=True, kw_only=True)
class FilingVersion(Version):
    """`FilingRule.from_data(data)` gives `rule` again."""

    rule: FilingRule


@dataclass(frozen=True, kw_only=True)
class PremiumVersion(Version):
    """The days are those of the window; `PremiumPlan.from_data(data)` gives `plan` again."""

    insurance: str
    year: int
    plan: PremiumPlan

    @property
    def slot(self) -> tuple[str, ...]:
        """One window at a time for an insurance and a year."""
        return self.insurance, str(self.year)


@dataclass(frozen=True, kw_only=True)
class WalletVersion(Version):
    """While the region takes part in wallet transfers."""


@dataclass(frozen=True, kw_only=True)
class WithdrawalVersion(Version):
    """`WithdrawalRule.from_data(data)` gives `rule` again."""

    rule: WithdrawalRule


@dataclass(frozen=True, kw_only=True)
class RegionFile:
    """A region as its file describes it. `buckets`: two (current and historical) or one (all in historical).

    `names`: language -> name (zh, en); `counters`: counter -> language -> label; `levels`: those of its institutions.
    """

    code: str
    names: Mapping[str, str]
    buckets: str
    levels: tuple[str, ...]
    counters: Mapping[str, Mapping[str, str]]
    years: tuple[YearRule, ...]
    schemes: tuple[SchemeVersion, ...]
    sharing: tuple[SharingVersion, ...]
    credits: tuple[CreditVersion, ...]
    filing: tuple[FilingVersion, ...]
    withdrawal: tuple[WithdrawalVersion, ...]
    premiums: tuple[PremiumVersion, ...]
    wallet: tuple[WalletVersion, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake in a file, as a person who maintains it needs it; `code` and `params` are for other languages."""

    file: str
    line: int | None
    key: str
    reason: str
    code: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.key} {self.reason}"


class BadRegionFile(ValueError):
    """A region file with mistakes; `problems` holds those of each part that could be told together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def load_region_text(text: str, path: str) -> RegionFile:
    """Read a region file's text; `path` is only for the messages. Raises BadRegionFile."""
    try:
        top = Reader(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadRegionFile([_syntax_problem(str(error), text, path)]) from None
    errors: list[BadData] = []
    try:
        region = _region(top, errors)
    except BadData as error:
        errors.append(error)
    if errors:
        raise BadRegionFile(_problems(errors, text, path))
    return region


def load_version_text(
    text: str, key: str, levels: Collection[str], counters: Collection[str], path: str
) -> dict[str, Any]:
    """Read the text of one version (one [[scheme]] or [[sharing]], without its days); gives its data as JSON.

    `levels` and `counters` are the region's; `path` is only for the messages. Raises BadRegionFile.
    """
    try:
        top = Reader(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadRegionFile([_syntax_problem(str(error), text, path)]) from None
    except RecursionError:
        nested = Problem(path, 1, "TOML:", "has too many brackets within each other", "nested")
        raise BadRegionFile([nested]) from None
    try:
        with top:
            rows = top.tables(key)
        if len(rows) > 1:
            raise BadData((key, 1), "one_version")
        data: dict[str, Any] = _as_json(rows[0].rest())
        if key == "sharing":
            SharingRules.from_data(data, rows[0].path)
        else:
            Scheme.from_data(data, rows[0].path).check(levels, counters, rows[0].path)
    except BadData as error:
        raise BadRegionFile(_problems([error], text, path)) from None
    return data


def _problems(errors: Sequence[BadData], text: str, path: str) -> list[Problem]:
    """In the order of the file's lines."""
    found = [
        Problem(path, line_of(text, one.path), one.key, one.reason, one.code, one.params)
        for error in errors
        for one in (error, *error.others)
    ]
    return sorted(found, key=lambda problem: problem.line or 0)


def _syntax_problem(message: str, text: str, path: str) -> Problem:
    line, column, code = place_of(message, text)
    return Problem(path, line, "TOML:", message, code, {"column": column})


def _region(top: Reader, errors: list[BadData]) -> RegionFile:
    """The whole file; the mistakes of dated parts are collected, so that one run tells most of them."""
    with top:
        levels = top.choices("levels", LEVELS)
        counters = _counters(top.table("counters"))
        return RegionFile(
            code=_code(top),
            names=top.languages("name"),
            buckets=top.choice("buckets", ("one", "two")),
            levels=levels,
            counters=counters,
            years=_years(top),
            schemes=_versions(top, "scheme", lambda row: _scheme(row, levels, counters), errors),
            sharing=_versions(top, "sharing", _sharing, errors),
            credits=_versions(top, "credit", lambda row: _credit(row, levels), errors),
            filing=_versions(top, "filing", _filing, errors),
            withdrawal=_versions(top, "withdrawal", _withdrawal, errors),
            premiums=_versions(top, "premium", _premium, errors),
            wallet=_versions(top, "wallet", _wallet, errors),
        )


def _code(top: Reader) -> str:
    code = top.text("code")
    if not _CODE.fullmatch(code):
        raise BadData(("code",), "bad_code")
    return code


def _counters(reader: Reader) -> dict[str, dict[str, str]]:
    """[counters]: every counter of the file with the label that people see."""
    labels = {}
    with reader:
        for name in reader.names():
            if not _COUNTER.fullmatch(name):
                raise BadData((*reader.path, name), "bad_counter_name")
            labels[name] = reader.languages(name)
    return labels


def _years(top: Reader) -> tuple[YearRule, ...]:
    """[[benefit_year]], each from a later year than the one before."""
    rules: list[YearRule] = []
    for reader in top.tables("benefit_year"):
        with reader:
            reader.provenance()
            # Not the 29th to 31st: a year has to begin in every year.
            rule = YearRule(
                reader.whole("first_year", 1990, 2200), reader.whole("month", 1, 12), reader.whole("day", 1, 28)
            )
        if rules and rule.first_year <= rules[-1].first_year:
            raise BadData((*reader.path, "first_year"), "years_order")
        rules.append(rule)
    return tuple(rules)


V = TypeVar("V", bound=Version)


def _versions(top: Reader, key: str, read: Callable[[Reader], V], errors: list[BadData]) -> tuple[V, ...]:
    """The dated versions of one kind; no two of the same slot hold on one day."""
    found: list[V] = []
    for reader in top.tables(key, optional=True):
        try:
            version = read(reader)
            if any(_overlap(version, earlier) for earlier in found):
                raise BadData((*reader.path, "valid_from"), "overlap")
        except BadData as error:
            errors.append(error)
        else:
            found.append(version)
    return tuple(found)


def _overlap(one: Version, other: Version) -> bool:
    """Whether both hold on some day for the same purpose."""
    return (
        one.slot == other.slot
        and (one.valid_to is None or other.valid_from < one.valid_to)
        and (other.valid_to is None or one.valid_from < other.valid_to)
    )


def _span(reader: Reader) -> tuple[datetime.date, datetime.date | None]:
    start, end = reader.date("valid_from"), reader.date_or_none("valid_to")
    if end is not None and end <= start:
        raise BadData((*reader.path, "valid_to"), "ends_first")
    return start, end


def _scheme(reader: Reader, levels: Collection[str], counters: Collection[str]) -> SchemeVersion:
    start, end = _span(reader)
    insurance, kind = reader.choice("insurance", INSURANCES), reader.choice("kind", KINDS)
    data = _as_json(reader.rest())
    scheme = Scheme.from_data(data, reader.path)
    scheme.check(levels, counters, reader.path)
    return SchemeVersion(valid_from=start, valid_to=end, data=data, insurance=insurance, kind=kind, scheme=scheme)


def _sharing(reader: Reader) -> SharingVersion:
    start, end = _span(reader)
    data = _as_json(reader.rest())
    return SharingVersion(valid_from=start, valid_to=end, data=data, rules=SharingRules.from_data(data, reader.path))


def _credit(reader: Reader, levels: Collection[str]) -> CreditVersion:
    start, end = _span(reader)
    data = _as_json(reader.rest())
    rule = CreditRule.from_data(data, reader.path)
    rule.check(levels, reader.path)
    return CreditVersion(valid_from=start, valid_to=end, data=data, rule=rule)


def _filing(reader: Reader) -> FilingVersion:
    start, end = _span(reader)
    data = _as_json(reader.rest())
    return FilingVersion(valid_from=start, valid_to=end, data=data, rule=FilingRule.from_data(data, reader.path))


def _premium(reader: Reader) -> PremiumVersion:
    start, end = _span(reader)
    insurance, year = reader.choice("insurance", INSURANCES), reader.whole("year", 2000, 2200)
    data = _as_json(reader.rest())
    return PremiumVersion(
        valid_from=start,
        valid_to=end,
        data=data,
        insurance=insurance,
        year=year,
        plan=PremiumPlan.from_data(data, reader.path),
    )


def _wallet(reader: Reader) -> WalletVersion:
    start, end = _span(reader)
    data = _as_json(reader.rest())
    with Reader(data, reader.path) as rule:
        rule.provenance()
    return WalletVersion(valid_from=start, valid_to=end, data=data)


def _withdrawal(reader: Reader) -> WithdrawalVersion:
    start, end = _span(reader)
    data = _as_json(reader.rest())
    rule = WithdrawalRule.from_data(data, reader.path)
    return WithdrawalVersion(valid_from=start, valid_to=end, data=data, rule=rule)


def _as_json(value: Any) -> Any:
    """The same with days as texts, for a JSON column."""
    if isinstance(value, dict):
        return {key: _as_json(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_as_json(below) for below in value]
    return value.isoformat() if isinstance(value, datetime.date) else value
