"""Which institutions did not reconcile; and the pages on which the region's staff see it."""

import datetime
import logging
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from accounts import clock, reasons
from accounts.clock import now, today
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import AuditEvent
from gateway import tasks
from gateway.actions import differences, reconciling_watch
from gateway.enums import DayState, DifferenceState
from gateway.models import Difference, Reconciliation, ReconciliationDay, VisitSettlement
from tests.gateway.test_reconciling import compare, settle, totals_input
from tests.gateway.world import World
from tests.people import make_region, make_staff
from tests.support.pages import fields, log_in


def test_what_was_compared_is_read_in_words(world: World) -> None:
    bill = settle(world, "80.00")
    settle(world, "20.00")
    compare(world, [bill])
    look()
    client = log_in(make_staff(Role.REGION_ADMIN, region=world.region))
    run, day = Reconciliation.objects.get(), ReconciliationDay.objects.get()
    page = client.get(reverse("admin:gateway_reconciliation_change", args=[run.pk])).content.decode()
    assert "结算 2，撤销 0，总费用 100.00" in page
    assert "11 门诊" in page
    assert "medfee_sumamt" not in page
    page = client.get(reverse("admin:gateway_reconciliationday_change", args=[day.pk])).content.decode()
    assert "11 门诊 · 职工医保" in page
    assert str(DayState.DIFFERS.label) in page
    assert "clr_type" not in page


def look() -> list[tuple[str, str]]:
    """What the watch of tomorrow morning says of today."""
    late = reconciling_watch.look(on=today() + datetime.timedelta(days=1), at=now())
    return [(one.institution.code, one.state) for one in late]


def ring_tomorrow() -> None:
    with clock.standing(now() + datetime.timedelta(days=1)):
        tasks.watch_reconciliation()


def test_who_did_not_reconcile_is_told_and_leaves_the_list_once_he_has(world: World) -> None:
    bill, code = settle(world, "80.00"), world.hospital.institution.code
    assert look() == [(code, DayState.MISSING)]
    assert ReconciliationDay.objects.get().settlements == 1
    world.hospital.ok("3201", totals_input([bill], medfee_sumamt="1.00"))
    assert look() == [(code, DayState.DIFFERS)]
    world.hospital.ok("3201", totals_input([bill]))
    assert look() == []
    assert ReconciliationDay.objects.get().state == DayState.BALANCED
    (part,) = ReconciliationDay.objects.get().parts
    assert part == {
        "region": "310000", "insurance": "employee", "clr_type": "11", "count": 1, "state": DayState.BALANCED,
    }  # fmt: skip


def test_details_count_too_and_refunds_alone_do_not(world: World) -> None:
    bill = settle(world, "80.00")
    world.hospital.ok("3201", totals_input([], refd_setl_flag="1"))
    assert [state for _code, state in look()] == [DayState.MISSING]
    compare(world, [bill])
    assert look() == []


def test_a_comparison_from_before_the_last_bill_covers_no_more(world: World) -> None:
    bill = settle(world, "80.00")
    world.hospital.ok("3201", totals_input([bill]))
    VisitSettlement.objects.update(settled_at=now() + datetime.timedelta(minutes=1))
    assert [state for _code, state in look()] == [DayState.MISSING]


def test_who_settled_nothing_has_nothing_to_reconcile(world: World) -> None:
    assert look() == []
    assert not ReconciliationDay.objects.exists()


def test_the_alarm_names_the_institution(world: World, caplog: pytest.LogCaptureFixture) -> None:
    settle(world, "80.00")
    with caplog.at_level(logging.ERROR, logger="gateway.tasks"):
        ring_tomorrow()
    assert world.hospital.institution.code in caplog.text


@pytest.fixture
def difference(world: World) -> Difference:
    bill = settle(world, "80.00")
    compare(world, [bill], compare_text(bill))
    return Difference.objects.get()


def compare_text(bill: dict) -> str:
    row = (bill["setl_id"], bill["mdtrt_id"], bill["psn_no"], bill["medfee_sumamt"], bill["fund_pay_sumamt"], "0.01", 0)
    return "\t".join(map(str, row)) + "\n"


def test_a_difference_is_explained_and_then_closed(world: World, difference: Difference) -> None:
    by = make_staff(Role.REGION_ADMIN, region=world.region)
    with pytest.raises(Refused, match="difference_unexplained"):
        differences.close(difference=difference, text="好", by=by)
    with pytest.raises(Refused, match="note_missing"):
        differences.explain(difference=difference, text=" ", by=by)
    found = differences.explain(difference=difference, text="医院录错金额", by=by)
    assert (found.state, found.note, found.changed_by) == (DifferenceState.EXPLAINED, "医院录错金额", by)
    found = differences.close(difference=difference, text="医院已更正", by=by)
    assert found.state == DifferenceState.CLOSED
    with pytest.raises(Refused, match="difference_closed"):
        differences.explain(difference=difference, text="再看", by=by)
    events = AuditEvent.objects.filter(target=f"difference {difference.public_id}").order_by("pk")
    assert [(event.action, event.reason) for event in events] == [
        ("difference_explained", "医院录错金额"),
        ("difference_closed", "医院已更正"),
    ]


@pytest.mark.parametrize(("role", "code"), [(Role.REGION_ADMIN, "110000"), (Role.CLERK, "310000"), (Role.AUDITOR, "")])
def test_only_the_regions_administrators_may(difference: Difference, role: str, code: str) -> None:
    by = make_staff(role, region=make_region(code) if code else None)
    with pytest.raises(PermissionDenied):
        differences.explain(difference=difference, text="好", by=by)


def test_the_pages_show_what_to_do_and_take_the_note(world: World, difference: Difference) -> None:
    settle(world, "33.00")
    ring_tomorrow()
    client = log_in(make_staff(Role.REGION_ADMIN, region=world.region))
    board = client.get(reverse("admin:gateway_difference_board")).content.decode()
    assert world.hospital.institution.code in board
    assert "金额不一致" in board
    address = reverse("admin:gateway_difference_change", args=[difference.pk])
    page = client.get(address).content.decode()
    assert "5203" in page
    assert difference.setl_id in page
    assert world.patient.name not in page
    empty = client.post(address, {"verb": "explain", "note": ""})
    assert empty.status_code == 422
    assert client.post(address, {"verb": "close", "note": "好"}).status_code == 422
    assert client.post(address, {"verb": "explain", "note": "医院录错金额"}).status_code == 302
    assert fields(client.get(address))["note"].strip() == "医院录错金额"
    assert client.post(address, {"verb": "close", "note": "已更正"}).status_code == 302
    # What another window still shows open is no page that is not there.
    late = client.post(address, {"verb": "explain", "note": "再看"})
    assert late.status_code == 422
    assert reasons.tell("difference_closed").reason in late.content.decode()
    for model in ("difference", "reconciliation", "reconciliationday", "gatewayfile"):
        assert client.get(reverse(f"admin:gateway_{model}_changelist")).status_code == 200


def test_another_region_and_an_auditor(world: World, difference: Difference) -> None:
    address = reverse("admin:gateway_difference_change", args=[difference.pk])
    other = log_in(make_staff(Role.REGION_ADMIN, region=make_region("110000")))
    assert other.get(address).status_code == 404
    assert world.hospital.institution.code not in other.get(reverse("admin:gateway_difference_board")).content.decode()
    auditor = log_in(make_staff(Role.AUDITOR))
    assert auditor.get(address).status_code == 200
    assert auditor.post(address, {"verb": "explain", "note": "好"}).status_code == 404
    clerk = log_in(make_staff(Role.CLERK, region=world.region))
    assert clerk.get(address).status_code != 200
    assert Client().get(address).status_code == 302
    assert Decimal("0.01") == difference.their_accounts


def test_details_without_a_clearing_category_are_of_all(world: World) -> None:
    """Two of six programs send none with 3202."""
    bills = [settle(world, "80.00"), settle(world, "90.00", med_type="13")]
    assert {row[4] for row in compare(world, bills, clr_type="11")} == {"0", "1"}
    differing = Difference.objects.get()
    assert [state for _code, state in look()] == [DayState.DIFFERS]
    assert [row[4] for row in compare(world, bills, clr_type="")] == ["0", "0"]
    differing.refresh_from_db()
    assert differing.state == DifferenceState.CLOSED
    assert look() == []
