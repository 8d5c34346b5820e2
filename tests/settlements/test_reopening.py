"""Who was paid out and is employed here again gets credits again, into the same account."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts import clock
from accounts.models import AuditEvent, Enrolment, Message
from accounts.money import ZERO
from settlements.actions import credit_runs, crediting, payouts
from settlements.models import Payout, PersonalAccount
from tests.settlements.rollover.world import at, faults
from tests.settlements.scene import bill, make_scene, undo
from tests.settlements.test_withdrawal import Desk, heirs
from tests.support.pages import log_in

DAY = datetime.timedelta(days=1)


@pytest.fixture
def desk(db) -> Desk:
    return Desk(make_scene(on=datetime.date(2026, 11, 20)))


def come_back(desk, on, **more) -> Enrolment:
    Enrolment.objects.filter(member=desk.scene.daughter.member, status="closed").update(valid_to=on)
    facts = {"insurance": "employee", "base": Decimal("10000.00"), "valid_from": on} | more
    return Enrolment.objects.create(member=desk.scene.daughter.member, region=desk.scene.region, **facts)


def begin(desk, on):
    run = credit_runs.begin_due(region=desk.scene.region, on=on)
    while run is not None and isinstance(credit_runs.work_next(run_id=run.pk), credit_runs.Done):
        pass


def account_of(desk) -> PersonalAccount:
    return PersonalAccount.objects.get(pk=desk.scene.account.pk)


def test_the_next_night_opens_the_account_and_credits_it(desk) -> None:
    desk.close()
    back = desk.scene.on + 3 * DAY
    come_back(desk, back)
    begin(desk, back - DAY)
    assert account_of(desk).status == "closed", "not before the insurance begins"
    begin(desk, back)
    account = account_of(desk)
    assert account.status == "open" and account.current > 0
    line = AuditEvent.objects.get(action="account_reopened")
    assert (line.member_id, line.target) == (account.member_id, f"account {account.pk}")
    assert Message.objects.filter(member=account.member_id, kind="account_reopened").count() == 1
    before = account.current
    begin(desk, back + DAY)
    assert account_of(desk).current == before
    assert AuditEvent.objects.filter(action="account_reopened").count() == 1
    assert faults(back + DAY) == []


def test_credited_alone_it_is_opened_too(desk) -> None:
    desk.close()
    enrolment = come_back(desk, desk.scene.on + DAY)
    crediting.credit(enrolment=enrolment, every="year", on=desk.scene.on + DAY)
    assert account_of(desk).status == "open" and account_of(desk).current > 0


@pytest.mark.parametrize("more", [{"insurance": "resident", "base": None}, {"status": "suspended"}])
def test_only_for_who_contributes_as_an_employee(desk, more) -> None:
    desk.close()
    come_back(desk, desk.scene.on + DAY, **more)
    begin(desk, desk.scene.on + DAY)
    assert account_of(desk).status == "closed"


def test_not_for_the_dead(desk) -> None:
    desk.close("inheritance", "died", heirs(desk, "100.00"))
    come_back(desk, desk.scene.on + DAY)
    begin(desk, desk.scene.on + DAY)
    assert account_of(desk).status == "closed"


def test_late_money_goes_to_the_payees_first(desk) -> None:
    settled = bill(desk.scene)
    desk.close()
    undo(desk.scene, settled)
    back = desk.scene.on + DAY
    come_back(desk, back)
    begin(desk, back)
    assert account_of(desk).status == "late"
    payouts.pay_on_all(on=back)
    begin(desk, back)
    assert account_of(desk).status == "open"
    assert Payout.objects.latest("id").amount == settled.shared
    assert faults(back) == []


def test_closed_again_what_was_credited_since_is_paid(desk) -> None:
    desk.close()
    back, again = datetime.date(2027, 1, 5), datetime.date(2027, 3, 5)
    come_back(desk, back)
    begin(desk, back)
    held = account_of(desk).current
    with clock.standing(at(again)):
        desk.close(since=again)
    assert account_of(desk).status == "closed"
    assert ZERO < Payout.objects.latest("id").amount < held
    assert faults(again) == []


def test_the_pages_tell_it(desk) -> None:
    application = desk.close()
    come_back(desk, desk.scene.on + DAY)
    with clock.standing(at(desk.scene.on + DAY)):
        page = log_in(desk.scene.daughter)
        why = page.get(reverse("settlements:why"), HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "The account is being opened again" in why
        begin(desk, desk.scene.on + DAY)
        closing = reverse("settlements:closing", args=[application.case.public_id])
        assert "It was opened again since" in page.get(closing, HTTP_ACCEPT_LANGUAGE="en").content.decode()
        why = page.get(reverse("settlements:why"), HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "The account is being opened again" not in why
