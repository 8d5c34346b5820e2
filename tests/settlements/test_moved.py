"""A bill is decided on accounts that are not locked; what has moved since is seen when it is written."""

import datetime
from collections.abc import Callable
from contextlib import contextmanager
from decimal import Decimal
from threading import Thread
from unittest import mock

import pytest
from django.db import connection, transaction

from accounts.calls import Moved, send
from settlements import ledger
from settlements.actions import care
from settlements.models import Entry, LedgerTransaction, PersonalAccount, Settlement, SettlementPayer, Usage
from tests.settlements.rollover.world import faults
from tests.settlements.scene import Scene, make_member, make_scene, share

pytestmark = pytest.mark.django_db(transaction=True)
ON = datetime.date(2026, 5, 20)


def settle(scene: Scene, key: str = "k", amount: str = "100.00", patient=None) -> Settlement:
    bill = care.Bill(kind="outpatient", level=scene.institution.level, in_scope=Decimal(amount))
    return care.settle(patient=patient or scene.father.member, institution=scene.institution, bill=bill, on=ON, key=key)


def in_between(act: Callable[[], object]):
    """The act is done by somebody else once, when the first decision is made and before it is written.

    Gives a list with a row for that, and one for each decision.
    """
    real, done = care.decide, []

    def decided(*args):
        quoted = real(*args)
        if not done:
            done.append(None)
            other = Thread(target=_by_another, args=[act])
            other.start()
            other.join()
        done.append(quoted)
        return quoted

    return _patched(decided, done)


@contextmanager
def _patched(decided, done):
    with mock.patch.object(care, "decide", decided):
        yield done


def _by_another(act):
    try:
        act()
    finally:
        connection.close()


def credited(account: PersonalAccount, amount: str) -> Callable[[], object]:
    def work(transaction_id: int) -> dict:
        books = ledger.open(patient_id=account.member_id, years=[], account_ids=[account.pk], on=ON)
        moved = ledger.Movement(account_id=account.pk, kind="opening", contra="opening", historical=Decimal(amount))
        books.post(transaction_id, [moved])
        return {}

    def act():
        ledger.once(
            scope="test", key=amount, request={}, kind="opening", on=ON, region_id="310000", by_id=None, work=work
        )

    return act


def bill_of_another(scene: Scene, amount: str) -> Callable[[], object]:
    other = make_member(region=scene.region)
    share(scene.daughter.member, other, "child", scene.region, ON - datetime.timedelta(days=40), limit=None)
    return lambda: settle(scene, "other", amount, other)


def test_another_relatives_bill_in_between_changes_nothing_of_this_one():
    scene = make_scene(on=ON, current="0.00", historical="500.00", father_current="0.00", father_historical="0.00")
    with in_between(bill_of_another(scene, "80.00")) as decisions:
        made = settle(scene)
    assert len(decisions) == 3, "once each"
    assert (made.shared, made.cash) == (100, 0)
    assert PersonalAccount.objects.get(pk=scene.account.pk).historical == 320
    last = Entry.objects.filter(account=scene.account).latest("version")
    assert (last.historical_delta, last.historical_after, last.transaction_id) == (-100, 320, made.transaction_id)
    assert faults(ON) == []


def test_what_no_longer_reaches_is_decided_anew_under_its_lock():
    scene = make_scene(on=ON, current="0.00", historical="150.00", father_current="0.00", father_historical="0.00")
    with in_between(bill_of_another(scene, "80.00")) as decisions:
        made = settle(scene)
    assert len(decisions) == 4
    assert (made.shared, made.cash) == (70, 30)
    assert Settlement.objects.filter(patient=scene.father.member).count() == 1
    assert LedgerTransaction.objects.filter(scope=f"institution:{scene.institution.pk}", key="k").count() == 1
    assert faults(ON) == []


@pytest.mark.parametrize("whose", ["account", "fathers"])
def test_money_that_came_to_an_empty_account_is_used(whose):
    """His own, or his daughter's: nobody pays cash beside money that is there."""
    scene = make_scene(on=ON, current="0.00", historical="0.00", father_current="0.00", father_historical="0.00")
    with in_between(credited(getattr(scene, whose), "60.00")) as decisions:
        made = settle(scene)
    assert len(decisions) == 3
    assert (made.own_historical + made.shared, made.cash) == (60, 40)


def test_an_account_that_is_behind_is_rolled_under_its_lock():
    scene = make_scene(on=datetime.date(2025, 6, 20), current="30.00", historical="500.00", father_current="0.00")
    made = settle(scene)
    assert made.own_historical == Decimal("100.00")
    assert PersonalAccount.objects.get(pk=scene.fathers.pk).benefit_year == 2025
    assert faults(ON) == []


def test_nothing_stays_of_an_attempt_that_moved():
    scene = make_scene(on=ON, current="0.00", historical="150.00", father_current="0.00", father_historical="0.00")
    tables = (Settlement, SettlementPayer, Entry, LedgerTransaction, Usage)
    before = [table.objects.count() for table in tables]
    real = ledger.Books.posting

    def moved(self, *args, **more):
        call = real(self, *args, **more)
        call.params[3] = call.params[3].replace('"least": "100.00"', '"least": "151.00"')
        return call

    unsent: list = []
    with mock.patch.object(ledger.Books, "posting", moved), pytest.raises(Moved), transaction.atomic():
        care.settle(
            patient=scene.father.member,
            institution=scene.institution,
            bill=care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("100.00")),
            on=ON,
            key="k",
            unsent=unsent,
        )
        send(*unsent)
    assert [table.objects.count() for table in tables] == before


def test_a_version_that_was_read_is_held_against_the_row():
    scene = make_scene(on=ON)
    with pytest.raises(Moved), transaction.atomic():
        books = ledger.open(patient_id=scene.father.member_id, years=[], account_ids=[scene.fathers.pk], on=ON)
        books.accounts[scene.fathers.pk].version += 1
        out = ledger.Movement(
            account_id=scene.fathers.pk, kind="care", contra="institution", historical=Decimal("-1.00")
        )
        books.post(1, [out])
