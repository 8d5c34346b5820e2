"""Input checked against its table, leniently: numbers or texts, "null" for nothing, one object where a list may be."""

import datetime
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from gateway.errors import Rejected
from gateway.fields.tables import Field, Node, code_in

Value = str | Decimal | datetime.datetime | datetime.date | None
Row = dict[str, Value]

# Nothing here is ever negative. A Java BigDecimal may write 1E+2; a longer exponent is an attack on memory.
NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
EMPTY = {"", "null", "NULL"}


def read(nodes: Iterable[Node], given: Any) -> dict[str, Any]:
    """Node -> row, or list of rows where the node is a list. Fields and nodes that no table names are left alone.

    Raises Rejected: node_missing, field_missing, field_too_long, field_format, field_code.
    """
    if not isinstance(given, Mapping):
        raise Rejected("node_missing", node="input")
    return {node.name: _read_node(node, given.get(node.name)) for node in nodes}


def _read_node(node: Node, given: Any) -> Row | list[Row]:
    if not node.many:
        # One client wraps even a single row in a list.
        row = given[0] if isinstance(given, list) and len(given) == 1 else given
        return read_fields(node.fields, row, node.name)
    rows = given if isinstance(given, list) else [given]
    if not rows:
        raise Rejected("node_missing", node=node.name)
    return [read_fields(node.fields, row, f"{node.name}[{at}]") for at, row in enumerate(rows)]


def read_fields(fields: Iterable[Field], given: Any, place: str) -> Row:
    """Every field of the table -> its value, None where it is empty. Raises Rejected."""
    if not isinstance(given, Mapping):
        raise Rejected("node_missing", node=place)
    return {field.name: _read_field(field, given.get(field.name), f"{place}.{field.name}") for field in fields}


def _read_field(field: Field, raw: Any, place: str) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, str | None):
        raise Rejected("field_format", field=place, kind=field.kind)
    text = (raw or "").strip()
    if text in EMPTY:
        if field.required:
            raise Rejected("field_missing", field=place)
        return None
    match field.kind:
        case "num":
            return _number(field, text, place)
        case "datetime":
            return timezone.make_aware(_moment(text, place))
        case "date":
            return _moment(text, place).date()
        case _:
            return _text(field, text, place)


def _text(field: Field, text: str, place: str) -> str:
    # NUL cannot be stored, a lone surrogate cannot be encoded, and neither is writing.
    if not text.isprintable() and any(not char.isprintable() and char not in "\n\r\t\u3000" for char in text):
        raise Rejected("field_format", field=place, kind=field.kind)
    if len(text) > field.size:
        raise Rejected("field_too_long", field=place, most=field.size)
    code = code_in(field.dictionary, text) if field.dictionary else text
    if code is None:
        raise Rejected("field_code", field=place)
    return code


def _number(field: Field, text: str, place: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise Rejected("field_format", field=place, kind=field.kind)
    number = Decimal(text)
    unit = Decimal(1).scaleb(-field.places)
    if abs(number) >= Decimal(10) ** (field.size - field.places):
        raise Rejected("field_too_long", field=place, most=field.size)
    # 69.600 is 69.60; 69.605 is no amount in fen, and rounding it here would be a guess.
    if number % unit:
        raise Rejected("field_format", field=place, kind=f"num({field.size},{field.places})")
    return number.quantize(unit)


def _moment(text: str, place: str) -> datetime.datetime:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"):
        try:
            moment = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        # Year 1 in Shanghai is before year 1 in UTC: the database cannot hold it.
        if 1900 <= moment.year <= 2999:
            return moment
    raise Rejected("field_format", field=place, kind="yyyy-MM-dd HH:mm:ss")
