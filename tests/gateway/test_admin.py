"""Administrators see that something was called, never what was said; a secret is seen once."""

import re

import pytest
from bs4 import BeautifulSoup
from django.contrib.admin import site
from django.contrib.messages.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import RequestFactory
from django.urls import reverse
from django.utils import translation

from accounts.clock import now
from accounts.enums import Role
from accounts.models import AuditEvent, Institution
from gateway import texts
from gateway.actions import keys
from gateway.admin.calls import GatewayMessageAdmin, InstitutionKeyAdmin
from gateway.forms.staff import SettingsForm
from gateway.models import GatewayMessage, InstitutionKey
from tests.gateway.world import World, credential
from tests.people import make_region, make_staff
from tests.support.pages import english, fields, log_in


def ask(rf: RequestFactory, role: str, world: World, data: dict | None = None):
    """A request of somebody of the region with this role."""
    request = rf.get("/admin/") if data is None else rf.post("/admin/", data)
    request.user, request._dont_enforce_csrf_checks = make_staff(role, region=world.region), True
    return request


def test_messages_show_no_body_and_cannot_be_changed(world: World, rf: RequestFactory) -> None:
    world.hospital.ok("1101", {"data": credential(world.patient)})
    message = GatewayMessage.objects.get()
    admin, request = GatewayMessageAdmin(GatewayMessage, site), ask(rf, Role.REGION_ADMIN, world)
    page = admin.changeform_view(request, str(message.pk)).render().content.decode()
    assert message.msgid in page
    assert world.patient.id_number not in page
    assert world.patient.id_number in message.body
    may = (admin.has_add_permission, admin.has_change_permission, admin.has_delete_permission)
    assert [check(request) for check in may] == [False, False, False]


@pytest.mark.parametrize(
    ("role", "messages", "keys"),
    [
        (Role.REGION_ADMIN, True, True),
        (Role.SYSTEM_ADMIN, True, False),
        (Role.AUDITOR, False, False),
        (Role.SUPERVISOR, False, False),
        (Role.CLERK, False, False),
    ],
)
def test_who_sees_messages_and_who_issues_keys(world: World, rf: RequestFactory, role, messages, keys) -> None:
    request = ask(rf, role, world)
    assert GatewayMessageAdmin(GatewayMessage, site).has_view_permission(request) is messages
    assert InstitutionKeyAdmin(InstitutionKey, site).has_add_permission(request) is keys


def test_bodies_are_encrypted_in_the_database(world: World) -> None:
    world.hospital.ok("1101", {"data": credential(world.patient)})
    with connection.cursor() as cursor:
        cursor.execute("SELECT body, answer FROM gateway_gatewaymessage")
        for stored in cursor.fetchone():
            assert world.patient.id_number.encode() not in bytes(stored)


def test_a_key_is_issued_once_and_its_secret_shown_once(world: World) -> None:
    administrator = make_staff(Role.REGION_ADMIN, region=world.region)
    client, address = english(administrator), reverse("admin:gateway_institutionkey_add")
    data = fields(client.get(address)) | {"institution": world.hospital.institution.pk, "variant": "x-tif"}
    issued = client.post(address, data)
    key = InstitutionKey.objects.latest("pk")
    assert issued["Location"] == reverse("admin:gateway_institutionkey_issued", args=[key.pk])
    shown = client.get(issued["Location"]).content.decode()
    assert key.secret in shown
    assert key.issued_by == administrator
    assert AuditEvent.objects.filter(action="key_issued", target=f"key:{key.key_id}").exists()
    later = reverse("admin:gateway_institutionkey_change", args=[key.pk])
    assert "_save" not in client.get(later).content.decode()
    for page in (client.get(issued["Location"]), client.get(later)):
        assert key.key_id in page.content.decode()
        assert key.secret not in page.content.decode()
    assert "retire this key and issue another" in client.get(issued["Location"]).content.decode()


def test_a_form_sent_again_leaves_no_second_key_behind(world: World) -> None:
    client = log_in(make_staff(Role.REGION_ADMIN, region=world.region))
    address, count = reverse("admin:gateway_institutionkey_add"), InstitutionKey.objects.count()
    data = fields(client.get(address)) | {"institution": world.hospital.institution.pk, "variant": "x-tif"}
    assert client.post(address, {**data, "variant": "?"}).status_code == 200
    first, again = client.post(address, data), client.post(address, data)
    assert first["Location"] == again["Location"]
    assert InstitutionKey.objects.count() == count + 1


def test_the_page_of_a_new_key_is_for_who_issued_it(world: World) -> None:
    key = keys.issue(institution=world.hospital.institution, by=make_staff(Role.REGION_ADMIN, region=world.region))[0]
    address = reverse("admin:gateway_institutionkey_issued", args=[key.pk])
    for role in (Role.REGION_ADMIN, Role.SYSTEM_ADMIN, Role.AUDITOR):
        assert log_in(make_staff(role, region=world.region)).get(address).status_code == 404


def test_a_key_that_would_never_sign_is_not_issued(world: World, rf: RequestFactory) -> None:
    admin = InstitutionKeyAdmin(InstitutionKey, site)
    over = {"valid_until_0": "2020-01-01", "valid_until_1": "00:00"}
    data = {"institution": world.hospital.institution.pk, "variant": "x-tif", **over}
    count = InstitutionKey.objects.count()
    shown = admin.changeform_view(ask(rf, Role.REGION_ADMIN, world, data))
    assert set(shown.context_data["adminform"].form.errors) == {"valid_until"}
    assert InstitutionKey.objects.count() == count


@pytest.mark.parametrize("until", [("2027-12-31", ""), ("31.12.", "23:59")])
def test_a_moment_that_is_none_is_told_with_an_example(world: World, until: tuple[str, str]) -> None:
    client = english(make_staff(Role.REGION_ADMIN, region=world.region))
    address, (day, at) = reverse("admin:gateway_institutionkey_add"), until
    page = client.post(address, fields(client.get(address)) | {"valid_until_0": day, "valid_until_1": at})
    wrong = page.context_data["adminform"].form.errors
    assert wrong["institution"] == ["Choose the institution"]
    assert wrong["valid_until"] == ["Write day and time, such as 2027-12-31 and 23:59, or leave both empty"]


@pytest.mark.parametrize(
    ("page", "entry"),
    [
        ("gatewaymessage_today", "gatewaymessage_today"),
        ("gatewaymessage_changelist", "gatewaymessage_today"),
        ("institutionkey_add", "gatewaymessage_today"),
        ("signin_changelist", "gatewaymessage_today"),
        ("difference_clearing", "difference_board"),
        ("reconciliationday_changelist", "difference_board"),
    ],
)
def test_each_page_stands_under_its_entry_of_the_bar(world: World, page: str, entry: str) -> None:
    client = log_in(make_staff(Role.REGION_ADMIN, region=world.region))
    shown = BeautifulSoup(client.get(reverse(f"admin:gateway_{page}")).content, "html.parser")
    assert [link["href"] for link in shown.select("nav a[aria-current]")] == [reverse(f"admin:gateway_{entry}")]


def test_a_key_is_asked_for_in_named_boxes_and_by_one_button(world: World, rf: RequestFactory) -> None:
    shown = InstitutionKeyAdmin(InstitutionKey, site).add_view(ask(rf, Role.REGION_ADMIN, world)).render()
    page = shown.content.decode()
    boxes = re.findall(r'<input[^>]+name="valid_until_[01]"[^>]*>', page)
    assert len(boxes) == 2
    assert all("aria-label=" in box for box in boxes)
    institution = world.hospital.institution
    assert f"{institution.name} · {institution.code}" in page
    assert "_save" in page
    assert "_addanother" not in page
    assert "_continue" not in page


def test_the_list_says_in_words_how_calls_ended(world: World, rf: RequestFactory) -> None:
    world.hospital.call("2208", {"data": {"setl_id": "1", "mdtrt_id": "1", "psn_no": "1"}})
    admin, (message,) = GatewayMessageAdmin(GatewayMessage, site), GatewayMessage.objects.all()
    assert admin.ended(message) == f"{texts.outcome('visit_unknown')} [visit_unknown]"
    message.outcome = ""
    assert admin.ended(message) == texts.outcome("")


def test_names_of_the_interface_stay_as_they_are_written() -> None:
    labels = [str(field.label) for field in SettingsForm().fields.values()]
    assert not [label for label in labels if label.startswith(("Infcode", "Acct_used_flag"))]


def test_retiring_keys_asks_first_and_names_who_is_left_without(world: World, rf: RequestFactory) -> None:
    admin = InstitutionKeyAdmin(InstitutionKey, site)
    mine = InstitutionKey.objects.filter(institution=world.hospital.institution)
    request = ask(rf, Role.REGION_ADMIN, world, {"action": "retire"})
    with translation.override("en"):
        asked = admin.retire(request, mine.all()).render().content.decode()
    assert "its last valid key" in asked
    assert mine.get().is_valid(now())

    keys.issue(institution=world.hospital.institution, by=None)
    with translation.override("en"):
        asked = admin.retire(request, mine.filter(pk=mine.first().pk)).render().content.decode()
    assert "its last valid key" not in asked

    sure = ask(rf, Role.REGION_ADMIN, world, {"action": "retire", "confirmed": "1"})
    sure.session = {}
    sure._messages = default_storage(sure)
    assert admin.retire(sure, mine.all()) is None
    assert not any(key.is_valid(now()) for key in mine.all())
    assert AuditEvent.objects.filter(action="key_retired").count() == 2


def test_an_administrator_keeps_to_his_region(world: World, rf: RequestFactory) -> None:
    request = rf.get("/admin/")
    request.user = make_staff(Role.REGION_ADMIN, region=make_region("110000"))
    world.hospital.ok("1101", {"data": credential(world.patient)})
    assert not GatewayMessageAdmin(GatewayMessage, site).get_queryset(request).exists()
    assert not InstitutionKeyAdmin(InstitutionKey, site).get_queryset(request).exists()


def test_a_code_that_is_not_there_is_answered_with_those_most_like_it(world: World) -> None:
    codes = ["P44010400001", *(f"H440104{number:05d}" for number in range(12))]
    Institution.objects.bulk_create(
        Institution(code=code, name=code, region=world.region, kind="hospital", level="primary") for code in codes
    )
    with pytest.raises(CommandError, match=r"There are: P44010400001$"):
        call_command("gateway_key", "P44019900009")
    with pytest.raises(CommandError, match=r"There are: H44010400000, .*H44010400009, …$"):
        call_command("gateway_key", "H44010499999")
    with pytest.raises(CommandError, match=world.hospital.institution.code):
        call_command("gateway_key", "X")


def test_a_key_from_the_command_line_opens(world: World, capsys) -> None:
    call_command("gateway_key", world.hospital.institution.code)
    code, key_id, secret = (text.partition("=")[2] for text in capsys.readouterr().out.split())
    assert code == world.hospital.institution.code
    hospital = type(world.hospital)(world.hospital.institution, key_id, secret)
    assert hospital.call("1101", {"data": credential(world.patient)})["infcode"] == 0
