"""What the envelope takes and sends back: HTTP 200 always, never a 500, nothing written for what is no message."""

import gzip
import json
import re
import zlib

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import envelope, fields
from gateway.client import PATH, signed_headers
from gateway.client import envelope as wrap
from gateway.domain import json_text
from gateway.errors import Rejected
from gateway.models import GatewayMessage, Visit
from tests.gateway.world import World, credential, visit_input

ANSWER_KEYS = [
    "infcode", "inf_refmsgid", "refmsg_time", "respond_time", "warn_msg", "cainfo", "signtype", "err_msg", "output",
]  # fmt: skip


def code(answer: dict) -> str:
    assert list(answer) == ANSWER_KEYS
    assert answer["infcode"] == -1
    assert answer["err_msg"].startswith("FSI-")
    assert len(answer["err_msg"]) <= 200
    assert answer["output"] is None
    return re.search(r"\[(\w+)\]$", answer["err_msg"])[1]


def sound(world: World, **changed) -> dict:
    return wrap("1101", {"data": credential(world.patient)}, world.hospital.institution.code) | changed


def test_a_success_is_shaped_as_real_answers_are(world: World) -> None:
    response = world.hospital.post(json.dumps(sound(world)).encode())
    answer = response.json()
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert list(answer) == ANSWER_KEYS
    assert answer["infcode"] == 0
    assert re.fullmatch(r"310000[0-9]{24}", answer["inf_refmsgid"])
    assert re.fullmatch(r"[0-9]{17}", answer["refmsg_time"])
    assert answer["refmsg_time"] <= answer["respond_time"]
    # Amounts are JSON numbers with their decimals, not texts and not 1.5e2.
    assert b'"balc":150.00' in response.content


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", "body_not_json"),
        (b"{", "body_not_json"),
        (b"[]", "node_missing"),
        (b"null", "node_missing"),
        (b'"text"', "node_missing"),
        (b"{}", "field_missing"),
        (b'{"infno": NaN}', "body_constant"),
        (b'{"infno": Infinity}', "body_constant"),
        (b"[" * 100_000, "body_too_deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body_too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "body_too_deep"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "body_too_deep"),
        (b'{"infno":"1101","infno":"2207"}', "field_repeated"),
        (b'{"infno":1e999999999,"msgid":"1","fixmedins_code":"H"}', "field_too_long"),
        (b'{"infno":"1101","msgid":"1","fixmedins_code":"' + b"H" * 40_001 + b'"}', "field_too_long"),
        ('{"opter_name":"张三"}'.encode("gbk"), "body_not_utf8"),
        (b"\xff\xfe\x00", "body_not_utf8"),
        (gzip.compress(b'{"infno":"1101"}', mtime=0), "body_compressed"),
        (b'{"infno":"1101\\u0000","msgid":"1","fixmedins_code":"H"}', "field_format"),
        (b'{"infno":"1101","msgid":"\\ud800","fixmedins_code":"H"}', "field_format"),
        (b'{"infno":{"a":1},"msgid":"1","fixmedins_code":"H"}', "field_format"),
        (b'{"infno":true,"msgid":"1","fixmedins_code":"H"}', "field_format"),
        (b'{"infno":"1101","msgid":"' + b"1" * 31 + b'","fixmedins_code":"H"}', "field_too_long"),
        (b"x" * (10 * 2**20), "body_too_large"),
    ],
)
def test_a_body_that_is_no_message(world: World, body: bytes, refused: str) -> None:
    response = world.hospital.post(body)
    assert response.status_code == 200
    assert code(response.json()) == refused
    assert GatewayMessage.objects.count() == 0


def test_a_compressed_message_is_told_so_and_a_readable_one_is_read(world: World) -> None:
    body = json.dumps(sound(world)).encode()
    for encoding, packed in (("gzip", gzip.compress(body, mtime=0)), ("Deflate", zlib.compress(body))):
        signed = signed_headers(world.hospital.key_id, world.hospital.secret)
        answer = world.hospital.post(packed, {**signed, "Content-Encoding": encoding}).json()
        assert code(answer) == "body_compressed"
    # Programs write the character set there; it can be read all the same.
    signed = signed_headers(world.hospital.key_id, world.hospital.secret)
    assert world.hospital.post(body, {**signed, "Content-Encoding": "UTF-8"}).json()["infcode"] == 0
    assert GatewayMessage.objects.count() == 1


def test_an_unknown_transaction(world: World) -> None:
    assert code(world.hospital.call("9999", {})) == "infno_unknown"
    assert code(world.hospital.call("envelope", {})) == "infno_unknown"
    assert GatewayMessage.objects.count() == 0


def test_the_number_in_the_address_must_be_that_of_the_message(world: World) -> None:
    body = json.dumps(sound(world)).encode()
    assert world.hospital.post(body, path=f"{PATH}/1101").json()["infcode"] == 0
    assert code(world.hospital.post(body, path=f"{PATH}/2207").json()) == "infno_mismatch"


def test_only_post_is_answered(world: World) -> None:
    assert Client().get(PATH).status_code == 405


def test_no_cookie_and_no_token_is_needed(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    signed = signed_headers(world.hospital.key_id, world.hospital.secret)
    response = strict.post(PATH, json.dumps(sound(world)), content_type="text/plain", headers=signed)
    assert response.json()["infcode"] == 0
    assert not response.cookies


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sent: sent | {"input": json.dumps(sent["input"])}, id="input as a text that holds JSON"),
        pytest.param(lambda sent: sent | {"dev_no": None, "cainfo": "null", "sign_no": "NULL"}, id="kinds of null"),
        pytest.param(lambda sent: sent | {"fixmedins_soft_fcty": "x", "enc_type": ""}, id="fields of other regions"),
        pytest.param(lambda sent: sent | {"input": {"data": [sent["input"]["data"]]}}, id="one row in a list"),
        pytest.param(lambda sent: sent | {"opter_type": "01"}, id="padded code"),
        pytest.param(
            lambda sent: sent | {"input": {"data": sent["input"]["data"] | {"mdtrt_cert_type": "2"}}}, id="bare code"
        ),
        pytest.param(lambda sent: {"infno": 1101} | {k: v for k, v in sent.items() if k != "infno"}, id="number"),
        pytest.param(
            lambda sent: {k: sent[k] for k in ("infno", "msgid", "fixmedins_code", "input")}, id="bare envelope"
        ),
    ],
)
def test_habits_of_real_clients_are_taken(world: World, change) -> None:
    answer = world.hospital.post(json.dumps(change(sound(world))).encode()).json()
    assert answer["infcode"] == 0, answer["err_msg"]


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_the_content_type_does_not_matter(world: World, content_type: str) -> None:
    signed = signed_headers(world.hospital.key_id, world.hospital.secret)
    body = json.dumps(sound(world)).encode()
    response = world.hospital.client.post(PATH, body, content_type=content_type, headers=signed)
    assert response.json()["infcode"] == 0


def test_a_byte_order_mark_does_no_harm(world: World) -> None:
    assert world.hospital.post(b"\xef\xbb\xbf" + json.dumps(sound(world)).encode()).json()["infcode"] == 0


def test_a_failure_inside_is_an_answer_and_can_be_repeated(world: World, monkeypatch) -> None:
    visit = {"data": visit_input(world.patient)}
    with monkeypatch.context() as patched:
        patched.setattr("gateway.actions.visits.new_number", lambda *args: 1 / 0)
        assert code(world.hospital.call("2201", visit, msgid="M1")) == "system_error"
    assert Visit.objects.count() == 0
    assert GatewayMessage.objects.get().outcome == "ZeroDivisionError"
    assert world.hospital.call("2201", visit, msgid="M1")["infcode"] == 0


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["1", "null"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = sorted(
    {field.name for number in fields.known() for node in fields.tables(number).input for field in node.fields}
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    infno=st.sampled_from([*sorted(fields.known()), "0"]),
    rows=st.dictionaries(st.sampled_from(names), json_values, max_size=12),
    extra=st.dictionaries(st.text(max_size=12), json_values, max_size=3),
)
def test_whatever_is_sent_the_answer_is_an_envelope(world: World, infno: str, rows: dict, extra: dict) -> None:
    sent = extra | sound(world, infno=infno, input={"data": rows, "feedetail": [rows]})
    response = world.hospital.post(json.dumps(sent).encode())
    assert response.status_code == 200
    assert list(response.json()) == ANSWER_KEYS
    assert response.json()["infcode"] == 0 or code(response.json()) != "system_error"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    try:
        envelope.read(body)
    except Rejected as rejected:
        assert rejected.code


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_json_comes_back_as_it_went(value) -> None:
    assert json.loads(json_text.dumps(value)) == value if _is_exact(value) else True


def _is_exact(value) -> bool:
    """Lone surrogates cannot be written as UTF-8 and never get this far."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
