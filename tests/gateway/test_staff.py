"""Pages of the region's staff: the day's calls, one message read or tried again for a reason; old bodies are deleted."""

import datetime
import html
import json
import logging
import re

import pytest
from django.contrib.admin import site
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override

from accounts import masks
from accounts.clock import now, today
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import AuditEvent
from gateway import documentation
from gateway.actions import bodies
from gateway.admin.calls import GatewayMessageAdmin
from gateway.forms.staff import SettingsForm
from gateway.models import GatewayMessage, InstitutionSettings, Visit
from gateway.queries import calls
from gateway.tasks import delete_bodies
from gateway.views import staff
from portal.seeding import keys as seeded_keys
from tests.gateway.world import DRUG, World, credential, line, visit_input
from tests.people import make_region, make_staff

REASON = "投诉单 2026-0117"


def ask(rf: RequestFactory, user, data: dict | None = None, query: str = ""):
    request = rf.get(f"/admin/{query}") if data is None else rf.post("/admin/", data)
    request.user = user
    return request


@pytest.fixture
def admin(world: World):
    return make_staff(Role.REGION_ADMIN, region=world.region)


def looked_up(world: World) -> GatewayMessage:
    world.hospital.ok("1101", {"data": credential(world.patient)})
    return GatewayMessage.objects.latest("pk")


def test_the_calls_of_a_day(world: World, rf: RequestFactory, admin) -> None:
    looked_up(world)
    world.hospital.ok("9001", {"signIn": {"opter_no": "D1", "mac": "1", "ip": "1"}})
    world.hospital.call("2208", {"data": {"setl_id": "1", "mdtrt_id": "1", "psn_no": "1"}})
    GatewayMessage.objects.filter(infno="1101").update(duration_ms=4321)
    (row,) = calls.day_of(["310000"], today())
    assert (row.calls, row.refused, row.failed, row.slowest_ms) == (3, 1, 0, 4321)
    assert row.refused_percent == 33
    assert calls.refusals_of(["310000"], today()) == [("visit_unknown", 1)]
    assert calls.slowest_of(["310000"], today())[0].infno == "1101"
    page = staff.today(ask(rf, admin)).content.decode()
    for said in (world.hospital.institution.name, "4321", "visit_unknown", "33%"):
        assert said in page
    assert world.patient.id_number not in page
    before = staff.today(ask(rf, admin, query=f"?on={today() - datetime.timedelta(days=1)}")).content.decode()
    assert world.hospital.institution.code not in before
    with pytest.raises(Http404):
        staff.today(ask(rf, admin, query="?on=yesterday"))


def test_the_figures_lead_to_their_messages(world: World, rf: RequestFactory, admin) -> None:
    looked_up(world)
    refused = {"data": {"setl_id": "1", "mdtrt_id": "1", "psn_no": "1"}}
    # The day before the same was refused, too: it is not among those of today.
    world.hospital.call("2208", refused)
    GatewayMessage.objects.filter(infno="2208").update(received_at=now() - datetime.timedelta(days=1))
    world.hospital.call("2208", refused)
    page = staff.today(ask(rf, admin)).content.decode()
    counts = []
    for link in re.findall(r'href="/admin/gateway/gatewaymessage/(\?[^"]+)"', page):
        request = ask(rf, admin, query=html.unescape(link))
        request.session = {}
        listed = GatewayMessageAdmin(GatewayMessage, site).changelist_view(request)
        counts.append(listed.context_data["cl"].result_count)
    assert counts == [2, 1]


def test_our_own_faults_are_counted_apart(world: World) -> None:
    looked_up(world)
    GatewayMessage.objects.update(outcome="ZeroDivisionError")
    assert calls.day_of(["310000"], today())[0].failed == 1
    GatewayMessage.objects.update(outcome="", duration_ms=None)
    assert calls.day_of(["310000"], today())[0].failed == 1


@pytest.mark.parametrize("role", [Role.CLERK, Role.SUPERVISOR, Role.AUDITOR])
def test_others_find_no_such_page(world: World, rf: RequestFactory, role) -> None:
    message = looked_up(world)
    user = make_staff(role, region=world.region)
    with pytest.raises(Http404):
        staff.today(ask(rf, user))
    with pytest.raises(Http404):
        staff.message(ask(rf, user), message.pk)


def test_another_regions_calls_are_not_there(world: World, rf: RequestFactory) -> None:
    message = looked_up(world)
    user = make_staff(Role.REGION_ADMIN, region=make_region("110000"))
    assert world.hospital.institution.code not in staff.today(ask(rf, user)).content.decode()
    with pytest.raises(Http404):
        staff.message(ask(rf, user), message.pk)


def test_a_body_is_read_for_a_reason_that_is_kept(world: World, rf: RequestFactory, admin) -> None:
    message = looked_up(world)
    assert world.patient.id_number not in staff.message(ask(rf, admin), message.pk).content.decode()
    refused = staff.message(ask(rf, admin, {"act": "open", "reason": ""}), message.pk)
    assert refused.status_code == 422
    assert world.patient.id_number not in refused.content.decode()
    assert not AuditEvent.objects.filter(action="gateway_message_opened").exists()
    page = staff.message(ask(rf, admin, {"act": "open", "reason": REASON}), message.pk).content.decode()
    assert world.patient.id_number not in page
    assert masks.mask_id(world.patient.id_number) in page
    assert world.patient.name not in page
    event = AuditEvent.objects.get(action="gateway_message_opened")
    assert (event.reason, event.member_id, event.actor_id) == (REASON, world.patient.pk, admin.pk)
    assert event.target == f"message:{message.pk}"
    assert world.patient.id_number not in str(event.details)


def test_a_message_is_shown_as_it_was_written_but_for_whom_it_names(world: World, admin) -> None:
    given = credential(world.patient) | {"PSN_NAME": world.patient.name}
    world.hospital.ok("1101", json.dumps({"data": given}))
    said = bodies.open_message(message=GatewayMessage.objects.latest("pk"), by=admin, reason=REASON)
    answer = json.loads(said.answer)
    assert answer["infcode"] == 0
    assert isinstance(answer["output"]["insuinfo"][0]["balc"], float)
    assert answer["output"]["baseinfo"]["brdy"].endswith("-**-**")
    body = json.loads(said.body)
    assert isinstance(body["input"], str)
    for text in (said.body, said.answer):
        assert world.patient.id_number not in text
        assert world.patient.name not in text
        assert masks.mask_name(world.patient.name) in text


def test_a_refused_call_says_what_the_institution_does(world: World, rf: RequestFactory, admin) -> None:
    world.hospital.call("2208", {"data": {"setl_id": "1", "mdtrt_id": "1", "psn_no": "1"}})
    message = GatewayMessage.objects.latest("pk")
    assert documentation.remedy("visit_unknown") in staff.message(ask(rf, admin), message.pk).content.decode()
    with override("en"):
        GatewayMessage.objects.update(outcome="ZeroDivisionError")
        page = staff.message(ask(rf, admin), message.pk).content.decode()
        assert documentation.remedy("system_error") in page
        assert "2208 Outpatient settlement reversal" in page
    assert documentation.remedy("duplicate") != documentation.remedy("visit_unknown")


def test_a_system_administrator_reads_no_body(world: World, rf: RequestFactory) -> None:
    message, user = looked_up(world), make_staff(Role.SYSTEM_ADMIN)
    assert message.msgid in staff.message(ask(rf, user), message.pk).content.decode()
    with pytest.raises(Http404):
        staff.message(ask(rf, user, {"act": "open", "reason": REASON}), message.pk)
    with pytest.raises(Refused, match="not_allowed"):
        bodies.open_message(message=message, by=user, reason=REASON)
    assert not AuditEvent.objects.filter(action="gateway_message_opened").exists()


def test_a_message_tried_again_writes_nothing(world: World, rf: RequestFactory, admin) -> None:
    world.hospital.ok("2201", {"data": visit_input(world.patient)})
    message = GatewayMessage.objects.latest("pk")
    page = staff.message(ask(rf, admin, {"act": "replay", "reason": REASON}), message.pk).content.decode()
    assert "mdtrt_id" in page
    assert (Visit.objects.count(), GatewayMessage.objects.count()) == (1, 1)
    assert AuditEvent.objects.get(action="gateway_message_replayed").reason == REASON


def test_a_settlement_tried_again_moves_no_money(world: World, admin) -> None:
    visit = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": [line(world.patient, visit, "1", DRUG, "1", "100.00")]})
    refused = world.hospital.settle(world.patient, visit, "90.00")
    assert refused["infcode"] == -1
    message = GatewayMessage.objects.latest("pk")
    assert "total_other" in bodies.replay(message=message, by=admin, reason=REASON).refusal
    settled = world.hospital.settle(world.patient, visit, "100.00")
    assert settled["infcode"] == 0
    message = GatewayMessage.objects.latest("pk")
    before = world.hospital.ok("1101", {"data": credential(world.patient)})["insuinfo"][0]["balc"]
    assert "batch_settled" in bodies.replay(message=message, by=admin, reason=REASON).refusal
    setl = settled["output"]["setlinfo"]["setl_id"]
    world.hospital.ok(
        "2208", {"data": {"setl_id": setl, "mdtrt_id": visit, "psn_no": settled["output"]["setlinfo"]["psn_no"]}}
    )
    whole = world.hospital.ok("1101", {"data": credential(world.patient)})["insuinfo"][0]["balc"]
    again = bodies.replay(message=message, by=admin, reason=REASON)
    assert "setl_id" in again.output
    assert world.hospital.ok("1101", {"data": credential(world.patient)})["insuinfo"][0]["balc"] == whole > before


def test_old_bodies_are_deleted_and_the_rest_stays(world: World, rf: RequestFactory, admin, settings) -> None:
    old, visit = looked_up(world), {"data": visit_input(world.patient)}
    world.hospital.ok("2201", visit, msgid="M1")
    long_ago = now() - datetime.timedelta(days=settings.GATEWAY_BODIES_DAYS, hours=1)
    GatewayMessage.objects.update(received_at=long_ago)
    young = looked_up(world)
    delete_bodies()
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.body, old.answer, old.request_hash) == (None, None, "")
    assert (old.infno, old.outcome) == ("1101", "ok")
    assert young.body
    # Whoever sends the msgid again acts not twice, and is told why there is no answer.
    again = world.hospital.call("2201", visit, msgid="M1")
    assert again["err_msg"].endswith("[answer_deleted]")
    assert Visit.objects.count() == 1
    page = staff.message(ask(rf, admin, {"act": "open", "reason": REASON}), old.pk)
    assert page.status_code == 422
    assert bodies.delete_old() == 0


def test_no_log_holds_what_was_said(world: World, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    hospital = world.hospital
    looked_up(world)
    hospital.call("1101", {"data": credential(world.patient) | {"psn_name": "不是他"}})
    hospital.call("1101", {"data": credential(world.patient)}, fixmedins_code="H99999999999")
    hospital.post(b'{"infno":"1101","certno":"' + world.patient.id_number.encode() + b'"')
    hospital.call("2201", {"data": visit_input(world.patient) | {"begntime": "gestern"}})
    assert "rejected" in caplog.text
    for secret in (world.patient.id_number, world.patient.name, hospital.secret):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("networks", "extra", "wrong"),
    [
        ("203.0.113.9\n198.51.100.0/24", '{"enctype": ""}', set()),
        ("", "{}", set()),
        ("203.0.113.9/24", "{}", {"networks"}),
        ("医院", "{}", {"networks"}),
        ("", '{"infcode": "0"}', {"extra_fields"}),
        ("", '{"a b": 1}', {"extra_fields"}),
        ("", '{"a": [1]}', {"extra_fields"}),
        ("", "[1]", {"extra_fields"}),
    ],
)
def test_the_settings_of_an_institution(world: World, networks: str, extra: str, wrong: set) -> None:
    form = SettingsForm({"institution": world.hospital.institution.pk, "networks": networks, "extra_fields": extra})
    assert set(form.errors) == wrong
    if not wrong:
        form.save()
        assert InstitutionSettings.objects.get().networks == (["203.0.113.9/32", "198.51.100.0/24"] if networks else [])


def test_the_demo_page_shows_the_keys_of_test_institutions(world: World) -> None:
    from accounts.models import Institution

    hospital = Institution.objects.create(
        code="H31010100001", name="浦江中心医院", kind="hospital", region=world.region
    )
    Institution.objects.create(code="P31010100001", name="同济堂药房", kind="pharmacy", region=world.region)
    for _ in range(2):
        seeded_keys.make()
    assert hospital.gateway_keys.count() == 4
    page = Client().get(reverse("accounts:demo")).content.decode()
    for key in hospital.gateway_keys.all():
        assert key.key_id in page
        assert key.secret in page
    assert "P31010100001" in page
