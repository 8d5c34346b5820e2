"""The other ways to sign: each with its published form, what it does not believe, and two keys at once."""

import datetime
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes

from accounts.clock import now
from gateway import client, signatures
from gateway.actions import keys
from gateway.enums import Variant
from gateway.models import GatewayMessage, SignIn
from tests.gateway.world import Hospital, World, credential


def other(world: World, variant: str) -> Hospital:
    """The same hospital with a key of another variant."""
    since = now() - datetime.timedelta(days=1)
    key, secret = keys.issue(institution=world.hospital.institution, by=None, variant=variant, at=since)
    return Hospital(world.hospital.institution, key.key_id, secret)


def headers_of(hospital: Hospital, variant: str, body: bytes, **more) -> dict[str, str]:
    match variant:
        case Variant.X_CA:
            return client.x_ca_headers(hospital.institution.code, hospital.secret, body, **more)
        case Variant.API:
            return client.api_headers(hospital.key_id, hospital.secret, "1101", **more)
        case Variant.API_KEY:
            return client.api_key_headers(hospital.key_id, hospital.secret)
    return client.signed_headers(hospital.key_id, hospital.secret, **more)


def body_of(world: World, **changed) -> bytes:
    sent = client.envelope("1101", {"data": credential(world.patient)}, world.hospital.institution.code) | changed
    return json.dumps(sent).encode()


def code(response) -> str:
    assert response.status_code == 200
    answer = response.json()
    return "" if answer["infcode"] == 0 else answer["err_msg"].rpartition("[")[2].rstrip("]")


@pytest.mark.parametrize("variant", Variant.values)
def test_a_signed_call_is_answered(world: World, variant: str) -> None:
    hospital, body = other(world, variant), body_of(world)
    assert code(hospital.post(body, headers_of(hospital, variant, body))) == ""
    assert GatewayMessage.objects.get().key.variant == variant


@pytest.mark.parametrize("variant", Variant.values)
def test_another_secret_is_not_believed(world: World, variant: str) -> None:
    hospital, body = other(world, variant), body_of(world)
    hospital.secret = "0" * 64
    assert code(hospital.post(body, headers_of(hospital, variant, body))) == "signature_wrong"


@pytest.mark.parametrize("variant", Variant.values)
def test_a_key_signs_in_its_own_way_only(world: World, variant: str) -> None:
    hospital, body = world.hospital, body_of(world)
    mine = variant == Variant.X_TIF
    assert code(hospital.post(body, headers_of(hospital, variant, body))) == ("" if mine else "key_unknown")


@pytest.mark.parametrize("variant", [Variant.X_TIF, Variant.X_CA, Variant.API])
def test_the_same_call_twice(world: World, variant: str) -> None:
    hospital, body = other(world, variant), body_of(world)
    headers = headers_of(hospital, variant, body)
    assert [code(hospital.post(body, headers)) for _ in range(2)] == ["", "nonce_used"]


@pytest.mark.parametrize("variant", [Variant.X_CA, Variant.API])
def test_what_acts_once_may_come_twice_in_one_second(world: World, variant: str) -> None:
    """Without a nonce a message that is signed anew within the second is the same bytes: no replay, but a second try."""
    hospital, signing = other(world, variant), {"signIn": {"opter_no": "1", "mac": "0", "ip": "0"}}
    body = body_of(world, infno="9001", input=signing)
    headers = headers_of(hospital, variant, body, timestamp=int(now().timestamp()))
    answers = [hospital.post(body, headers) for _ in range(3)]
    assert [code(answer) for answer in answers] == ["", "", ""]
    assert len({answer.content for answer in answers}) == 1
    assert SignIn.objects.count() == 1


def test_a_nonce_that_was_sent_is_not_forgiven(world: World) -> None:
    hospital, signing = world.hospital, {"signIn": {"opter_no": "1", "mac": "0", "ip": "0"}}
    body = body_of(world, infno="9001", input=signing)
    headers = headers_of(hospital, Variant.X_TIF, body)
    assert [code(hospital.post(body, headers)) for _ in range(2)] == ["", "nonce_used"]


@pytest.mark.parametrize(
    ("variant", "shift", "refused"),
    [
        (Variant.X_CA, 240, ""),
        (Variant.X_CA, -360, "timestamp_off"),
        (Variant.X_CA, 360, "timestamp_off"),
        (Variant.API, 1500, ""),
        (Variant.API, -1500, ""),
        (Variant.API, 1900, "timestamp_off"),
        (Variant.API, -1900, "timestamp_off"),
    ],
)
def test_clocks_that_are_off(world: World, variant: str, shift: int, refused: str) -> None:
    hospital, body = other(world, variant), body_of(world)
    moment = int(now().timestamp()) + shift
    assert code(hospital.post(body, headers_of(hospital, variant, body, timestamp=moment))) == refused


def test_seconds_do_where_milliseconds_are_said(world: World) -> None:
    hospital, body = other(world, Variant.API), body_of(world)
    for moment in (int(now().timestamp()), int(now().timestamp() * 1000)):
        assert code(hospital.post(body, headers_of(hospital, Variant.API, body, timestamp=moment))) == ""


def test_two_calls_of_one_second_are_two(world: World) -> None:
    """Ten-digit timestamps make the same signature for both; the bodies differ."""
    hospital, moment = other(world, Variant.API), int(now().timestamp())
    for _ in range(2):
        body = body_of(world)
        assert code(hospital.post(body, headers_of(hospital, Variant.API, body, timestamp=moment))) == ""


def test_headers_with_hyphens_as_a_proxy_renames_them(world: World) -> None:
    hospital, body = other(world, Variant.API), body_of(world)
    headers = {
        f"x-{name[1:].replace('_', '-')}": value for name, value in headers_of(hospital, Variant.API, body).items()
    }
    assert code(hospital.post(body, headers)) == ""


def test_a_changed_body_is_found_where_the_signature_covers_it(world: World) -> None:
    hospital, body = other(world, Variant.X_CA), body_of(world)
    headers = headers_of(hospital, Variant.X_CA, body)
    assert code(hospital.post(body + b" ", headers)) == "signature_wrong"


@pytest.mark.parametrize("variant", Variant.values)
def test_two_keys_sign_while_an_institution_changes_over(world: World, variant: str) -> None:
    old, new = other(world, variant), other(world, variant)
    for hospital in (old, new, old):
        body = body_of(world)
        assert code(hospital.post(body, headers_of(hospital, variant, body))) == ""
    keys.retire(key=new.institution.gateway_keys.get(key_id=old.key_id), by=None)
    refused = []
    for hospital in (old, new):
        body = body_of(world)
        refused.append(code(hospital.post(body, headers_of(hospital, variant, body))))
    assert refused == ["key_expired", ""]


def test_a_key_issued_while_others_are_remembered(world: World) -> None:
    first = other(world, Variant.X_CA)
    body = body_of(world)
    assert code(first.post(body, headers_of(first, Variant.X_CA, body))) == ""
    second = other(world, Variant.X_CA)
    body = body_of(world)
    assert code(second.post(body, headers_of(second, Variant.X_CA, body))) == ""


def test_whoever_leaves_out_a_header_is_told_those_of_his_own_way(world: World) -> None:
    hospital, body = other(world, Variant.API), body_of(world)
    headers = headers_of(hospital, Variant.API, body)
    del headers["_api_signature"]
    answer = hospital.post(body, headers).json()
    assert "_api_signature" in answer["err_msg"]
    assert "x-tif" not in answer["err_msg"]


@pytest.mark.parametrize(
    ("changed", "refused", "message"),
    [
        ({"_api_signature": ""}, "headers_missing", "缺少服务网关的请求头!"),
        (dict.fromkeys(signatures.Api.headers, ""), "headers_missing", "缺少服务网关的请求头!"),
        ({"_api_timestamp": "1700000000000"}, "timestamp_off", "签名时间戳超时!"),
        ({"_api_access_key": "nobody"}, "key_unknown", "非法用户!"),
        ({"_api_signature": "AAAA"}, "signature_wrong", "签名不一致!"),
    ],
)
def test_programs_that_sign_as_api_find_the_words_of_their_own_gateway(
    world: World, changed: dict, refused: str, message: str
) -> None:
    hospital, body = other(world, Variant.API), body_of(world)
    response = hospital.post(body, headers_of(hospital, Variant.API, body) | changed)
    answer = response.json()
    assert (answer["infcode"], code(response)) == (-1, refused)
    assert (answer["code"], answer["message"]) == (401, message)


def test_others_find_the_envelope_and_nothing_beside(world: World) -> None:
    hospital, body = other(world, Variant.X_TIF), body_of(world)
    headers = headers_of(hospital, Variant.X_TIF, body) | {"x-tif-signature": "0" * 64}
    response = hospital.post(body, headers)
    assert code(response) == "signature_wrong"
    assert not {"code", "message"} & response.json().keys()


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_is_that_of_the_standard(text: bytes, digest: str) -> None:
    """The two examples of GB/T 32905 (GM/T 0004), annex A."""
    made = hashes.Hash(hashes.SM3())
    made.update(text)
    assert made.finalize().hex() == digest


def test_the_signature_of_zhejiang_is_hmac_by_its_definition() -> None:
    secret, body = "s3cret", '{"名":"值"}'.encode()
    key = secret.encode().ljust(64, b"\0")
    inner = hashlib.new("sm3", bytes(byte ^ 0x36 for byte in key) + b"1700000000\n" + body).digest()
    outer = hashlib.new("sm3", bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    scheme = signatures.XCa()
    claimed = scheme.claimed(["H33010000001", f"1700000000:{outer.upper()}"])
    assert scheme.sign(secret, claimed, body) == claimed.signature == outer
    assert (
        client.x_ca_headers("H", secret, body, timestamp=1700000000)["x-ca-signature"] == f"1700000000:{outer.upper()}"
    )


def test_the_signature_of_hunan_is_the_published_one() -> None:
    """Base64(HmacSHA1(secret, the four headers in the order of their names))."""
    text = "_api_access_key=AK&_api_name=1101&_api_timestamp=1700000000000&_api_version=1.0.0"
    headers = client.api_headers("AK", "SK", "1101", timestamp=1700000000000)
    import base64

    assert headers["_api_signature"] == base64.b64encode(hmac.new(b"SK", text.encode(), hashlib.sha1).digest()).decode()
    scheme = signatures.Api()
    claimed = scheme.claimed([headers[name] for name in scheme.headers])
    assert scheme.sign("SK", claimed, b"") == headers["_api_signature"]
