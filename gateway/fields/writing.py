"""Output made from its table, exactly: every field, in the order of the table, in its type."""

import datetime
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils import timezone

from gateway.fields.tables import Field, Node


def write(nodes: Iterable[Node], answer: Mapping[str, Any]) -> Any:
    """The output as JSON-able data (numbers stay Decimal); None for a transaction without one, as in real answers.

    Raises ValueError for a required value that is missing and for one that no table names: faults of ours, never of the
    caller.
    """
    nodes = tuple(nodes)
    unknown = set(answer) - {node.name for node in nodes}
    if unknown:
        raise ValueError(f"no such node: {sorted(unknown)}")
    written: dict[str, Any] = {}
    if not nodes:
        return None
    for node in nodes:
        found = _write_node(node, answer[node.name])
        if node.bare:
            return found
        written |= dict.fromkeys((node.name, *node.also), found)
    return written


def _write_node(node: Node, given: Any) -> Any:
    return [_row(node, row) for row in given] if node.many else _row(node, given)


def _row(node: Node, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(given) - {field.name for field in node.fields}
    if unknown:
        raise ValueError(f"{node.name}: no such field: {sorted(unknown)}")
    row = {}
    for field in node.fields:
        row[field.name] = value = _value(field, given.get(field.name))
        if field.also and value is not None:
            row |= dict.fromkeys(field.also, value)
    return row


def _value(field: Field, value: Any) -> Any:
    if value is None or value == "":
        if field.required:
            raise ValueError(f"{field.name} is required")
        return None
    match field.kind:
        case "num":
            return Decimal(value).quantize(Decimal(1).scaleb(-field.places), rounding=ROUND_HALF_UP)
        case "datetime":
            return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
        case "date":
            day = timezone.localdate(value) if isinstance(value, datetime.datetime) else value
            return day.isoformat()
        case _:
            return str(value)[: field.size]
