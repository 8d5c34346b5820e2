"""c. Every field of every input table, sent wrongly in every way there is and rightly in every way programs do."""

import copy
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from conformance import answers, messages, world
from conformance.program import Program
from conformance.scenes import REPEATABLE, Scene, numbers, scene
from conformance.stand import Job, Stand
from gateway import fields
from gateway.fields.tables import Field, Node, code_lists, open_lists

ABSENT = object()
REFUSED, EITHER = "refused", "either"
HAN = "测"


class Sent(NamedTuple):
    """A value for a field, and what must become of it."""

    how: str
    value: Any
    wanted: str


def values(field: Field) -> Iterator[Sent]:
    """What may be wrong with a field, and what programs do with it that is not."""
    nothing = REFUSED if field.required else EITHER
    yield Sent("missing", ABSENT, nothing)
    for how, value in (("null", None), ("empty", ""), ("blank", "  "), ('"null"', "null"), ('"NULL"', "NULL")):
        yield Sent(how, value, nothing)
    yield Sent("boolean", True, REFUSED)
    yield Sent("object", {"a": "b"}, REFUSED)
    yield Sent("list", ["x"], REFUSED)
    yield Sent("number", 7, EITHER)
    yield Sent("fraction", 7.5, EITHER)
    if field.kind == "num":
        yield from _numbers(field)
    elif field.kind in ("date", "datetime"):
        for value in (
            "21.11.2026",
            "2026-13-01",
            "2026-02-30 10:00:00",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
            "x" * 60,
        ):
            yield Sent(f"moment {value[:20]}", value, REFUSED)
    elif field.kind == "bytes":
        yield Sent("no Base64", "§", REFUSED)
    else:
        yield from _texts(field)


def _numbers(field: Field) -> Iterator[Sent]:
    yield Sent("word", "eins", REFUSED)
    yield Sent("too long", "1" + "0" * (field.size - field.places), REFUSED)
    yield Sent("too fine", "1." + "0" * field.places + "1", REFUSED)
    yield Sent("huge", "1E+99", REFUSED)
    yield Sent("hex", "0x10", REFUSED)
    yield Sent("comma", "1,000.00", REFUSED)
    if not field.signed:
        yield Sent("negative", "-1", REFUSED)


def _texts(field: Field) -> Iterator[Sent]:
    yield Sent("too long", "1" * (field.size + 1), REFUSED)
    yield Sent("too long in Chinese", HAN * (field.size + 1), REFUSED)
    yield Sent("as long as may be", HAN * field.size, EITHER)
    yield Sent("NUL", "a\x00", REFUSED)
    yield Sent("half a character", "a\ud800", REFUSED)
    if field.dictionary in code_lists() and field.dictionary not in open_lists():
        yield Sent("no code", "~", REFUSED)


def places(nodes: tuple[Node, ...], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Each field with the nodes in which it lies."""
    for node in nodes:
        yield from (((*path, node.name), field) for field in node.fields)
        yield from places(node.nodes, (*path, node.name))


def put(given: Any, nodes: tuple[Node, ...], path: tuple[str, ...], name: str, value: Any) -> Any:
    """The input with another value in the first row of a node; a node that is not there is made, with what it needs."""
    row = found = copy.deepcopy(given)
    for at in path:
        node = next(node for node in nodes if node.name == at)
        nodes = node.nodes
        row = row.setdefault(at, {field.name: "1" for field in node.fields if field.required})
        row = row[0] if isinstance(row, list) else row
    if value is ABSENT:
        row.pop(name, None)
    else:
        row[name] = value
    return found


def each_field(stand: Stand, number: str) -> None:
    """All fields of one transaction. What is refused has written nothing; what succeeded makes a new scene."""
    now = scene(stand, number)
    plain = now.program.say(number, now.given) if number != "9102" else None
    if plain is not None and not answers.succeeded(plain):
        stand.told.findings.append(f"the scene of {number} does not succeed: {plain['err_msg']}")
        return
    now = scene(stand, number)
    for path, field in places(fields.tables(number).input):
        now = _one_field(stand, number, now, path, field)
    for node in fields.tables(number).input:
        now = _one_node(stand, number, now, node)


def _one_field(stand: Stand, number: str, now: Scene, path: tuple[str, ...], field: Field) -> Scene:
    before, refused, nodes = world.written(), 0, fields.tables(number).input
    for sent in values(field):
        what = f"{number} {'.'.join(path)}.{field.name} {sent.how}"
        done = _send(now.program, number, put(now.given, nodes, path, field.name, sent.value), what, field, sent.wanted)
        if done:
            stand.told.hold(f"{what} was taken", sent.wanted != REFUSED)
            _unwritten(stand, what, before, refused, stopped=True)
            now = now if number in REPEATABLE else scene(stand, number)
            before, refused = world.written(), 0
        else:
            refused += 1
    _unwritten(stand, f"{number} {field.name}", before, refused)
    return now


def _unwritten(stand: Stand, what: str, before: dict[str, int], refused: int, *, stopped: bool = False) -> None:
    """After refusals alone the database is what it was; a success in between ends the count."""
    if stopped or not refused:
        return
    after = world.written()
    changed = {name: (before[name], count) for name, count in after.items() if count != before[name]}
    stand.told.hold(f"{what}: refusals write nothing", not changed, changed)


def _send(program: Program, number: str, given: Any, what: str, field: Field, wanted: str) -> bool:
    """Whether it was done; if it was refused, the text names the field."""
    reply = program.post(number, _message(program, number, given))
    if reply.content_type == "application/octet-stream":
        return True
    answer = program.read(number, reply)
    if answers.succeeded(answer):
        return True
    said, code = answer["err_msg"], answers.code(answer)
    program.told.hold(f"{what} names the field", field.name in said, said)
    if wanted == REFUSED:
        program.told.hold(f"{what} is a fault of the field", code.startswith("field_"), said)
    return False


def _message(program: Program, number: str, given: Any) -> bytes:
    """JSON, also with what UTF-8 cannot write."""
    text = program.message(number, {"placeholder": 0}).decode()
    return text.replace('{"placeholder": 0}', messages.json_of(given)).encode()


def _one_node(stand: Stand, number: str, now: Scene, node: Node) -> Scene:
    before = world.written()
    wrong: list[tuple[str, Any]] = [("missing", ABSENT), ("text", "x"), ("number", 1), ("a list of texts", ["x"])]
    wrong += [("empty list", []), ("null", None), ("a list in a list", [[{}]]), ("two rows", [{}, {}])]
    for how, value in wrong:
        given = {name: row for name, row in now.given.items() if name != node.name}
        given |= {} if value is ABSENT else {node.name: value}
        reply = now.program.post(number, _message(now.program, number, given))
        answer = now.program.read(number, reply)
        what = f"{number} node {node.name} {how}"
        if answers.succeeded(answer):
            stand.told.hold(f"{what} was taken", not node.required, given)
            now = now if number in REPEATABLE else scene(stand, number)
            before = world.written()
        else:
            stand.told.hold(f"{what} names the node", node.name in answer["err_msg"], answer["err_msg"])
    _unwritten(stand, f"{number} node {node.name}", before, 1)
    return now


def jobs() -> list[Job]:
    """A job a transaction."""
    return [Job("fields", number, partial(each_field, number=number)) for number in numbers()]
