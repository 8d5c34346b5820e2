"""Writing rules as TOML in the notation of regions/*.toml, and putting a new version into the text of such a file."""

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from settlements.domain.toml_lines import line_of

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)")
# A JSON column forgets the order of the file: this is the order in which the files are written.
ORDER = (
    "kind", "bucket", "known", "accumulate_by", "payers", "relations", "same_region", "max_beneficiaries",
    "max_grantors", "max_per_relation", "mutual", "uses", "usable_from", "order", "order_adjustable", "keep",
    "verification_age", "review", "unbind_min_months", "unbind_effect", "consent_days", "scope", "counter", "axis",
    "axis_counter", "when", "up_to", "amount", "cap", "limit", "rate", "value", "add", "band", "within", "source",
    "grade", "note",
)  # fmt: skip
# Parts that stand as tables of their own below their version.
TABLES = ("stage",)


def version_text(key: str, head: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """A version as [[key]]: `head` (its own names, in order), then its data; read back it gives the same data."""
    flat = {name: value for name, value in _sorted(data) if name not in TABLES}
    parts = [f"[[{key}]]\n" + "".join(_line(name, value) for name, value in (*head.items(), *flat.items()))]
    for table in TABLES:
        for row in data.get(table, ()):
            parts.append(f"[[{key}.{table}]]\n" + "".join(_line(name, value) for name, value in _sorted(row)))
    return "\n".join(parts)


def ended(text: str, key: str, place: int, last: datetime.date) -> str:
    """The text of a file in which its version at a place (from 0) of a kind ends on a day, exclusive."""
    lines = text.splitlines(keepends=True)
    written = f"valid_to = {last.isoformat()}\n"
    there, begins = line_of(text, (key, place, "valid_to")), line_of(text, (key, place, "valid_from"))
    if there is not None and _KEYED.match(lines[there - 1]):
        lines[there - 1] = written
    elif begins is not None:
        lines.insert(begins, written)
    return "".join(lines)


def added(text: str, key: str, after: int | None, version: str) -> str:
    """The text of a file with a version behind the one at a place of its kind, or at the end where there is none."""
    lines = text.splitlines(keepends=True)
    at = len(lines)
    if after is not None:
        first = line_of(text, (key, after))
        assert first is not None
        at = _end(lines, key, first)
    before = "".join(lines[:at]).rstrip("\n")
    rest = "".join(lines[at:]).lstrip("\n")
    return f"{before}\n\n{version.strip()}\n" + (f"\n{rest}" if rest else "")


_KEYED = re.compile(r"\s*valid_to\s*=")


def _end(lines: Sequence[str], key: str, first: int) -> int:
    """Where the version that begins in a line (from 1) ends: before the next header but those of its own parts."""
    for at in range(first, len(lines)):
        header = _HEADER.match(lines[at])
        if header and (header[1] != key or lines[at].strip() == f"[[{key}]]"):
            # Remarks above a header belong to what follows.
            while lines[at - 1].lstrip().startswith("#"):
                at -= 1
            return at
    return len(lines)


def _sorted(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(data.items(), key=lambda item: (ORDER.index(item[0]) if item[0] in ORDER else -1, item[0]))


def _line(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return f"{name} = [\n" + "".join(f"  {_inline(one)},\n" for one in value) + "]\n"
    return f"{name} = {_inline(value)}\n"


def _inline(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case datetime.date():
            return value.isoformat()
        case str():
            return value if _is_day(value) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            return "{ " + ", ".join(f"{_key(name)} = {_inline(below)}" for name, below in _sorted(value)) + " }"
        case _:
            return "[" + ", ".join(_inline(one) for one in value) + "]"


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
