"""An institution's call goes straight to its view; everything else goes the usual way."""

from decimal import Decimal

import pytest
from django.test import Client, override_settings

from accounts.models import AuditEvent
from gateway.client import PATH
from tests.gateway.test_once import ready
from tests.gateway.world import DRUG, World, credential, line

pytestmark = pytest.mark.django_db


def test_a_call_has_no_session_and_no_cookie_and_is_kept_nowhere() -> None:
    answer = Client().post(PATH, b"{}", content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["err_msg"].endswith("[headers_missing]")
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"
    assert int(answer["Content-Length"]) == len(answer.content)


def test_an_address_that_only_begins_like_it_is_a_page_that_is_not_there() -> None:
    answer = Client().get(f"{PATH}/2207/more")
    assert answer.status_code in (302, 404)
    assert answer["Content-Type"].startswith("text/html")


def test_it_stands_behind_the_redirect_to_https() -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        answer = Client().post(PATH, b"{}", content_type="application/json")
    assert (answer.status_code, answer["Location"].split(":")[0]) == (301, "https")


def test_a_look_up_is_three_statements(world: World, django_assert_num_queries) -> None:
    """Call recorded; person, insurances and balance; the answer, with the line that says who asked."""
    given = {"data": credential(world.patient)}
    world.hospital.ok("1101", given)
    with django_assert_num_queries(3):
        found = world.hospital.ok("1101", given)
    assert found["insuinfo"][0]["balc"]
    assert AuditEvent.objects.filter(action="institution_look_up", member_id=world.patient.pk).count() == 2


def test_a_bill_is_few_statements(world: World, django_assert_max_num_queries) -> None:
    """Call recorded; visit and batch; key and facts; locks; everything written with the answer. And a savepoint's two,
    for the test is a transaction itself."""
    world.hospital.settle(world.patient, ready(world), Decimal("400.00"))
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": line(world.patient, mdtrt_id, "1", DRUG, "1", "400.00")})
    with django_assert_max_num_queries(5 + 2):
        answer = world.hospital.settle(world.patient, mdtrt_id, Decimal("400.00"))
    assert answer["infcode"] == 0
