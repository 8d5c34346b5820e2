"""Every field of every table, sent wrongly in every way there is: the refusal names it. The cases come from the tables."""

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from conformance.answers import output_faults
from gateway import fields
from gateway.domain import json_text
from gateway.errors import Rejected
from gateway.fields import samples
from gateway.fields.tables import Field, Node, code_lists, load_toml, open_lists
from gateway.texts import err_msg
from tests.gateway.identities import check_bill
from tests.gateway.world import World

NUMBERS = sorted(fields.known())


class Case(NamedTuple):
    number: str
    path: tuple[str, ...]
    field: Field
    wrong: Any
    code: str

    @property
    def name(self) -> str:
        return f"{self.number} {'.'.join(self.path)}.{self.field.name} {self.code} {str(self.wrong)[:12]}"


def wrongs(field: Field) -> Iterator[tuple[Any, str]]:
    """Values that the field must not take, and as what they are refused."""
    yield True, "field_format"
    yield {"a": "b"}, "field_format"
    if field.required:
        yield from ((nothing, "field_missing") for nothing in (None, "", " ", "null", "NULL"))
    if field.kind == "num":
        yield "eins", "field_format"
        yield "1" + "0" * (field.size - field.places), "field_too_long"
        yield "1." + "0" * field.places + "1", "field_format"
        if not field.signed:
            yield "-1", "field_format"
    elif field.kind in ("date", "datetime"):
        yield from ((moment, "field_format") for moment in ("21.11.2026", "2026-13-01", "0001-01-01 00:00:00"))
    elif field.kind == "bytes":
        yield "§", "field_format"
    else:
        yield "1" * (field.size + 1), "field_too_long"
        yield "a\x00", "field_format"
        if field.dictionary in code_lists() and field.dictionary not in open_lists():
            yield "~", "field_code"


def fields_of(nodes: tuple[Node, ...], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
    for node in nodes:
        yield from (((*path, node.name), field) for field in node.fields)
        yield from fields_of(node.nodes, (*path, node.name))


CASES = [
    Case(number, path, field, wrong, code)
    for number in NUMBERS
    for path, field in fields_of(fields.tables(number).input)
    for wrong, code in wrongs(field)
]


def whole(nodes: tuple[Node, ...], given: dict[str, Any]) -> dict[str, Any]:
    """The sample with the nodes that it leaves out, so that every field has a place."""
    for node in nodes:
        row = given.setdefault(node.name, [{}] if node.many else {})
        inner = row[0] if isinstance(row, list) else row
        for field in node.fields:
            if field.required:
                inner.setdefault(field.name, load_toml("examples")["values"].get(field.name, "1"))
        whole(node.nodes, inner)
    return given


def broken(case: Case) -> tuple[dict[str, Any], str]:
    """The input with one wrong value, and the place of it as the refusal names it."""
    nodes = fields.tables(case.number).input
    given = row = whole(nodes, copy.deepcopy(samples.request_input(case.number)))
    place = ""
    for name in case.path:
        node = next(node for node in nodes if node.name == name)
        nodes, row = node.nodes, row[name]
        place += f"{name}[0]." if node.many else f"{name}."
        row = row[0] if node.many else row
    row[case.field.name] = case.wrong
    return given, place + case.field.name


@pytest.mark.parametrize("number", NUMBERS)
def test_a_wrong_value_is_refused_by_name(number: str) -> None:
    cases = [case for case in CASES if case.number == number]
    assert cases
    for case in cases:
        given, place = broken(case)
        with pytest.raises(Rejected) as rejected:
            fields.read(fields.tables(number).input, json_text.loads(json_text.dumps(given)))
        assert rejected.value.code == case.code, case.name
        assert rejected.value.params["field"] == place, case.name
        assert place in err_msg(rejected.value)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_node_that_is_missing_is_named(number: str) -> None:
    for node in fields.tables(number).input:
        given = {name: value for name, value in samples.request_input(number).items() if name != node.name}
        if node.required:
            for wrong in (given, given | {node.name: "text"}, given | {node.name: []}):
                with pytest.raises(Rejected) as rejected:
                    fields.read(fields.tables(number).input, wrong)
                assert rejected.value.code == "node_missing"
                assert rejected.value.params["node"].startswith(node.name)
        else:
            read = fields.read(fields.tables(number).input, given)
            assert read[node.name] == ([] if node.many else None)


@pytest.mark.django_db
@pytest.mark.parametrize("number", sorted({case.number for case in CASES if case.code == "field_missing"}))
def test_the_failure_envelope_names_the_field(world: World, number: str) -> None:
    required = next(case for case in CASES if case.number == number and case.code == "field_missing")
    given, place = broken(required)
    answer = world.hospital.call(number, given)
    assert answer["infcode"] == -1
    assert place in answer["err_msg"]
    assert answer["err_msg"].endswith("[field_missing]")
    assert answer["output"] is None


@pytest.mark.parametrize("number", NUMBERS)
def test_the_samples_are_valid(number: str) -> None:
    sent = json_text.dumps(samples.request_input(number))
    fields.read(fields.tables(number).input, json_text.loads(sent))
    assert json.loads(sent)
    answer = json.loads(json_text.dumps(samples.answer_output(number)), parse_float=Decimal)
    assert output_faults(number, answer) == []


@pytest.mark.parametrize(("number", "sign"), [("2206", 1), ("2207", 1), ("2208", -1), ("2101", 1), ("2304", 1)])
def test_the_amounts_of_a_sample_keep_the_identities(number: str, sign: int) -> None:
    check_bill(json.loads(json_text.dumps(samples.answer_output(number)), parse_float=Decimal), sign)


def test_the_sample_envelope_is_valid() -> None:
    fields.read_fields(fields.tables("envelope").input[0].fields, samples.envelope_fields(), "envelope")


def test_the_sample_file_is_valid() -> None:
    for columns in (fields.tables("3202").columns_in, fields.tables("3202").columns_out):
        line = samples.file_line(columns)
        row = dict(zip((field.name for field in columns), line, strict=True))
        assert fields.read_fields(columns, row, "line")["refd_setl_flag"] == "0"


def test_a_fault_of_an_answer_is_seen() -> None:
    """The checker of the other tests, checked."""
    sound = json.loads(json_text.dumps(samples.answer_output("2207")), parse_float=Decimal)
    assert output_faults("2207", sound) == []
    for change in (
        {"setl_id": None}, {"acct_pay": "680.00"}, {"gend": "7"}, {"unheard": 1}, {"psn_name": "长" * 51},
    ):  # fmt: skip
        assert len(output_faults("2207", sound | {"setlinfo": sound["setlinfo"] | change})) == 1, change
    assert output_faults("2207", {"setlinfo": sound["setlinfo"]})
    assert output_faults("2202", {"data": {}})
