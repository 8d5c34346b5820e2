"""Output made from its table, exactly: every field, in the order of the table, in its type."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from accounts import clock
from gateway.domain.json_text import quoted
from gateway.fields.tables import Field, Node

NOTHING, EMPTY = "null", '""'


def write(nodes: Iterable[Node], answer: Mapping[str, Any]) -> str:
    """The output as JSON, at once and not by way of a dict; null for a transaction without one, and for a list that is
    the whole output and empty, as in real answers.

    Raises ValueError for a required value that is missing and for one that no table names: faults of ours, never of the
    caller.
    """
    nodes = tuple(nodes)
    unknown = set(answer) - {node.name for node in nodes}
    if unknown:
        raise ValueError(f"no such node: {sorted(unknown)}")
    written = []
    for node in nodes:
        given = answer[node.name]
        text = f"[{','.join([_row(node, row) for row in given])}]" if node.many else _row(node, given)
        if node.bare:
            return NOTHING if text == "[]" else text
        written += [f'"{name}":{text}' for name in (node.name, *node.also)]
    return f"{{{','.join(written)}}}" if written else NOTHING


def _row(node: Node, given: Mapping[str, Any]) -> str:
    if not given.keys() <= node.names:
        raise ValueError(f"{node.name}: no such field: {sorted(given.keys() - node.names)}")
    written = []
    for field in node.fields:
        value = given.get(field.name)
        # Not `value == ""`: to find that it is no text costs a Decimal more than to be written.
        if value is None or (isinstance(value, str) and not value):
            if field.required:
                raise ValueError(f"{field.name} is required")
            written.append(field.key + (EMPTY if field.wanted else NOTHING))
            continue
        text = WRITERS[field.kind](field, value)
        written.append(field.key + text)
        if field.also:
            written += [f'"{name}":{text}' for name in field.also]
    return f"{{{','.join(written)}}}"


def _number(field: Field, value: Decimal | int) -> str:
    return format(Decimal(value).quantize(field.unit, ROUND_HALF_UP), "f")


def _moment(_field: Field, value: datetime.datetime) -> str:
    return f'"{clock.local(value):%Y-%m-%d %H:%M:%S}"'


def _day(_field: Field, value: datetime.date) -> str:
    day = clock.local(value).date() if isinstance(value, datetime.datetime) else value
    return f'"{day.isoformat()}"'


def _text(field: Field, value: Any) -> str:
    return quoted(str(value)[: field.size])


# What is not one of these (bytes) is a text in an answer too.
WRITERS: Mapping[str, Callable[[Field, Any], str]] = {
    "string": _text,
    "num": _number,
    "datetime": _moment,
    "date": _day,
    "bytes": _text,
}
