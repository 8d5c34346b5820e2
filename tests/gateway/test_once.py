"""One msgid acts once, one nonce is used once, one institution sees its own visits only."""

import json
import threading
from decimal import Decimal

import pytest
from django.db import connection

from accounts.clock import now
from gateway.actions import keys
from gateway.client import envelope, signed_headers
from gateway.models import FeeLine, GatewayMessage, Visit
from settlements.models import Settlement
from tests.gateway.test_pharmacy import purchase
from tests.gateway.world import (
    DRUG,
    Hospital,
    World,
    bill_input,
    credential,
    line,
    make_hospital,
    make_world,
    visit_input,
)

MSGID = "H0000000000120261121120000abcd"


def ready(world: World, amount: str = "400.00") -> str:
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": line(world.patient, mdtrt_id, "1", DRUG, "1", amount)})
    return mdtrt_id


def test_the_same_msgid_gets_the_same_answer(world: World) -> None:
    mdtrt_id = ready(world)
    first = world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"), msgid=MSGID)
    again = world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"), msgid=MSGID)
    assert first["infcode"] == 0
    assert again == first
    assert Settlement.objects.count() == 1


def test_a_repetition_may_name_its_fields_in_another_order(world: World) -> None:
    given = visit_input(world.patient)
    first = world.hospital.call("2201", {"data": given}, msgid=MSGID)
    again = world.hospital.call("2201", {"data": dict(reversed(given.items()))}, msgid=MSGID)
    assert (first["infcode"], again) == (0, first)


def test_a_visit_is_registered_once_for_a_msgid(world: World) -> None:
    given = {"data": visit_input(world.patient)}
    answers = [world.hospital.call("2201", given, msgid=MSGID) for _ in range(2)]
    assert answers[0] == answers[1]
    assert Visit.objects.count() == 1


def test_a_refusal_is_kept_like_any_answer(world: World) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    refused = world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"), msgid=MSGID)
    world.hospital.ok("2204", {"feedetail": line(world.patient, mdtrt_id, "1", DRUG, "1", "400.00")})
    assert world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"), msgid=MSGID) == refused
    assert Settlement.objects.count() == 0


def test_the_same_msgid_for_another_request_does_nothing(world: World) -> None:
    mdtrt_id = ready(world)
    world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"), msgid=MSGID)
    other = world.hospital.call("2201", {"data": visit_input(world.patient)}, msgid=MSGID)
    assert other["err_msg"].endswith("[msgid_reused]")
    assert Visit.objects.count() == 1


def test_another_institution_may_use_the_same_msgid(world: World) -> None:
    mine = world.hospital.call("2201", {"data": visit_input(world.patient)}, msgid=MSGID)
    other = make_hospital(world.region, "另一医院").call("2201", {"data": visit_input(world.patient)}, msgid=MSGID)
    assert (mine["infcode"], other["infcode"]) == (0, 0)
    assert Visit.objects.count() == 2


def test_a_visit_of_another_institution_is_as_unknown_as_one_that_never_was(world: World) -> None:
    mdtrt_id = ready(world)
    other = make_hospital(world.region, "另一医院")
    bill = {"data": bill_input(world.patient, mdtrt_id, "400.00")}
    absent = {"data": bill_input(world.patient, "310000000000", "400.00")}
    for infno in ("2206", "2207"):
        assert other.call(infno, bill)["err_msg"] == other.call(infno, absent)["err_msg"]
    lines = [line(world.patient, mdtrt_id, "9", DRUG, "1", "1.00")]
    assert other.call("2204", {"feedetail": lines})["err_msg"].endswith("[visit_unknown]")
    assert FeeLine.objects.count() == 1


def test_a_nonce_is_used_once(world: World) -> None:
    body = json.dumps(envelope("1101", {"data": credential(world.patient)}, world.hospital.institution.code)).encode()
    headers = signed_headers(world.hospital.key_id, world.hospital.secret)
    first, again = (world.hospital.post(body, headers).json() for _ in range(2))
    assert first["infcode"] == 0
    assert again["err_msg"].endswith("[nonce_used]")
    assert GatewayMessage.objects.count() == 1


def test_two_keys_are_valid_while_one_replaces_the_other(world: World) -> None:
    new, secret = keys.issue(institution=world.hospital.institution, by=None)
    newer = type(world.hospital)(world.hospital.institution, new.key_id, secret)
    given = {"data": credential(world.patient)}
    assert (world.hospital.call("1101", given)["infcode"], newer.call("1101", given)["infcode"]) == (0, 0)
    old = world.hospital.institution.gateway_keys.get(key_id=world.hospital.key_id)
    keys.retire(key=old, by=None, at=now())
    assert world.hospital.call("1101", given)["err_msg"].endswith("[key_expired]")
    assert newer.call("1101", given)["infcode"] == 0


def test_an_institution_is_suspended_from_the_next_call_on(world: World) -> None:
    given = {"data": credential(world.patient)}
    assert world.hospital.call("1101", given)["infcode"] == 0
    world.hospital.institution.is_active = False
    world.hospital.institution.save()
    assert world.hospital.call("1101", given)["err_msg"].endswith("[institution_suspended]")


def at_once(caller: Hospital, body: bytes) -> list[dict]:
    """Four answers to the same body, sent at the same moment."""
    start, answers = threading.Barrier(4), []

    def twin() -> None:
        start.wait()
        try:
            answers.append(Hospital(caller.institution, caller.key_id, caller.secret).post(body).json())
        finally:
            connection.close()

    threads = [threading.Thread(target=twin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("infno", ["2201", "2207", "2102"])
def test_twins_act_once_and_get_one_answer(infno: str) -> None:
    world = make_world()
    mdtrt_id = ready(world)
    caller, given = {
        "2201": (world.hospital, {"data": visit_input(world.patient)}),
        "2207": (world.hospital, {"data": bill_input(world.patient, mdtrt_id, "400.00")}),
        "2102": (make_hospital(world.region, "示例药店", kind="pharmacy", level="primary"), purchase(world)),
    }[infno]
    answers = at_once(caller, json.dumps(envelope(infno, given, caller.institution.code, msgid=MSGID)).encode())
    assert len(answers) == 4
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["infcode"] == 0
    assert Settlement.objects.count() == (infno != "2201")
    assert Visit.objects.count() == 1 + (infno != "2207")
    assert GatewayMessage.objects.filter(msgid=MSGID, outcome="ok").count() == 4
