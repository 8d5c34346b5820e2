"""Administrators see that something was called, never what was said; a secret is seen once."""

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import RequestFactory

from accounts.models import AuditEvent
from gateway.admin import GatewayMessageAdmin, InstitutionKeyAdmin
from gateway.models import GatewayMessage, InstitutionKey
from tests.gateway.world import World, credential


@pytest.fixture
def request_of_root(db, rf: RequestFactory):
    request = rf.get("/admin/")
    request.user = get_user_model().objects.create_superuser("root", password="x")
    return request


def test_messages_show_no_body_and_cannot_be_changed(world: World, request_of_root) -> None:
    world.hospital.ok("1101", {"data": credential(world.patient)})
    message = GatewayMessage.objects.get()
    admin = GatewayMessageAdmin(GatewayMessage, site)
    page = admin.changeform_view(request_of_root, str(message.pk)).render().content.decode()
    assert message.msgid in page
    assert world.patient.id_number not in page
    assert world.patient.id_number in message.body
    may = (admin.has_add_permission, admin.has_change_permission, admin.has_delete_permission)
    assert [check(request_of_root) for check in may] == [False, False, False]


def test_bodies_are_encrypted_in_the_database(world: World) -> None:
    from django.db import connection

    world.hospital.ok("1101", {"data": credential(world.patient)})
    with connection.cursor() as cursor:
        cursor.execute("SELECT body, answer FROM gateway_gatewaymessage")
        for stored in cursor.fetchone():
            assert world.patient.id_number.encode() not in bytes(stored)


def test_a_key_is_issued_once_and_its_secret_shown_once(world: World, request_of_root, rf: RequestFactory) -> None:
    admin = InstitutionKeyAdmin(InstitutionKey, site)
    request = rf.post("/admin/", {"institution": world.hospital.institution.pk, "variant": "x-tif"})
    request.user, request._dont_enforce_csrf_checks = request_of_root.user, True
    shown = admin.changeform_view(request).render().content.decode()
    key = InstitutionKey.objects.latest("pk")
    assert key.secret in shown
    assert key.issued_by == request.user
    assert AuditEvent.objects.filter(action="gateway.key_issued", target=f"key:{key.key_id}").exists()
    later = admin.changeform_view(request_of_root, str(key.pk)).render().content.decode()
    assert key.key_id in later
    assert key.secret not in later


def test_a_key_from_the_command_line_opens(world: World, capsys) -> None:
    call_command("gateway_key", world.hospital.institution.code)
    code, key_id, secret = (text.partition("=")[2] for text in capsys.readouterr().out.split())
    assert code == world.hospital.institution.code
    hospital = type(world.hospital)(world.hospital.institution, key_id, secret)
    assert hospital.call("1101", {"data": credential(world.patient)})["infcode"] == 0
