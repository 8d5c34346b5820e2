"""What an institution has of its own: addresses, infcode as a text, more fields, sign-in; and where it may post."""

import datetime
import json
from hashlib import md5

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts import clock
from accounts.clock import now
from gateway import client as clients
from gateway.actions import keys
from gateway.models import GatewayMessage, InstitutionSettings, SignIn, Visit
from gateway.paths import SERVICES
from tests.gateway.world import World, credential, visit_input

SIGN_IN = {"signIn": {"opter_no": "D1", "mac": "00-00-5E-00-53-01", "ip": "192.0.2.7"}}


def configure(world: World, **values) -> None:
    InstitutionSettings.objects.update_or_create(institution=world.hospital.institution, defaults=values)


def code(answer: dict) -> str:
    return answer["err_msg"].rpartition("[")[2].rstrip("]") if str(answer["infcode"]) != "0" else ""


def look_up(world: World, **changed) -> dict:
    return world.hospital.call("1101", {"data": credential(world.patient)}, **changed)


def test_infcode_is_a_number_or_a_text(world: World) -> None:
    configure(world, infcode_as_text=True, extra_fields={"enctype": "", "expContent": None})
    answer = look_up(world)
    assert answer["infcode"] == "0"
    assert (answer["enctype"], answer["expContent"]) == ("", None)
    refused = world.hospital.call("2208", {"data": {"setl_id": "1", "mdtrt_id": "1", "psn_no": "1"}})
    assert (refused["infcode"], refused["enctype"]) == ("-1", "")
    # Also what is refused before it is a message.
    for broken in (b"{", b'{"infno":"1101"}'):
        answer = world.hospital.post(broken).json()
        assert (answer["infcode"], answer["enctype"]) == ("-1", "")
    configure(world, infcode_as_text=False, extra_fields={})
    assert look_up(world)["infcode"] == 0


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ([], "203.0.113.9", True),
        (["203.0.113.0/24"], "203.0.113.9", True),
        (["203.0.113.9"], "203.0.113.9", True),
        (["198.51.100.0/24", "203.0.113.0/24"], "203.0.113.9", True),
        (["203.0.113.0/25"], "203.0.113.200", False),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "203.0.113.9", False),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", True),
    ],
)
def test_allowed_addresses(world: World, networks: list, address: str, allowed: bool) -> None:
    configure(world, networks=networks)
    world.hospital.client = Client(REMOTE_ADDR=address)
    assert code(look_up(world)) == ("" if allowed else "address_not_allowed")
    assert GatewayMessage.objects.count() == allowed


def test_behind_a_proxy_the_address_is_the_one_it_added(world: World, settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    configure(world, networks=["203.0.113.0/24"])
    hospital = world.hospital
    hospital.client = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.9"})
    assert code(look_up(world)) == ""
    hospital.client = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.1"})
    assert code(look_up(world)) == "address_not_allowed"
    hospital.client = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "nobody"})
    assert code(look_up(world)) == "address_not_allowed"


@pytest.mark.parametrize("networks", [["203.0.113.0/33"], ["localhost"], ["203.0.113.9/24"], [""]])
def test_the_database_takes_networks_only(world: World, networks: list) -> None:
    with pytest.raises(Exception, match="cidr"), transaction.atomic():
        configure(world, networks=networks)


@pytest.mark.parametrize("fields", [{"infcode": 1}, {"output": {}}, ["enctype"]])
def test_more_fields_do_not_replace_those_of_the_interface(world: World, fields) -> None:
    with pytest.raises(IntegrityError, match="institution_extra_fields"), transaction.atomic():
        configure(world, extra_fields=fields)


def test_signing_in_and_out(world: World) -> None:
    output = world.hospital.ok("9001", SIGN_IN)["signinoutb"]
    signed = SignIn.objects.get()
    assert output["sign_no"] == signed.sign_no
    assert len(signed.sign_no) == 30
    assert (signed.operator, signed.mac, signed.ip) == ("D1", "00-00-5E-00-53-01", "192.0.2.7")
    assert signed.expires_at > signed.signed_in_at
    out = world.hospital.ok("9002", {"signOut": {"sign_no": signed.sign_no, "opter_no": "D1"}})
    assert out["signoutoutb"]["sign_time"]
    assert out["sign_time"] == out["signoutoutb"]
    signed.refresh_from_db()
    assert signed.signed_out_at is not None
    again = world.hospital.call("9002", {"signOut": {"sign_no": signed.sign_no, "opter_no": "D1"}})
    assert code(again) == "sign_no_unknown"


def test_signing_out_is_for_who_signed_in(world: World) -> None:
    number = world.hospital.ok("9001", SIGN_IN)["signinoutb"]["sign_no"]
    for who in ({"sign_no": number, "opter_no": "D2"}, {"sign_no": "nobody", "opter_no": "D1"}):
        assert code(world.hospital.call("9002", {"signOut": who})) == "sign_no_unknown"
    assert SignIn.objects.get().signed_out_at is None


def guangzhou(secret: str, **changed: str) -> dict:
    moment = "20261122083000"
    password = md5(f"{moment}{secret}".encode()).hexdigest().upper()
    return {"data": {"userid": "D1", "opter_no": "D1", "password": password, "currenttime": moment} | changed}


def test_signing_in_as_guangzhou_does(world: World) -> None:
    configure(world, sign_in_required=True)
    hospital = world.hospital
    output = hospital.ok("9001", guangzhou(hospital.secret))
    number = output["result"]["sign_no"]
    assert output["signinoutb"]["sign_no"] == number
    assert code(look_up(world, sign_no=number)) == ""
    hospital.ok("9002", {"signOut": {"sign_no": number, "opter_no": "D1"}})
    for wrong in (guangzhou("other"), guangzhou(hospital.secret, currenttime="20261122083001")):
        assert code(hospital.call("9001", wrong)) == "sign_in_password"
    assert code(hospital.call("9001", guangzhou(hospital.secret, password=""))) == "field_missing"
    assert code(hospital.call("9001", {})) == "node_missing"
    old, secret = keys.issue(institution=hospital.institution, by=None)
    assert hospital.ok("9001", guangzhou(secret))
    keys.retire(key=old, by=None)
    assert code(hospital.call("9001", guangzhou(secret))) == "sign_in_password"


def test_a_sign_in_repeated_with_its_msgid_is_one(world: World) -> None:
    first, second = (world.hospital.ok("9001", SIGN_IN, msgid="M1") for _ in range(2))
    assert first == second
    assert SignIn.objects.count() == 1


def test_an_institution_that_must_sign_in_first(world: World, monkeypatch) -> None:
    configure(world, sign_in_required=True)
    assert code(look_up(world)) == "sign_in_needed"
    assert code(look_up(world, sign_no="invented")) == "sign_in_needed"
    number = world.hospital.ok("9001", SIGN_IN)["signinoutb"]["sign_no"]
    assert code(look_up(world, sign_no=number)) == ""
    SignIn.objects.update(signed_in_at=now() - datetime.timedelta(days=2), expires_at=now())
    assert code(look_up(world, sign_no=number)) == "sign_in_needed"
    second = world.hospital.ok("9001", SIGN_IN)["signinoutb"]["sign_no"]
    world.hospital.ok("9002", {"signOut": {"sign_no": second, "opter_no": "D1"}})
    assert code(look_up(world, sign_no=second)) == "sign_in_needed"


def test_a_sign_in_ends_with_the_day(world: World) -> None:
    from gateway.actions import signing

    at = datetime.datetime(2026, 3, 1, 15, 59, tzinfo=datetime.UTC)
    signing.sign_in(institution=world.hospital.institution, msgid="M", given=SIGN_IN, at=at)
    # 23:59 in Beijing: one minute is left.
    assert SignIn.objects.get().expires_at == datetime.datetime(2026, 3, 1, 16, 0, tzinfo=datetime.UTC)
    assert clock.now() > at


def test_the_address_of_a_transaction(world: World) -> None:
    body = json.dumps(
        clients.envelope("1101", {"data": credential(world.patient)}, world.hospital.institution.code)
    ).encode()
    post = world.hospital.post
    for path in (
        "/fsi/api/fsiPsnInfoService/queryPsnInfo",
        "/fsi/api/FSIPSNINFOSERVICE/querypsninfo",
        f"{clients.PATH}/1101",
        f"{clients.PATH}/api_1101",
        f"{clients.PATH}/hsa-fsi-1101",
    ):
        assert code(post(body, path=path).json()) == "", path
    assert code(post(body, path="/fsi/api/reverseService/revsMethod").json()) == "infno_mismatch"
    assert code(post(body, path=f"{clients.PATH}/2207").json()) == "infno_mismatch"
    assert code(post(body, path="/fsi/api/reverseService/nothing").json()) == "path_unknown"


def test_a_visit_is_registered_at_its_own_address(world: World) -> None:
    visit = clients.envelope("2201", {"data": visit_input(world.patient)}, world.hospital.institution.code)
    path = "/fsi/api/outpatientDocInfoService/outpatientRregistration"
    assert world.hospital.post(json.dumps(visit).encode(), path=path).json()["infcode"] == 0
    assert Visit.objects.count() == 1


def test_every_address_is_answered_in_the_envelope(world: World) -> None:
    for service, methods in SERVICES.items():
        for method in methods:
            response = world.hospital.post(b"{}", path=f"/fsi/api/{service}/{method}")
            assert response.status_code == 200
            assert code(response.json()) == "field_missing", method


def test_the_place_of_a_mistake_is_named(world: World) -> None:
    cases = {
        b'{"infno":"1101",\n"msgid":oops}': "2:9",
        b'{"input":{"data":[{"a":1},{"medfee_sumamt":NaN}]}}': "input.data[1].medfee_sumamt NaN",
        b'{"input":{"data":{"a":1,"cnt":2,"cnt":3}}}': "cnt",
    }
    for body, place in cases.items():
        assert place in world.hospital.post(body).json()["err_msg"]


def test_a_message_that_came_with_a_file(world: World) -> None:
    from gateway import multipart

    body = (
        b'--X\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n{"a":"\xe5\x90\x8d"}\r\n'
        b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n'
        b"Content-Type: application/zip\r\n\r\nPK\x00\xff\r\n--X--\r\n"
    )
    assert multipart.split(body, "multipart/form-data; boundary=X") == ('{"a":"名"}'.encode(), b"PK\x00\xff")
    assert multipart.split(b"{}", "multipart/form-data") == (b"{}", None)
    assert code(world.hospital.client.post(
        clients.PATH, b"--X--", content_type="multipart/form-data; boundary=X",
        headers=clients.signed_headers(world.hospital.key_id, world.hospital.secret),
    ).json()) == "body_not_json"  # fmt: skip
