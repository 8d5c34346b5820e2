"""A dated rule of a region as lines to read: the keys of its file, one a line, rows of a value as when and then."""

from collections.abc import Mapping
from typing import Any

from accounts import language

# Shown by themselves, above the rest.
PROVENANCE = ("source", "grade", "note")
INDENT = "    "
# A JSON column forgets the order of the file: what a part is comes first, where it comes from last.
FIRST = ("kind", "bucket", "scope", "axis", "counter", "axis_counter", "up_to", "amount", "rate", "cap", "limit")


def note(data: Mapping[str, Any]) -> str:
    """The note of a version in the reader's language; as it is, where somebody wrote it in one."""
    told = data.get("note", "")
    return told if isinstance(told, str) else language.name_of(told)


def origin(data: Mapping[str, Any]) -> list[str]:
    """The lines of source, grade and note of the version itself."""
    return [line for key in PROVENANCE if key in data for line in _told(key, data[key], "", 0)]


def lines(data: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The lines of a version's data, without source, grade and note of the version itself."""
    told: list[str] = []
    for key, value in sorted(data.items(), key=_place):
        if depth or key not in PROVENANCE:
            told += _told(key, value, INDENT * depth, depth)
    return told


def _place(item: tuple[str, Any]) -> tuple[int, int, str]:
    key, value = item
    is_part = isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(one, Mapping) for one in value))
    group = 3 if is_part and key not in FIRST else 2 if key in PROVENANCE else 0 if key in FIRST else 1
    return group, FIRST.index(key) if key in FIRST else 0, key


def _told(key: str, value: Any, before: str, depth: int) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{before}{key}", *lines(value, depth + 1)]
    if isinstance(value, list) and value and all(_is_row(one) for one in value):
        return [f"{before}{key}", *(f"{before}{INDENT}{_row(one)}" for one in value)]
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return [line for at, one in enumerate(value, 1) for line in [f"{before}{key} {at}", *lines(one, depth + 1)]]
    return [f"{before}{key} = {_plain(value)}"]


def _is_row(one: Any) -> bool:
    return isinstance(one, Mapping) and ("value" in one or "add" in one)


def _row(row: Mapping[str, Any]) -> str:
    """status = active, level = primary: 80; an addition with its sign."""
    when = ", ".join(f"{key} = {_plain(value)}" for key, value in row.get("when", {}).items()) or "*"
    return f"{when}: +{row['add']}" if "add" in row else f"{when}: {row['value']}"


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return " | ".join(_plain(one) for one in value) or "-"
        case Mapping():
            return ", ".join(f"{key} = {_plain(below)}" for key, below in value.items())
        case _:
            return str(value)
