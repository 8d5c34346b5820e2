"""A sample request and a sample answer of each transaction, made from its tables and the values of examples.toml."""

import datetime
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from gateway.fields.tables import Field, Node, load_toml, tables
from gateway.fields.writing import write

MONEY_PLACES = 2
ACCOUNT_ROW = {
    "fund_pay_type": "310200",
    "fund_payamt": "680.00",
    "fund_pay_type_name": "城镇职工基本医疗保险个人账户基金",
}
# Never negative, in a reversal either: what is left, and a share.
KEEP_THEIR_SIGN = {"balc"}


@cache
def request_input(number: str) -> dict[str, Any]:
    """The `input` of a call: what the table asks for, and what real clients send besides. Values are texts."""
    return {
        node.name: _listed(node, _sent(node, f"{number}.input.{node.name}"))
        for node in tables(number).input
        if node.need
    }


@cache
def answer_output(number: str) -> Any:
    """The `output` of an answer, as `write` makes it; the amounts of one invented bill."""
    written = write(tables(number).output, {node.name: _answered(number, node) for node in tables(number).output})
    return json.loads(written, parse_float=Decimal, parse_int=Decimal)


@cache
def envelope_fields() -> dict[str, str]:
    """The request around an input: the fields that real clients fill."""
    return {
        field.name: value
        for field in tables("envelope").input[0].fields
        if field.need and (value := _values("").get(field.name)) is not None
    }


def file_line(columns: Iterable[Field]) -> list[str]:
    """One row of the text file of 3202; an empty value is written null."""
    return [_values("").get(field.name, "null") for field in columns]


def _listed(node: Node, row: dict[str, Any]) -> Any:
    return [row] if node.many else row


def _sent(node: Node, place: str) -> dict[str, str]:
    often, values = load_toml("examples")["often"], _values(place)
    return {
        field.name: values[field.name] if field.required else values.get(field.name, "")
        for field in node.fields
        if field.need or field.name in often
    }


def _answered(number: str, node: Node) -> Any:
    values = _values(f"{number}.output.{node.name}")
    sign = -1 if number in load_toml("examples")["reversals"] else 1
    rows = [values, {**values, **ACCOUNT_ROW}] if node.name == "setldetail" else [values]
    made = [{field.name: _made(field, row.get(field.name), sign) for field in node.fields} for row in rows]
    return made if node.many else made[0]


def _made(field: Field, value: str | None, sign: int) -> Any:
    """A text of the examples as the actions would give it."""
    if not value:
        return None
    match field.kind:
        case "num":
            is_amount = field.places == MONEY_PLACES and field.name not in KEEP_THEIR_SIGN
            return Decimal(value) * (sign if is_amount and Decimal(value) else 1)
        case "datetime":
            return datetime.datetime.fromisoformat(f"{value}+08:00")
        case "date":
            return datetime.date.fromisoformat(value)
        case _:
            return value


def _values(place: str) -> Mapping[str, str]:
    examples = load_toml("examples")
    found: dict[str, str] = examples["values"] | examples["at"].get(place, {})
    return found
