"""2601: afterwards nothing of the original stands, whatever had become of it."""

import json
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from gateway import texts
from gateway.client import envelope
from gateway.enums import VisitState
from gateway.models import GatewayMessage, Visit, VisitSettlement
from gateway.queries.people import psn_no
from settlements.models import Settlement
from tests.gateway import stays
from tests.gateway.test_once import MSGID, ready
from tests.gateway.test_pharmacy import pharmacy, purchase
from tests.gateway.test_sequence import held
from tests.gateway.world import Hospital, World, bill_input, make_hospital, make_world, visit_input

__all__ = ["pharmacy"]
AMOUNT = Decimal("400.00")


def correction(world: World, omsgid: str = MSGID, oinfno: str = "2207", **changed: str) -> dict[str, Any]:
    return {"data": {"psn_no": psn_no(world.patient), "omsgid": omsgid, "oinfno": oinfno} | changed}


def refused(hospital: Hospital, given: dict[str, Any]) -> str:
    answer = hospital.call("2601", given)
    assert answer["infcode"] == -1
    return answer["err_msg"].rpartition("[")[2].rstrip("]")


def test_a_settlement_whose_answer_was_lost_is_undone(world: World) -> None:
    before = held(world)
    mdtrt_id = ready(world)
    first = world.hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID)
    assert world.hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID) == first
    answer = world.hospital.call("2601", correction(world))
    assert (answer["infcode"], answer["output"], answer["warn_msg"]) == (0, None, None)
    assert held(world) == before
    assert Settlement.objects.get().reversed_on is not None
    assert Visit.objects.get().state == VisitState.REVERSED
    # One sent again later does not act again, and is not told that it is settled: it no longer is.
    late = world.hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID)
    assert late["err_msg"].endswith("[msgid_corrected]")
    assert held(world) == before
    assert world.hospital.settle(world.patient, mdtrt_id, AMOUNT)["infcode"] == 0


def test_a_correction_whose_answer_was_lost_is_repeated(world: World) -> None:
    world.hospital.settle(world.patient, ready(world), AMOUNT, msgid=MSGID)
    again = [world.hospital.call("2601", correction(world), msgid="C1") for _ in range(2)]
    assert again[0] == again[1]
    other = world.hospital.call("2601", correction(world))
    assert other["infcode"] == 0
    assert other["warn_msg"]
    assert VisitSettlement.objects.filter(reversed_at__isnull=False).count() == 1


def test_an_original_that_never_came_is_barred(world: World) -> None:
    mdtrt_id = ready(world)
    answer = world.hospital.call("2601", correction(world))
    assert answer["infcode"] == 0
    assert answer["warn_msg"], "it says that nothing had arrived"
    late = world.hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID)
    assert late["err_msg"].endswith("[msgid_corrected]")
    assert Settlement.objects.count() == 0
    assert world.hospital.call("2601", correction(world))["infcode"] == 0
    assert world.hospital.settle(world.patient, mdtrt_id, AMOUNT)["infcode"] == 0


def test_an_original_that_was_refused_has_nothing_to_undo(world: World) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    refusal = world.hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID)
    answer = world.hospital.call("2601", correction(world))
    assert (answer["infcode"], bool(answer["warn_msg"])) == (0, True)
    assert world.hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID) == refusal


def test_what_cannot_be_corrected_says_why(world: World) -> None:
    hospital, mdtrt_id = world.hospital, ready(world)
    setl_id = hospital.settle(world.patient, mdtrt_id, AMOUNT, msgid=MSGID)["output"]["setlinfo"]["setl_id"]
    assert refused(hospital, correction(world, oinfno="2208")) == "correction_unsupported"
    assert refused(hospital, correction(world, oinfno="2102")) == "correction_other"
    assert refused(hospital, correction(world, psn_no=psn_no(world.husband))) == "visit_unknown"
    assert refused(hospital, correction(world, psn_no="0")) == "person_unknown"
    hospital.ok("2208", {"data": {"setl_id": setl_id, "mdtrt_id": mdtrt_id, "psn_no": psn_no(world.patient)}})
    assert refused(hospital, correction(world)) == "already_reversed"


def test_another_institutions_message_is_not_found(world: World) -> None:
    world.hospital.settle(world.patient, ready(world), AMOUNT, msgid=MSGID)
    other = make_hospital(world.region, "另一医院")
    assert other.call("2601", correction(world))["warn_msg"]
    assert Settlement.objects.get().reversed_on is None


def test_a_purchase_is_undone_with_its_lines(world: World, pharmacy: Hospital) -> None:
    before = held(world)
    assert pharmacy.call("2102", purchase(world), msgid=MSGID)["infcode"] == 0
    assert pharmacy.call("2601", correction(world, oinfno="2102"))["infcode"] == 0
    assert held(world) == before
    visit = Visit.objects.get()
    assert (visit.state, visit.lines.filter(cancelled_at=None).count()) == (VisitState.REVERSED, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_original_and_correction_at_once_leave_nothing_standing(_round: int) -> None:
    world = make_world()
    mdtrt_id, before = ready(world), held(world)
    code = world.hospital.institution.code
    sent = [
        envelope("2207", {"data": bill_input(world.patient, mdtrt_id, AMOUNT)}, code, msgid=MSGID),
        envelope("2601", correction(world), code),
    ]
    start, answers = threading.Barrier(2), {}

    def send(call: dict[str, Any]) -> None:
        hospital = Hospital(world.hospital.institution, world.hospital.key_id, world.hospital.secret)
        start.wait()
        try:
            answers[call["infno"]] = hospital.post(json.dumps(call, default=str).encode()).json()
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[call]) for call in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers["2601"]["infcode"] == 0
    assert held(world) == before
    assert not Settlement.objects.filter(reversed_on=None).exists()
    barred = answers["2207"]["infcode"] == -1
    assert barred == bool(answers["2601"]["warn_msg"])
    assert GatewayMessage.objects.filter(claim=MSGID).count() == 1


def test_the_register_of_visits_is_not_corrected(world: World) -> None:
    world.hospital.call("2201", {"data": visit_input(world.patient)}, msgid=MSGID)
    assert refused(world.hospital, correction(world, oinfno="2201")) == "correction_unsupported"


def test_an_admission_that_is_sent_again_after_its_correction_is_refused(world: World) -> None:
    sent = stays.admission(world.patient)
    world.hospital.call("2401", sent, msgid=MSGID)
    given = correction(world, oinfno="2401")
    assert world.hospital.call("2601", given)["warn_msg"] is None
    assert world.hospital.call("2401", sent, msgid=MSGID)["err_msg"].endswith("[msgid_corrected]")
    never = {"data": given["data"] | {"omsgid": "NEVER"}}
    told = [world.hospital.call("2601", asked)["warn_msg"] for asked in (given, never)]
    assert all(told)
    assert told[0] != told[1]


def test_how_a_call_ended_is_told_in_words() -> None:
    assert "2601" in texts.outcome("corrected")
    assert texts.outcome("IntegrityError") == str(texts.TEXTS["system_error"])
    assert texts.outcome("batch_settled").startswith("收费批次 …")
