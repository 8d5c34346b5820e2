"""d. The habits of real programs (interface.md 1.7): said otherwise, the same is understood and the same is answered."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from conformance import answers, sequences, world
from conformance.manners import Manner
from conformance.program import Answer
from conformance.stand import Job, Stand
from conformance.world import INPATIENT, OUTPATIENT, PHARMACY
from gateway import fields
from gateway.fields.tables import Field, Node

REGION = "310000"
# Numbers that are given anew each time, moments, and the birthday: so many share one, the next have the day after.
GIVEN_ANEW = {
    "psn_no", "certno", "brdy", "mdtrt_id", "setl_id", "medins_setl_id", "sign_no", "sign_time", "setl_time", "diag_info_id",
    "opt_time", "begntime", "endtime", "fee_ocur_time", "diag_time", "file_qury_no", "filename", "dld_endtime",
}  # fmt: skip
AROUND = {"inf_refmsgid", "refmsg_time", "respond_time"}
SPELT_OTHERWISE = {"acct_used_flag": "acc_used_flag", "exp_content": "expContent", "mdtrtinfo": "mdtrtInfo"}
Change = Callable[[str, Any], Any]


def _walk(nodes: tuple[Node, ...], given: Any, change: Callable[[Field, Any], Any]) -> Any:
    """Each value of the input changed by its field."""
    found = dict(given)
    for node in nodes:
        if node.name in found:
            rows = found[node.name]
            known = [_row(node, row, change) for row in (rows if isinstance(rows, list) else [rows])]
            found[node.name] = known if isinstance(rows, list) else known[0]
    return found


def _row(node: Node, row: Any, change: Callable[[Field, Any], Any]) -> Any:
    known = {field.name: field for field in node.fields}
    changed = {name: change(known[name], value) if name in known else value for name, value in row.items()}
    return _walk(node.nodes, changed, change)


def _each(change: Callable[[Field, Any], Any]) -> Change:
    return lambda number, given: _walk(fields.tables(number).input, given, change)


def _objects(number: str, given: Any) -> Any:
    """A list of one as the one (Zhejiang's program)."""
    return {name: row[0] if isinstance(row, list) and len(row) == 1 else row for name, row in given.items()}


def _lists(number: str, given: Any) -> Any:
    """Everything as a list."""
    return {name: row if isinstance(row, list) else [row] for name, row in given.items()}


def _padded(field: Field, value: Any) -> Any:
    is_code = field.dictionary and isinstance(value, str) and value.isdigit() and len(value) < field.size
    return f"0{value}" if is_code else value


def _bare(field: Field, value: Any) -> Any:
    return value.lstrip("0") or value if field.dictionary and isinstance(value, str) else value


def _as_number(field: Field, value: Any) -> Any:
    """What looks like a number as one: amounts, codes, serial numbers."""
    plain = isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", value)
    return f"\x00{value}" if plain else value


def _long(field: Field, value: Any) -> Any:
    """More decimals than the field has, all of them nought."""
    if field.kind != "num" or not isinstance(value, str) or not value:
        return value
    return value + "0000" if "." in value else value + ".0000"


def _nothing(how: Any) -> Callable[[Field, Any], Any]:
    return lambda field, value: how if value == "" else value


def _blank(field: Field, value: Any) -> Any:
    return f" {value}\t" if isinstance(value, str) and value else value


def _moments(form: str) -> Callable[[Field, Any], Any]:
    def changed(field: Field, value: Any) -> Any:
        found = re.fullmatch(r"(....)-(..)-(..) (..):(..):(..)", value) if isinstance(value, str) else None
        return form.format(*found.groups()) if found and field.kind in ("date", "datetime") else value

    return changed


def _renamed(rename: Callable[[str], str]) -> Change:
    def all_of(given: Any) -> Any:
        if isinstance(given, dict):
            return {rename(name): all_of(value) for name, value in given.items()}
        return [all_of(one) for one in given] if isinstance(given, list) else given

    return lambda number, given: all_of(given)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _more(number: str, given: Any) -> Any:
    """What other regions' tables have, beside the nodes and inside them."""
    others = {"psnbaseinfo": {"psn_no": "1", "age": 7}, "agnterinfo": None, "extData": [[{}]]}
    changed = {
        name: [{**one, "cainfo": "x", "extra_field": {"a": [1]}} for one in row]
        if isinstance(row, list)
        else {**row, "cainfo": "x", "extra_field": {"a": [1]}}
        for name, row in given.items()
    }
    return others | changed


CHANGES: dict[str, Change] = {
    "lists of one as objects": _objects,
    "objects as lists": _lists,
    "codes padded": _each(_padded),
    "codes bare": _each(_bare),
    "numbers as numbers": _each(_as_number),
    "noughts behind the point": _each(_long),
    "empty as null": _each(_nothing(None)),
    'empty as "null"': _each(_nothing("null")),
    'empty as "NULL"': _each(_nothing("NULL")),
    "blanks around": _each(_blank),
    "moments of Java": _each(_moments("{0}{1}{2}{3}{4}{5}")),
    "moments of .NET": _each(_moments("{0}/{1}/{2} {3}:{4}:{5}")),
    "moments of ISO 8601": _each(_moments("{0}-{1}-{2}T{3}:{4}:{5}+08:00")),
    "names in capitals": _renamed(str.upper),
    "names of Java": _renamed(_camel),
    "other spellings": _renamed(lambda name: SPELT_OTHERWISE.get(name, name)),
    "fields of other regions": _more,
}


def transcript(stand: Stand, kind: str, change: Change | None, *, input_as_text: bool = False) -> list[Any]:
    """The sequence of a kind of care, each input changed; what was answered, but what is new each time."""
    program = stand.program(REGION, kind, Manner(input_as_text=input_as_text), number=None)
    program.transcript = []
    program.change = change
    # The same age, name and money as everybody else who plays this.
    sequences.SEQUENCES[kind](program, world.person(REGION))
    return [(number, *_told(answer)) for number, answer in program.transcript]


def _told(answer: Answer) -> Iterator[Any]:
    yield {name: value for name, value in answer.items() if name not in AROUND | {"output", "err_msg"}}
    yield answers.code(answer)
    yield _without(answer["output"])


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name in GIVEN_ANEW else _without(inner) for name, inner in value.items()}
    return [_without(one) for one in value] if isinstance(value, list) else value


def understood(stand: Stand, kind: str, how: str) -> None:
    """Said plainly and said so: the same answers."""
    plain = transcript(stand, kind, None)
    otherwise = transcript(stand, kind, CHANGES.get(how), input_as_text=how == TEXT)
    stand.told.hold(f"{kind}, {how}: as many answers", len(plain) == len(otherwise), (len(plain), len(otherwise)))
    for one, other in zip(plain, otherwise, strict=False):
        stand.told.hold(f"{kind}, {how}: {one[0]} is answered alike", one == other, (one, other))


TEXT = "the input as a text"


def jobs() -> list[Job]:
    """Each habit in each kind of care."""
    return [
        Job("habits", f"{kind} {how}", partial(understood, kind=kind, how=how))
        for how in [*CHANGES, TEXT]
        for kind in (OUTPATIENT, PHARMACY, INPATIENT)
    ]
