"""Calls that are turned away at the door: counted for the region's staff, in few rows, and nothing of them is kept."""

import datetime
import json

import pytest
from django.db import DatabaseError
from django.test import Client, RequestFactory

from accounts.clock import now, today
from accounts.enums import Role
from gateway import documentation
from gateway.actions import keys, turning_away
from gateway.client import PATH, envelope, signed_headers, x_ca_headers
from gateway.models import GatewayMessage, InstitutionKey, InstitutionSettings, TurnedAway
from gateway.queries.calls import turned_away_on
from gateway.tasks import delete_turned_away
from gateway.texts import TEXTS
from gateway.views import staff
from tests.gateway.world import World, credential, make_hospital
from tests.people import make_institution, make_region, make_staff
from tests.support.pages import log_in

DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning_away, "waiting", turning_away._Waiting())


def counted() -> dict[tuple[str, str], int]:
    rows = TurnedAway.objects.select_related("institution")
    return {(row.institution.name if row.institution else "", row.code): row.calls for row in rows}


def body(world: World) -> bytes:
    return json.dumps(envelope("1101", {"data": credential(world.patient)}, world.hospital.institution.code)).encode()


def test_each_reason_is_counted_by_the_institution_that_the_key_names(world: World) -> None:
    hospital, name = world.hospital, world.hospital.institution.name
    said = body(world)
    for _time in range(3):
        hospital.post(said, signed_headers(hospital.key_id, "wrong"))
    hospital.post(said, signed_headers(hospital.key_id, hospital.secret, timestamp=1_600_000_000))
    hospital.post(said, signed_headers("K-nobody", hospital.secret))
    hospital.post(said, signed_headers("K-another", hospital.secret))
    hospital.post(said, {})
    hospital.call("1101", {"data": credential(world.patient)}, fixmedins_code="H99999999999")
    hospital.post(b"{", None)
    InstitutionSettings.objects.create(institution=hospital.institution, networks=["10.9.0.0/16"])
    hospital.call("1101", {"data": credential(world.patient)})
    InstitutionKey.objects.update(valid_until=now() - DAY, valid_from=now() - 2 * DAY)
    hospital.call("1101", {"data": credential(world.patient)})
    assert counted() == {
        (name, "signature_wrong"): 3,
        (name, "timestamp_off"): 1,
        ("", "key_unknown"): 2,
        ("", "headers_missing"): 1,
        (name, "institution_unknown"): 1,
        (name, "body_not_json"): 1,
        (name, "address_not_allowed"): 1,
        (name, "key_expired"): 1,
    }
    assert not GatewayMessage.objects.exists()


def test_by_x_ca_the_headers_name_the_institution(db) -> None:
    institution = make_institution("药店")
    keys.issue(institution=institution, by=None, variant="x-ca")
    Client().post(PATH, b"{}", content_type="text/plain", headers=x_ca_headers(institution.code, "wrong", b"{}"))
    assert counted() == {("药店", "signature_wrong"): 1}


def test_a_call_that_is_served_or_refused_later_is_not_counted(world: World) -> None:
    world.hospital.ok("1101", {"data": credential(world.patient)})
    world.hospital.call("2208", {"data": {"setl_id": "1", "mdtrt_id": "1", "psn_no": "1"}})
    assert counted() == {} and GatewayMessage.objects.count() == 2


def test_a_flood_fills_neither_the_table_nor_the_memory_and_loses_nothing(
    world: World, django_assert_num_queries
) -> None:
    at = now().replace(microsecond=0)
    for number in range(turning_away.MOST_WRITES_A_SECOND):
        turning_away.count(who=f"K-{number}", code="key_unknown", at=at)
    with django_assert_num_queries(0):
        for number in range(3000):
            turning_away.count(who=f"K-{number}", code="key_unknown", at=at)
    assert len(turning_away.waiting.counts) <= turning_away.MOST_WAITING + 1
    with django_assert_num_queries(1):
        later = at + datetime.timedelta(seconds=1)
        turning_away.count(who=world.hospital.key_id, code="signature_wrong", at=later)
    assert counted() == {
        ("", "key_unknown"): turning_away.MOST_WRITES_A_SECOND + 3000,
        (world.hospital.institution.name, "signature_wrong"): 1,
    }
    assert {row.last_at for row in TurnedAway.objects.all()} == {at, later}


class Broken:
    def cursor(self):
        raise DatabaseError


def test_the_reason_is_told_though_it_could_not_be_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning_away, "connection", Broken())
    answer = world.hospital.post(body(world), signed_headers(world.hospital.key_id, "wrong"))
    assert answer.json()["err_msg"].endswith("[signature_wrong]")
    assert counted() == {}


def test_staff_see_those_of_their_region_and_those_of_nobody(world: World, rf: RequestFactory) -> None:
    here, there = world.hospital, make_hospital(make_region("110000"), "外地医院")
    for hospital in (here, there):
        hospital.post(body(world), signed_headers(hospital.key_id, "wrong"))
    here.post(body(world), signed_headers("K-nobody", "wrong"))
    here.post(b"{", None)
    admin = make_staff(Role.REGION_ADMIN, region=world.region)
    page = log_in(admin).get("/admin/gateway/gatewaymessage/today/").text
    assert here.institution.code in page and there.institution.code not in page
    assert "signature_wrong" in page and "key_unknown" in page
    for code in ("signature_wrong", "key_unknown"):
        assert str(documentation.SETUP[code]) in page
    assert "body_not_json" in page and documentation.remedy_at_the_door("body_not_json") in page
    request = rf.get("/admin/", {"on": f"{today() - DAY}"})
    request.user = admin
    assert "signature_wrong" not in staff.today(request).text
    assert len(turned_away_on(["310000", "110000"], today())) == 4


def test_each_way_of_being_turned_away_has_its_own_advice() -> None:
    assert set(documentation.SETUP) <= set(TEXTS)
    assert len({documentation.remedy(code) for code in documentation.SETUP}) == len(documentation.SETUP)


def test_old_counts_are_deleted(world: World, settings) -> None:
    for age in (0, settings.GATEWAY_BODIES_DAYS, settings.GATEWAY_BODIES_DAYS + 1):
        turning_away.count(who="", code="key_unknown", at=now() - age * DAY)
    delete_turned_away()
    assert sorted((today() - row.day).days for row in TurnedAway.objects.all()) == [0, settings.GATEWAY_BODIES_DAYS]
