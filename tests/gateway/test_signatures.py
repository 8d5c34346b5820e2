"""Who may call: a table of headers and what is said to them."""

from hashlib import sha256

import pytest
from django.db import connection

from accounts.clock import now
from gateway import signatures
from gateway.client import signed_headers
from gateway.errors import Rejected
from gateway.models import GatewayMessage
from tests.gateway.world import World, credential

NOW = now()
SECONDS = int(NOW.timestamp())


def test_the_signature_is_the_published_one() -> None:
    """hex SHA-256 of timestamp + secret + nonce + timestamp; reckoned apart from both our implementations."""
    headers = signed_headers("K", "s3cret", timestamp=1700000000, nonce="abc")
    assert headers["x-tif-signature"] == sha256(b"1700000000s3cretabc1700000000").hexdigest()
    scheme = signatures.XTif()
    claimed = scheme.claimed([headers[name] for name in scheme.headers])
    assert scheme.sign("s3cret", claimed, b"") == headers["x-tif-signature"]


CASES = {
    "right": ({}, None),
    "upper case": ({"x-tif-signature": str.upper}, None),
    "four minutes early": ({"timestamp": -240}, None),
    "four minutes late": ({"timestamp": 240}, None),
    "six minutes early": ({"timestamp": -360}, "timestamp_off"),
    "six minutes late": ({"timestamp": 360}, "timestamp_off"),
    "milliseconds": ({"x-tif-timestamp": lambda value: value + "000"}, "timestamp_off"),
    "no number": ({"x-tif-timestamp": lambda value: "yesterday"}, "timestamp_off"),
    "other digits": ({"x-tif-timestamp": lambda value: "１" + value[1:]}, "headers_missing"),
    "another nonce": ({"x-tif-nonce": lambda value: value + "0"}, "signature_wrong"),
    "empty signature": ({"x-tif-signature": lambda value: ""}, "headers_missing"),
    "cut signature": ({"x-tif-signature": lambda value: value[:-1]}, "signature_wrong"),
    "unknown key": ({"x-tif-paasid": lambda value: "nobody"}, "key_unknown"),
    "control character": ({"x-tif-nonce": lambda value: "a\x00b"}, "headers_missing"),
    "endless nonce": ({"x-tif-nonce": lambda value: "a" * 65}, "headers_missing"),
    "endless key": ({"x-tif-paasid": lambda value: "a" * 129}, "headers_missing"),
}


@pytest.mark.parametrize("name", CASES)
def test_headers(world: World, name: str) -> None:
    changes, refused = CASES[name]
    shift = changes.get("timestamp", 0)
    headers = signed_headers(world.hospital.key_id, world.hospital.secret, timestamp=SECONDS + shift)
    for header, change in changes.items():
        if header in headers:
            headers[header] = change(headers[header])
    if refused is None:
        key, nonce = signatures.authenticate(headers, b"", at=NOW)
        assert key.institution == world.hospital.institution
        assert nonce == headers["x-tif-nonce"]
    else:
        with pytest.raises(Rejected) as rejected:
            signatures.authenticate(headers, b"", at=NOW)
        assert rejected.value.code == refused


@pytest.mark.parametrize("header", signatures.XTif.headers)
def test_a_missing_header(world: World, header: str) -> None:
    headers = signed_headers(world.hospital.key_id, world.hospital.secret)
    del headers[header]
    answer = world.hospital.post(b"{}", headers).json()
    assert answer["infcode"] == -1
    assert answer["err_msg"].endswith("[headers_missing]")
    assert "、".join(signatures.XTif.headers) in answer["err_msg"]


def test_the_secret_of_another_institution_does_not_open(world: World) -> None:
    headers = signed_headers(world.hospital.key_id, "0" * 64)
    assert world.hospital.post(b"{}", headers).json()["err_msg"].endswith("[signature_wrong]")


def test_a_key_speaks_for_its_own_institution_only(world: World) -> None:
    answer = world.hospital.call("1101", {"data": credential(world.patient)}, fixmedins_code="H99999999999")
    assert answer["err_msg"].endswith("[institution_unknown]")
    assert GatewayMessage.objects.count() == 0


def test_a_suspended_institution_is_told_so(world: World) -> None:
    world.hospital.institution.is_active = False
    world.hospital.institution.save()
    answer = world.hospital.call("1101", {"data": credential(world.patient)})
    assert answer["err_msg"].endswith("[institution_suspended]")


def test_the_secret_is_not_readable_in_the_database(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM gateway_institutionkey")
        assert world.hospital.secret.encode() not in bytes(cursor.fetchone()[0])
