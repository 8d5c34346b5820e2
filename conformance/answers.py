"""What is wrong with an answer: its envelope, and its output by the published tables of the transaction."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from gateway import fields
from gateway.fields.tables import code_lists, open_lists

KEYS = [
    "infcode", "inf_refmsgid", "refmsg_time", "respond_time", "warn_msg", "cainfo", "signtype", "err_msg", "output",
]  # fmt: skip
MOST_ERR_MSG = 200
MOMENT = re.compile(r"[0-9]{17}")
FORMS = {
    "datetime": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}


class NotOnce(ValueError):
    """A name stands twice in one object of an answer."""


def parse(body: bytes) -> dict[str, Any]:
    """The answer, amounts as Decimal. Raises ValueError: no JSON, no UTF-8, a name twice."""
    found = json.loads(body.decode(), parse_float=Decimal, object_pairs_hook=_object)
    if not isinstance(found, dict):
        raise ValueError(f"the answer is no object: {body[:100]!r}")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotOnce(str([name for name, _ in pairs]))
    return found


def code(answer: Mapping[str, Any]) -> str:
    """The code of a refusal; empty if it is none."""
    found = re.search(r"\[([a-z0-9_]+)\]$", answer["err_msg"] or "")
    return found[1] if found else ""


def succeeded(answer: Mapping[str, Any]) -> bool:
    """infcode 0, as number or as text."""
    return answer["infcode"] in (0, "0")


def envelope_faults(answer: Mapping[str, Any], *, infcode_as_text: bool | None = None) -> Iterator[str]:
    """Of the fields around the output. `infcode_as_text`: how it must come; None: either way."""
    if list(answer) != KEYS:
        yield f"the envelope has the fields {list(answer)}"
        return
    infcode, text = answer["infcode"], answer["err_msg"]
    kinds = {None: (int, str), True: (str,), False: (int,)}[infcode_as_text]
    if infcode not in (0, -1, "0", "-1") or isinstance(infcode, bool) or not isinstance(infcode, kinds):
        yield f"infcode is {infcode!r}"
    for name in ("refmsg_time", "respond_time"):
        if not MOMENT.fullmatch(answer[name] or ""):
            yield f"{name} is {answer[name]!r}"
    if succeeded(answer):
        if not re.fullmatch(r"[0-9]{30}", answer["inf_refmsgid"] or ""):
            yield f"inf_refmsgid is {answer['inf_refmsgid']!r}"
        if text not in ("", None, "success"):
            yield f"a success with err_msg {text!r}"
    else:
        yield from _failure_faults(answer, text)


def _failure_faults(answer: Mapping[str, Any], text: Any) -> Iterator[str]:
    if answer["output"] is not None or answer["inf_refmsgid"]:
        yield "a failure with an output"
    if not isinstance(text, str) or not text.startswith("FSI-") or len(text) > MOST_ERR_MSG or not code(answer):
        yield f"a failure with err_msg {text!r}"
    elif not re.search("[\u4e00-\u9fff]", text):
        yield f"a failure that says nothing in Chinese: {text!r}"
    if code(answer) == "system_error":
        yield f"a fault of the portal's own: {text!r}"


def output_faults(number: str, output: Any) -> list[str]:
    """Empty if the output (amounts as Decimal) is what the tables of the transaction say."""
    nodes = fields.tables(number).output
    if len(nodes) == 1 and nodes[0].bare:
        output = {nodes[0].name: output}
    if not nodes:
        return [] if not output else [f"{number} has no output, but got {output}"]
    names = {name for node in nodes for name in (node.name, *node.also)}
    found = [f"{number}: node {name}" for name in {*output} ^ names]
    for node in nodes:
        rows = output.get(node.name, [])
        if isinstance(rows, list) != node.many:
            found.append(f"{number}.{node.name} is {'no ' * node.many}list")
            continue
        for row in rows if node.many else [rows]:
            found += (f"{number}.{node.name}.{fault}" for fault in _row_faults(node, row))
    return found


def _row_faults(node: fields.Node, row: Mapping[str, Any]) -> Iterator[str]:
    known = {name for field in node.fields for name in (field.name, *field.also)}
    yield from (f"{name} is in no table" for name in set(row) - known)
    for field in node.fields:
        if field.name not in row:
            yield f"{field.name} is not there"
            continue
        value = row[field.name]
        yield from (f"{other} differs" for other in field.also if other in row and row[other] != value)
        if value is not None:
            yield from _value_faults(field, value)
        elif field.required or field.wanted:
            yield f"{field.name} is required"


def _value_faults(field: fields.Field, value: Any) -> Iterator[str]:
    if field.kind == "num":
        yield from _number_faults(field, value)
    elif not isinstance(value, str) or field.kind in FORMS and not FORMS[field.kind].fullmatch(value):
        yield f"{field.name} is {value!r}, wanted {field.kind}"
    elif field.kind == "string" and len(value) > field.size:
        yield f"{field.name} is longer than {field.size}"
    elif (value == "" and not field.wanted) or (field.kind == "string" and value in ("null", "None")):
        yield f"{field.name} is {value!r}"
    elif value not in code_lists().get(field.dictionary, [value]) and field.dictionary not in open_lists():
        yield f"{field.name}: {value} is not in its list"


def _number_faults(field: fields.Field, value: Any) -> Iterator[str]:
    """num(16,2) has two decimals, no more and no fewer, and 14 digits before them."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        yield f"{field.name} is {value!r}, wanted num"
        return
    places = -Decimal(value).as_tuple().exponent if isinstance(value, Decimal) else 0
    if places != field.places:
        yield f"{field.name} is {value}, wanted {field.places} decimals"
    if abs(value) >= Decimal(10) ** (field.size - field.places):
        yield f"{field.name} is {value}, wanted num({field.size},{field.places})"
