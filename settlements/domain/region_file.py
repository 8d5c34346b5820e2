"""A region's file (regions/*.toml): text in, checked plain data out, or problems that name file, line and key."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.domain.benefit_year import YearRule
from family.domain.rules import SharingRules
from settlements.domain.crediting import CreditRule
from settlements.domain.filing import FilingRule
from settlements.domain.scheme import Scheme


@dataclass(frozen=True, kw_only=True)
class Version:
    """What every dated part of the file has: it holds from `valid_from` until before `valid_to` (None: open).

    `data` is the part as JSON: texts, numbers, lists and tables exactly as in the file, dates as ISO texts, without the
    keys that have fields here (valid_from, valid_to, and for schemes insurance and kind).
    """

    valid_from: datetime.date
    valid_to: datetime.date | None
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SchemeVersion(Version):
    """`Scheme.from_data(data)` gives `scheme` again."""

    insurance: str
    kind: str
    scheme: Scheme


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


@dataclass(frozen=True)
class Problem:
    """One mistake in a file, as a person who maintains it needs it."""

    file: str
    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.key} {self.reason}".rstrip()


class BadRegionFile(ValueError):
    """A region file with mistakes; `problems` holds all that were found, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def load_region_text(text: str, path: str) -> RegionFile:
    """Read a region file's text; `path` is only for the messages. Raises BadRegionFile."""
    raise NotImplementedError
