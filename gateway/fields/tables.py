"""The tables as TOML holds them: transaction -> nodes -> fields, and the code lists."""

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any

REQUIRED = "Y"
WANTED = "(Y)"
NEEDS = (REQUIRED, WANTED, "")


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """Under which a name is found however it is written: exp_content, expContent, EXP_CONTENT."""
    return name.replace("_", "").lower()


@dataclass(frozen=True)
class Field:
    """One row: `kind` is string, num, date, datetime or bytes; `size` characters, or digits, `places` of them decimal.

    `also`: other spellings, read like the name and written beside it. `signed`: a number that may be negative.
    """

    name: str
    kind: str
    size: int
    places: int
    need: str
    dictionary: str
    meaning: str
    also: tuple[str, ...] = ()
    signed: bool = False

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Its names as `fold` has them."""
        return tuple(map(fold, (self.name, *self.also)))

    @cached_property
    def required(self) -> bool:
        """Whether a call without it is sent back, and an answer without it is a fault of ours."""
        return self.need == REQUIRED

    @cached_property
    def wanted(self) -> bool:
        """Whether the text wants a value where there may be none: an answer then has an empty text, for programs that
        take the table at its word would stumble over null. A date has no empty form that they could read."""
        return self.need == WANTED and self.kind == "string"

    @cached_property
    def key(self) -> str:
        """Its name as an answer has it."""
        return f'"{self.name}":'

    @cached_property
    def unit(self) -> Decimal:
        """The last decimal of a number."""
        return Decimal(1).scaleb(-self.places)

    @cached_property
    def bound(self) -> Decimal:
        """A number is smaller."""
        return Decimal(10) ** (self.size - self.places)


@dataclass(frozen=True)
class Node:
    """A named object of fields, or a list of them. `bare`: in an answer it is the whole output, without its name.

    `nodes` lie inside each of its rows, e.g. the trace codes of a drug.
    """

    name: str
    many: bool
    fields: tuple[Field, ...]
    need: str = REQUIRED
    also: tuple[str, ...] = ()
    bare: bool = False
    nodes: tuple["Node", ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """Of its fields."""
        return frozenset(field.name for field in self.fields)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Its names as `fold` has them."""
        return tuple(map(fold, (self.name, *self.also)))

    @property
    def required(self) -> bool:
        """Whether a call without it is sent back."""
        return self.need == REQUIRED


@dataclass(frozen=True)
class Tables:
    """One transaction. The columns are those of the text files that 3202 takes and gives."""

    number: str
    name: str
    input: tuple[Node, ...]
    output: tuple[Node, ...]
    columns_in: tuple[Field, ...] = ()
    columns_out: tuple[Field, ...] = ()


def known() -> frozenset[str]:
    """The numbers of the transactions that have tables."""
    names = (path.name for path in files("gateway.fields").iterdir())
    return frozenset(name.removesuffix(".toml") for name in names if re.fullmatch(r"[0-9]+[A-Z]?\.toml", name))


@cache
def tables(number: str) -> Tables:
    """The tables of one transaction (or "envelope"). Raises KeyError for one that has none."""
    if number not in known() | {"envelope"}:
        raise KeyError(number)
    data = load_toml(number)
    if "same_as" in data:
        return replace(tables(data["same_as"]), number=number, name=data["name"])
    return Tables(
        number,
        data["name"],
        _nodes(data.get("input", {})),
        _nodes(data.get("output", {})),
        *(_rows(data.get("file", {}).get(way, {"fields": []})) for way in ("input", "output")),
    )


@cache
def code_lists() -> Mapping[str, Mapping[str, str]]:
    """Name of a list -> code -> what it means, in Chinese as it goes into answers."""
    return {name: {code: told[0] for code, told in codes.items()} for name, codes in _lists().items()}


@cache
def code_lists_in_english() -> Mapping[str, Mapping[str, str]]:
    """The same for readers of English."""
    return {name: {code: told[1] for code, told in codes.items()} for name, codes in _lists().items()}


@cache
def edition() -> tuple[datetime.date, int]:
    """Day and version of the code lists."""
    data = load_toml("dictionaries")
    return data["issued"], data["version"]


def _lists() -> dict[str, dict[str, list[str]]]:
    return {name: codes for name, codes in load_toml("dictionaries").items() if isinstance(codes, dict)}


@cache
def open_lists() -> frozenset[str]:
    """Lists that regions lengthen: a code that is not in them passes."""
    return frozenset(load_toml("dictionaries")["open"])


def code_in(dictionary: str, value: str) -> str | None:
    """The code as the list writes it ("1" may stand for "01"), as it came where the list is open, None if unknown."""
    padded = _padded(dictionary)
    if padded is None:
        return value
    return padded.get(value.lstrip("0"), value if dictionary in open_lists() else None)


@cache
def _padded(dictionary: str) -> Mapping[str, str] | None:
    codes = code_lists().get(dictionary)
    return codes and {code.lstrip("0"): code for code in codes}


def name_of(dictionary: str, code: str) -> str:
    """What a code means, in Chinese. Raises KeyError."""
    return code_lists()[dictionary][code]


@cache
def load_toml(name: str) -> dict[str, Any]:
    """One file of this folder, read once: nobody changes what comes back."""
    return tomllib.loads((files("gateway.fields") / f"{name}.toml").read_text(encoding="utf-8"))


def _nodes(data: Mapping[str, Any], inside: str = "") -> tuple[Node, ...]:
    """The nodes of one level; "drugdetail.durg_trac_info" lies inside drugdetail."""
    return tuple(
        Node(
            name.removeprefix(inside),
            node.get("many", False),
            _rows(node),
            node.get("need", REQUIRED),
            tuple(node.get("also", ())),
            node.get("bare", False),
            _nodes(data, f"{name}."),
        )
        for name, node in data.items()
        if name.startswith(inside) and "." not in name.removeprefix(inside)
    )


def _rows(node: Mapping[str, Any]) -> tuple[Field, ...]:
    return tuple(_field(*row) for row in node["fields"])


def _field(
    name: str, kind: str, need: str, dictionary: str, meaning: str, more: Mapping[str, Any] | None = None
) -> Field:
    match = re.fullmatch(r"(string|num|date|datetime|bytes)(?:\(([0-9]+)(?:,([0-9]+))?\))?", kind)
    if match is None or need not in NEEDS:
        raise ValueError(f"{name}: {kind} {need}")
    more = more or {}
    also = tuple(more.get("also", ()))
    size, places = int(match[2] or 0), int(match[3] or 0)
    return Field(name, match[1], size, places, need, dictionary, meaning, also, more.get("signed", False))
