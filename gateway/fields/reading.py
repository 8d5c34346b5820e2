"""Input checked against its table, leniently: numbers or texts, "null" for nothing, one object where a list may be."""

import base64
import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import clock
from gateway.errors import Rejected
from gateway.fields.tables import Field, Node, code_in, fold

Value = str | Decimal | datetime.datetime | datetime.date | bytes | None
Row = dict[str, Any]

# A Java BigDecimal may write 1E+2; a longer exponent is an attack on memory. Oracle writes .5 for a half.
NUMBER = re.compile(r"-?([0-9]{1,30}(\.[0-9]{1,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
# So far is a sum of binary fractions from what was meant: Java writes 0.30000000000000004. No table has so many decimals.
NOISE = Decimal("1e-8")
EMPTY = {"", "null", "NULL"}
EMPTY_NODES: tuple[Any, ...] = ("", "null", "NULL", [], {})
# Java's compact form, what .NET writes on a Chinese system, and both without leading zeros.
OTHER_MOMENTS = ("%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d")


def read(nodes: Iterable[Node], given: Any) -> dict[str, Any]:
    """Node -> row, or list of rows where the node is a list. Fields and nodes that no table names are left alone.

    A node that may be left out and is: None, or an empty list.

    Raises Rejected: node_missing, field_missing, field_too_long, field_format, field_code.
    """
    if not isinstance(given, Mapping):
        raise Rejected("node_missing", node="input")
    return _read_nodes(nodes, given, "")


def _read_nodes(nodes: Iterable[Node], given: Mapping[str, Any], place: str) -> dict[str, Any]:
    found = _Spellings(given)
    return {
        node.name: _read_node(node, given[node.name] if node.name in given else found.of(node), f"{place}{node.name}")
        for node in nodes
    }


def _read_node(node: Node, given: Any, place: str) -> Row | list[Row] | None:
    if not node.required and (given is None or given in EMPTY_NODES):
        return [] if node.many else None
    if not node.many:
        # One client wraps even a single row in a list.
        row = given[0] if isinstance(given, list) and len(given) == 1 else given
        return _read_row(node, row, place)
    rows = given if isinstance(given, list) else [given]
    if not rows:
        raise Rejected("node_missing", node=place)
    return [_read_row(node, row, f"{place}[{at}]") for at, row in enumerate(rows)]


def _read_row(node: Node, given: Any, place: str) -> Row:
    row = read_fields(node.fields, given, place)
    return row | _read_nodes(node.nodes, given, f"{place}.") if node.nodes else row


def read_fields(fields: Iterable[Field], given: Any, place: str) -> Row:
    """Every field of the table -> its value, None where it is empty. Raises Rejected."""
    if not isinstance(given, Mapping):
        raise Rejected("node_missing", node=place)
    found = _Spellings(given)
    return {
        field.name: _read_field(field, given[field.name] if field.name in given else found.of(field), place)
        for field in fields
    }


class _Spellings:
    """What was given under another spelling: capitals, underscores, `also`."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.folded: dict[str, Any] | None = None

    def of(self, named: Field | Node) -> Any:
        if self.folded is None:
            self.folded = {fold(name): value for name, value in self.given.items()}
        for spelling in named.spellings:
            if spelling in self.folded:
                return self.folded[spelling]
        return None


def _read_field(field: Field, raw: Any, row: str) -> Value:
    """Every call has hundreds of them, so what a mistake would be told of is made when there is one."""
    if isinstance(raw, str):
        text = raw.strip()
        if text not in EMPTY:
            return READERS[field.kind](field, text, row)
    elif field.kind == "bytes" and isinstance(raw, list):
        return _octets(raw, f"{row}.{field.name}")
    elif raw is not None:
        raise _wrong(field, row, field.kind)
    if field.required:
        raise Rejected("field_missing", field=f"{row}.{field.name}")
    return None


def _wrong(field: Field, row: str, wanted: str) -> Rejected:
    return Rejected("field_format", field=f"{row}.{field.name}", kind=wanted)


def _text(field: Field, text: str, row: str) -> str:
    # NUL cannot be stored, a lone surrogate cannot be encoded, and neither is writing.
    if not text.isprintable() and any(not char.isprintable() and char not in "\n\r\t\u3000" for char in text):
        raise _wrong(field, row, field.kind)
    code = code_in(field.dictionary, text) if field.dictionary else text
    # Of "01" in a field of one character the code is "1".
    if len(text if code is None else code) > field.size:
        raise Rejected("field_too_long", field=f"{row}.{field.name}", most=field.size)
    if code is None:
        raise Rejected("field_code", field=f"{row}.{field.name}")
    return code


def _number(field: Field, text: str, row: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise _wrong(field, row, field.kind)
    number = Decimal(text)
    if number < 0 and not field.signed:
        raise _wrong(field, row, "≥ 0")
    if abs(number) >= field.bound:
        raise Rejected("field_too_long", field=f"{row}.{field.name}", most=field.size)
    # 69.600 is 69.60; 69.605 is no amount in fen, and rounding it here would be a guess.
    if number % field.unit and abs(number - number.quantize(field.unit)) > NOISE:
        raise _wrong(field, row, f"num({field.size},{field.places})")
    return number.quantize(field.unit)


def _bytes(field: Field, text: str, row: str) -> bytes:
    # Zhejiang's client sends a list as the text that it prints as; "[]" for no bytes.
    if text.startswith("["):
        inside = text.removeprefix("[").removesuffix("]").strip()
        return _octets(inside.split(",") if inside else [], f"{row}.{field.name}")
    try:
        # Old Java breaks the line every 76 characters, as mail does.
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise _wrong(field, row, "Base64") from None


def _octets(raw: list[Any], place: str) -> bytes:
    try:
        # Java counts its bytes from -128.
        return bytes(octet + 256 if -128 <= octet < 0 else octet for octet in map(int, raw))
    except (ValueError, TypeError):
        raise Rejected("field_format", field=place, kind="Base64") from None


def _moment(field: Field, text: str, row: str) -> datetime.datetime:
    """An aware moment; without a zone it is the time of the country."""
    moment = _parsed(text)
    # Year 1 in Shanghai is before year 1 in UTC: the database cannot hold it.
    if moment is None or not 1900 <= moment.year <= 2999:
        raise _wrong(field, row, "yyyy-MM-dd HH:mm:ss")
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())


def _day(field: Field, text: str, row: str) -> datetime.date:
    return clock.local(_moment(field, text, row)).date()


def _parsed(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in OTHER_MOMENTS:
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    return None


READERS: Mapping[str, Callable[[Field, str, str], Value]] = {
    "string": _text,
    "num": _number,
    "datetime": _moment,
    "date": _day,
    "bytes": _bytes,
}
