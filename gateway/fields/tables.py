"""The tables as TOML holds them: transaction -> nodes -> fields, and the code lists."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

REQUIRED = "Y"
NEEDS = (REQUIRED, "(Y)", "")


@dataclass(frozen=True)
class Field:
    """One row: `kind` is string, num, date or datetime; `size` characters, or digits of which `places` are decimal."""

    name: str
    kind: str
    size: int
    places: int
    need: str
    dictionary: str
    meaning: str

    @property
    def required(self) -> bool:
        """Whether a call without it is sent back, and an answer without it is a fault of ours."""
        return self.need == REQUIRED


@dataclass(frozen=True)
class Node:
    """A named object of fields, or a list of them."""

    name: str
    many: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Tables:
    """One transaction."""

    number: str
    name: str
    input: tuple[Node, ...]
    output: tuple[Node, ...]


def known() -> frozenset[str]:
    """The numbers of the transactions that have tables."""
    names = (path.name for path in files("gateway.fields").iterdir())
    return frozenset(name.removesuffix(".toml") for name in names if re.fullmatch(r"[0-9]+[A-Z]?\.toml", name))


@cache
def tables(number: str) -> Tables:
    """The tables of one transaction (or "envelope"). Raises KeyError for one that has none."""
    if number not in known() | {"envelope"}:
        raise KeyError(number)
    data = _toml(number)
    return Tables(number, data["name"], _nodes(data.get("input", {})), _nodes(data.get("output", {})))


@cache
def code_lists() -> Mapping[str, Mapping[str, str]]:
    """Name of a list -> code -> what it means, in Chinese as it goes into answers."""
    return _toml("dictionaries")


def code_in(dictionary: str, value: str) -> str | None:
    """The code as the list writes it ("1" may stand for "01"), as it came where the list is open, None if unknown."""
    codes = code_lists().get(dictionary)
    if codes is None or value in codes:
        return value
    return next((code for code in codes if code.lstrip("0") == value.lstrip("0")), None)


def name_of(dictionary: str, code: str) -> str:
    """What a code means, in Chinese. Raises KeyError."""
    return code_lists()[dictionary][code]


def _toml(name: str) -> dict:
    return tomllib.loads((files("gateway.fields") / f"{name}.toml").read_text(encoding="utf-8"))


def _nodes(data: Mapping) -> tuple[Node, ...]:
    return tuple(
        Node(name, node.get("many", False), tuple(_field(*row) for row in node["fields"]))
        for name, node in data.items()
    )


def _field(name: str, kind: str, need: str, dictionary: str, meaning: str) -> Field:
    match = re.fullmatch(r"(string|num|date|datetime)(?:\(([0-9]+)(?:,([0-9]+))?\))?", kind)
    if match is None or need not in NEEDS:
        raise ValueError(f"{name}: {kind} {need}")
    return Field(name, match[1], int(match[2] or 0), int(match[3] or 0), need, dictionary, meaning)
