"""e. What is no message: broken bytes, other encodings, endless and deep JSON, repeated names; always the envelope."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conformance import answers, messages, scenes, steps, world
from conformance.carrier import Http
from conformance.program import Program
from conformance.scenes import scene
from conformance.stand import Job, Stand
from conformance.visits import EXAMPLES
from gateway import fields

MEGABYTE = 2**20
# A refusal that says what to mend; `system_error` is a fault of the portal, and the envelope's check finds it.
ANY = ""


def bodies(program: Program, good: bytes) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes, and the code of the refusal that must follow; ANY: none in particular, or even a success."""
    text = good.decode()
    yield "nothing", b"", "body_not_json"
    yield "half of it", good[: len(good) // 2], "body_not_json"
    yield "GBK", text.replace('"opter_name": "client"', '"opter_name": "张三"').encode("gbk"), "body_not_utf8"
    yield "UTF-16", text.encode("utf-16"), "body_not_utf8"
    yield "broken UTF-8", good.replace(b'"client"', b'"\xe5\xbc"'), "body_not_utf8"
    yield "overlong UTF-8", good.replace(b'"client"', b'"\xc0\xaf"'), "body_not_utf8"
    yield "a byte order mark", b"\xef\xbb\xbf" + good, ANY
    yield "NUL bytes around", b"\x00" + good, "body_not_json"
    yield "a NUL byte in a text", good.replace(b'"client"', b'"cli\x00ent"'), "body_not_json"
    yield "an escaped NUL", good.replace(b'"client"', b'"cli\\u0000ent"'), "field_format"
    yield "half a surrogate", good.replace(b'"client"', b'"\\ud800"'), "field_format"
    yield "an array", b"[" + good + b"]", "node_missing"
    yield "a text", json.dumps(text).encode(), "node_missing"
    yield "a number", b"1", "node_missing"
    yield "null", b"null", "node_missing"
    yield "true", b"true", "node_missing"
    yield "an empty object", b"{}", "field_missing"
    yield "two messages", good + good, "body_not_json"
    yield "a comma too many", good[:-1] + b",}", "body_not_json"
    yield "single quotes", text.replace('"', "'").encode(), "body_not_json"
    yield "XML", b"<?xml version='1.0'?><data/>", "body_not_json"
    yield "a form", b"data=1&infno=1101", "body_not_json"
    yield "a repeated name", good[:-1] + b',"infno":"2207"}', "field_repeated"
    yield "NaN", good.replace(b'"client"', b"NaN"), "body_constant"
    yield "Infinity", good.replace(b'"client"', b"-Infinity"), "body_constant"
    yield "a deep list", b"[" * 100_000, "body_too_deep"
    yield "deep objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "body_too_deep"
    yield (
        "a deep input",
        good.replace(b'"input": {', b'"input": {"deep": ' + b"[" * 40 + b"]" * 40 + b", "),
        "body_too_deep",
    )
    yield "an endless number", good.replace(b'"client"', b"1" * 5000), "field_too_long"
    yield "a number to the power of a billion", good.replace(b'"client"', b"1e999999999"), ANY
    yield "40,001 characters in a field", good.replace(b'"client"', b'"' + b"x" * 40_001 + b'"'), "field_too_long"
    yield (
        "40,001 characters of input",
        good.replace(b'"input": {', b'"input": {"more": "' + b"x" * 40_001 + b'", '),
        ANY,
    )
    yield "10 MB of blanks", good + b" " * (10 * MEGABYTE), "body_too_large"
    yield "10 MB of nothing", b"x" * (10 * MEGABYTE), "body_too_large"
    yield "a thousand fields", good[:-1] + b"".join(b',"f%d":1' % at for at in range(1000)) + b"}", ANY
    yield "a message without its number", good.replace(b'"infno"', b'"infnr"'), "field_missing"
    yield "a number that there is not", good.replace(b'"1101"', b'"9999"'), "infno_unknown"


def refused_bytes(stand: Stand) -> None:
    """Each of them, over one kept connection; the good message between them is answered, so the line still stands."""
    program = scenes.hospital(stand)
    person = world.person(scenes.REGION)
    before = world.written()
    for what, body, code in bodies(program, program.message("1101", messages.look_up(person))):
        answer = program.read("1101", program.post("1101", body))
        said = f"{what}: {answer['err_msg']}"
        stand.told.hold(f"{what} wanted [{code}]", not code or answers.code(answer) == code, said)
    changed = {name: count for name, count in world.written().items() if count != before[name]}
    changed.pop("accounts_auditevent", None)
    stand.told.hold("noise writes nothing", not changed, changed)
    steps.look_up(program, person)


def strange_requests(stand: Stand) -> None:
    """Other addresses, headers and methods."""
    program = scenes.hospital(stand)
    good = program.message("1101", messages.look_up(world.person(scenes.REGION)))
    for path, code in (
        ("/fsi/api/rsfComIfsService/callService/2207", "infno_mismatch"),
        ("/fsi/api/outpatientSettleService/saveSettletmentV2", "infno_mismatch"),
        ("/fsi/api/nobody/knows", "path_unknown"),
        ("/fsi/api/rsfComIfsService/callService/api_1101", ""),
        ("/fsi/api/rsfComIfsService/callService/hsa-fsi-1101", ""),
    ):
        answer = program.read("1101", program.post("1101", good, path=path))
        stand.told.hold(f"{path} wanted [{code}]", answers.code(answer) == code, answer["err_msg"])
    for name, value, code in (
        ("x-tif-signature", "0" * 64, "signature_wrong"),
        ("x-tif-signature", "", "headers_missing"),
        ("x-tif-timestamp", "1", "timestamp_off"),
        ("x-tif-timestamp", "9" * 40, "timestamp_off"),
        ("x-tif-timestamp", "now", "timestamp_off"),
        ("x-tif-nonce", "n" * 500, "headers_missing"),
        ("x-tif-paasid", "nobody", "key_unknown"),
        ("x-tif-paasid", "' OR 1=1 --", "key_unknown"),
    ):
        answer = program.read("1101", program.post("1101", good, headers={name: value}))
        stand.told.hold(f"{name}: {value[:20]} wanted [{code}]", answers.code(answer) == code, answer["err_msg"])
    for kind in ("", "application/x-www-form-urlencoded", "multipart/form-data", "text/xml; charset=gbk"):
        answer = program.read("1101", program.post("1101", good, headers={"Content-Type": kind}))
        stand.told.hold(f"Content-Type {kind!r} is not looked at", answers.succeeded(answer), answer["err_msg"])


def broken_forms(stand: Stand) -> None:
    """9101 as a form that is not what it says."""
    program = scenes.hospital(stand)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    given = {"fsUploadIn": {"filename": "a.zip", "fixmedins_code": program.signer.code}}
    message = program.message("9101", given)
    part = b'--x\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n' + message + b"\r\n"
    for what, body in {
        "no part": b"--x--\r\n",
        "no end": part,
        "no file": part + b"--x--\r\n",
        "two messages": part + part + b"--x--\r\n",
        "another boundary": part.replace(b"--x", b"--y") + b"--y--\r\n",
        "no name": b"--x\r\n\r\n" + message + b"\r\n--x--\r\n",
        "bytes": b"--x\r\n" + bytes(range(256)) * 20,
        "a thousand parts": part * 1000 + b"--x--\r\n",
    }.items():
        before = world.written()
        answer = program.read("9101", program.post("9101", body, headers=kind))
        refused = not answers.succeeded(answer)
        stand.told.hold(f"a form with {what} is refused, or taken whole", refused or what == "two messages", answer)
        stand.told.hold(f"a form with {what} writes nothing", not refused or world.written() == before)


def large_in_chunks(stand: Stand) -> None:
    """Ten megabytes whose length nobody says; the line stands afterwards."""
    program, carrier = scenes.hospital(stand), stand.carrier
    if not isinstance(carrier, Http):
        return
    body = b" " * (10 * MEGABYTE)
    headers = program.manner.headers(program.signer, "1101", body)
    program.told.messages += 1
    reply = carrier.post_in_chunks(program.manner.path("1101"), body, headers, size=65_536)
    answer = program.read("1101", reply)
    stand.told.hold("10 MB in chunks", answers.code(answer) == "body_too_large", answer["err_msg"])
    steps.look_up(program, world.person(scenes.REGION))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
    | st.sampled_from(["1", "null", "0", "-1", "310", "1E+99", "2026-11-22 00:00:00", "\x00", "'; DROP TABLE", "%s", "{}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


def by_chance(stand: Stand, *, examples: int, repeatable: bool = False) -> None:
    """Good inputs with any values anywhere, and inputs of nothing but chance: an envelope, and never a fault of ours."""
    known = {number: scene(stand, number) for number in NUMBERS}
    names = {number: _names(number) for number in NUMBERS}

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=repeatable, report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def each(data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(NUMBERS))
        node, name = data.draw(st.sampled_from(names[number]))
        now = known[number]
        row = {name: data.draw(VALUES)} | data.draw(st.dictionaries(st.text(max_size=8), VALUES, max_size=2))
        sent = _with(now.given, node, row) if data.draw(st.booleans()) else data.draw(VALUES)
        before = len(stand.told.findings)
        text = now.program.message(number, {"placeholder": 0}).decode()
        body = text.replace('{"placeholder": 0}', messages.json_of(sent)).encode()
        now.program.read(number, now.program.post(number, body))
        assert len(stand.told.findings) == before, stand.told.findings[before:]

    each()


# Without those whose answer may be a file, or whose scene a lucky message uses up at no use to anybody.
NUMBERS = [number for number in scenes.numbers() if number not in ("9102",)]


def _names(number: str) -> list[tuple[str, str]]:
    return [(node.name, field.name) for node in fields.tables(number).input for field in node.fields]


def _with(given: Any, node: str, row: Any) -> Any:
    rows = given.get(node, {})
    changed = [rows[0] | row, *rows[1:]] if isinstance(rows, list) else rows | row
    return given | {node: changed}


def bytes_by_chance(stand: Stand, *, examples: int, repeatable: bool = False) -> None:
    """A good message with some of its bytes changed."""
    program = scenes.hospital(stand)
    person = world.person(scenes.REGION)

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=repeatable, report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(st.tuples(st.integers(0, 900), st.binary(max_size=4)), min_size=1, max_size=6))
    def each(changes: list[tuple[int, bytes]]) -> None:
        body = bytearray(program.message("1101", messages.look_up(person)))
        for at, piece in changes:
            body[at : at + len(piece)] = piece
        before = len(stand.told.findings)
        program.read("1101", program.post("1101", bytes(body)))
        assert len(stand.told.findings) == before, stand.told.findings[before:]

    each()


def jobs() -> list[Job]:
    """The known kinds of noise, and as much by chance as CONFORMANCE_EXAMPLES asks for."""
    plays = {
        "bytes": refused_bytes,
        "requests": strange_requests,
        "forms": broken_forms,
        "chunks": large_in_chunks,
        "values by chance": partial(by_chance, examples=EXAMPLES * 4),
        "bytes by chance": partial(bytes_by_chance, examples=EXAMPLES * 4),
    }
    return [Job("noise", what, play) for what, play in plays.items()]
