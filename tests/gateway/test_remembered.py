"""A call is recorded with its answer, by what the process remembers of who called before."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.clock import now
from accounts.models import AuditEvent
from gateway.actions import keys
from gateway.client import envelope, signed_headers
from gateway.models import GatewayMessage, InstitutionKey
from settlements.models import Settlement
from tests.gateway.test_once import ready
from tests.gateway.test_settings import code, configure, look_up
from tests.gateway.world import World, bill_input, credential


def looked_up() -> int:
    return AuditEvent.objects.filter(action="institution_look_up").count()


@pytest.fixture
def known(world: World) -> World:
    """The hospital has called this process before."""
    assert code(look_up(world)) == ""
    return world


def test_the_record_is_whole(known: World) -> None:
    look_up(known, msgid="M1")
    before, message = GatewayMessage.objects.order_by("id")
    assert (message.msgid, message.outcome, message.claim) == ("M1", GatewayMessage.OK, None)
    same = ("key_id", "institution_id", "infno", "request_hash", "outcome")
    assert [getattr(message, name) for name in same] == [getattr(before, name) for name in same]
    assert json.loads(message.body)["msgid"] == "M1"
    assert json.loads(message.answer)["output"]["baseinfo"]["psn_name"] == known.patient.name
    assert message.duration_ms >= 0
    assert looked_up() == 2


def test_a_refusal_is_recorded_with_its_answer(known: World) -> None:
    given = {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": "110101199003070011"}}
    assert code(known.hospital.call("1101", given)) == "person_unknown"
    message = GatewayMessage.objects.latest("id")
    assert message.outcome == "person_unknown"
    assert "person_unknown" in str(message.answer)
    assert looked_up() == 1


def suspended(world: World) -> None:
    world.hospital.institution.is_active = False
    world.hospital.institution.save()


def retired(world: World) -> None:
    keys.retire(key=InstitutionKey.objects.get(key_id=world.hospital.key_id), by=None, at=now())


def elsewhere(world: World) -> None:
    configure(world, networks=["203.0.113.0/24"])
    assert code(call_from(world, "203.0.113.9")) == ""


def call_from(world: World, address: str) -> dict:
    world.hospital.client = Client(REMOTE_ADDR=address)
    answer = look_up(world)
    world.hospital.client = Client()
    return answer


def must_sign_in(world: World) -> None:
    configure(world, sign_in_required=True)


def renumbered(world: World) -> None:
    type(world.hospital.institution).objects.update(code="H99999999999")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (suspended, "institution_suspended"),
        (retired, "key_expired"),
        (elsewhere, "address_not_allowed"),
        (must_sign_in, "sign_in_needed"),
        (renumbered, "institution_unknown"),
    ],
)
def test_what_ends_a_right_to_call_ends_it_with_the_next(
    known: World, change: Callable[[World], None], told: str
) -> None:
    change(known)
    kept, seen = GatewayMessage.objects.count(), looked_up()
    # The second of them finds what the first has remembered.
    assert [code(look_up(known)) for _ in range(2)] == [told, told]
    assert (GatewayMessage.objects.count(), looked_up()) == (kept, seen)


def test_an_answer_is_given_as_the_institution_now_wants_it(known: World) -> None:
    configure(known, infcode_as_text=True)
    assert look_up(known)["infcode"] == "0"
    configure(known, infcode_as_text=False)
    assert look_up(known)["infcode"] == 0
    # Each of the two was answered by what was remembered, thrown away, and answered anew: they were told once.
    assert (GatewayMessage.objects.count(), looked_up()) == (3, 3)


def test_a_nonce_is_used_once(known: World) -> None:
    hospital = known.hospital
    body = json.dumps(envelope("1101", {"data": credential(known.patient)}, hospital.institution.code)).encode()
    headers = signed_headers(hospital.key_id, hospital.secret)
    first, again = (hospital.post(body, headers).json() for _ in range(2))
    assert (code(first), code(again)) == ("", "nonce_used")
    assert (GatewayMessage.objects.count(), looked_up()) == (2, 2)


@pytest.mark.parametrize(
    ("change", "told"),
    [(suspended, "institution_suspended"), (retired, "key_expired"), (must_sign_in, "sign_in_needed")],
)
def test_nothing_is_settled_for_who_may_not_call_any_more(
    known: World, change: Callable[[World], None], told: str
) -> None:
    visit = ready(known)
    change(known)
    kept = GatewayMessage.objects.count()
    given = {"data": bill_input(known.patient, visit, "400.00")}
    assert [code(known.hospital.call("2207", given, msgid="M2")) for _ in range(2)] == [told, told]
    assert (GatewayMessage.objects.count(), Settlement.objects.count()) == (kept, 0)


def test_a_bill_is_recorded_in_the_statement_that_writes_it(known: World) -> None:
    visit = ready(known)
    with CaptureQueriesContext(connection) as asked:
        known.hospital.ok("2207", {"data": bill_input(known.patient, visit, "400.00")}, msgid="M2")
    kept = [name for query in asked for name in ("gateway_record", "gateway_finish") if name in query["sql"]]
    assert kept == ["gateway_record"]
    message = GatewayMessage.objects.get(msgid="M2")
    assert (message.claim, message.outcome) == ("M2", GatewayMessage.OK)


def test_a_repeated_msgid_gets_the_first_answer(known: World) -> None:
    visit = ready(known)
    given = {"data": bill_input(known.patient, visit, "400.00")}
    first, again = (known.hospital.call("2207", given, msgid="M2") for _ in range(2))
    assert first == again
    assert code(known.hospital.call("2207", {"data": given["data"] | {"acct_used_flag": "0"}}, msgid="M2")) == (
        "msgid_reused"
    )
    assert Settlement.objects.count() == 1
    assert list(GatewayMessage.objects.filter(msgid="M2").order_by("id").values_list("claim", flat=True)) == [
        "M2", None, None,
    ]  # fmt: skip


def test_the_code_of_another_institution(known: World) -> None:
    assert code(look_up(known, fixmedins_code="H00000000000")) == "institution_unknown"
    assert (GatewayMessage.objects.count(), looked_up()) == (1, 1)
