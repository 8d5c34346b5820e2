"""An institution's call goes straight to its view; everything else goes the usual way."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client, override_settings

from accounts.models import AuditEvent
from gateway.client import PATH
from gateway.models import FeeLine
from tests.gateway.test_once import ready
from tests.gateway.world import DRUG, World, bill_input, credential, line

pytestmark = pytest.mark.django_db


def test_a_call_has_no_session_and_no_cookie_and_is_kept_nowhere() -> None:
    answer = Client().post(PATH, b"{}", content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["err_msg"].endswith("[headers_missing]")
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"
    assert int(answer["Content-Length"]) == len(answer.content)


def test_an_address_that_only_looks_like_it_is_a_page_that_is_not_there() -> None:
    answer = Client().get(f"/x{PATH}")
    assert answer.status_code in (302, 404)
    assert answer["Content-Type"].startswith("text/html")


def test_it_stands_behind_the_redirect_to_https() -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        answer = Client().post(PATH, b"{}", content_type="application/json")
    assert (answer.status_code, answer["Location"].split(":")[0]) == (301, "https")


def test_a_look_up_is_two_statements(world: World, django_assert_num_queries) -> None:
    """Person, insurances and balance; call and answer, with the line that says who asked."""
    given = {"data": credential(world.patient)}
    world.hospital.ok("1101", given)
    with django_assert_num_queries(2):
        found = world.hospital.ok("1101", given)
    assert found["insuinfo"][0]["balc"]
    assert AuditEvent.objects.filter(action="institution_look_up", member_id=world.patient.pk).count() == 2


def test_a_bill_is_few_statements(world: World, django_assert_max_num_queries) -> None:
    """Visit and batch; key, facts and locks; everything written, with call and answer. And a savepoint's two, for the test
    is a transaction itself."""
    world.hospital.settle(world.patient, ready(world), Decimal("400.00"))
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": line(world.patient, mdtrt_id, "1", DRUG, "1", "400.00")})
    with django_assert_max_num_queries(3 + 2):
        answer = world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"))
    assert answer["infcode"] == 0


def test_a_quote_is_three_statements(world: World, django_assert_num_queries) -> None:
    """Visit and batch; facts, balances and counters; call and answer. The account is not read a second time."""
    bill = {"data": bill_input(world.patient, ready(world), "400.00")}
    world.hospital.ok("2206", bill)
    with django_assert_num_queries(3):
        quoted = world.hospital.ok("2206", bill)
    assert quoted["setlinfo"]["balc"] is not None


def test_an_upload_is_four_statements_however_many_lines(world: World, django_assert_num_queries) -> None:
    """Visit; what is taken; catalogue; lines, call and answer. And a savepoint's two."""
    mdtrt_id = world.hospital.register(world.patient)
    lines = [line(world.patient, mdtrt_id, str(sn), DRUG, "1", "10.00") for sn in range(1, 31)]
    with django_assert_num_queries(4 + 2):
        said = world.hospital.ok("2204", {"feedetail": lines})
    assert [row["feedetl_sn"] for row in said["result"]] == [row["feedetl_sn"] for row in lines]
    assert [fee.sn for fee in FeeLine.objects.order_by("id")] == [row["feedetl_sn"] for row in lines]


@pytest.mark.parametrize("table", ["gateway_visit", "gateway_institutionkey"])
def test_what_calls_point_at_without_a_constraint_is_never_deleted(world: World, table: str) -> None:
    world.hospital.register(world.patient)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id + 1"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
