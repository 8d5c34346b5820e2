"""The batch gives way, on real connections: who waits for it is seen, and it rests after its chunks."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, connections

from settlements.actions import rollover, rollover_work
from settlements.models import LedgerTransaction, RolloverRun
from settlements.queries import load
from tests.people import make_member, make_region
from tests.settlements.rollover.world import BOUNDARY, FIRST_DAY, YEAR, at, faults, release_run
from tests.support.ledger import open_account, open_many

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 10


@pytest.fixture
def worker() -> Iterator:
    """A session that calls itself a worker of the batch."""
    other = connection.copy()
    other.connect()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SET application_name = 'rollover'")
    yield other
    other.close()


def hold(holder, account) -> None:
    with holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM settlements_personalaccount WHERE id = %s FOR NO KEY UPDATE", [account.pk])


def wait_for(account) -> threading.Thread:
    def lock() -> None:
        hold(connections["default"], account)
        connections.close_all()

    thread = threading.Thread(target=lock)
    thread.start()
    return thread


def waiting_at_last(count: int) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if load.disturbed_and_busy()[0] == count:
            return True
        time.sleep(0.02)
    return False


def test_who_waits_for_a_worker_is_seen_and_who_waits_for_another_settlement_is_not(worker):
    account = open_account(make_member(), make_region(), YEAR, "10.00")
    assert load.disturbed_and_busy()[0] == 0
    hold(worker, account)
    thread = wait_for(account)
    try:
        assert waiting_at_last(1)
    finally:
        worker.rollback()
        thread.join(PATIENCE)
    assert waiting_at_last(0)

    with worker.cursor() as cursor:
        cursor.execute("SET application_name = 'a settlement'")
    worker.commit()
    hold(worker, account)
    thread = wait_for(account)
    time.sleep(0.3)
    try:
        assert load.disturbed_and_busy()[0] == 0
    finally:
        worker.rollback()
        thread.join(PATIENCE)


def test_under_strain_it_rests_says_so_and_still_ends(settings, monkeypatch):
    settings.ROLLOVER_CHUNK_SIZE = 5
    settings.ROLLOVER_BUSY = -1  # every session is one too many
    monkeypatch.setattr(rollover_work, "LOOK_EVERY_MS", 0)
    rests = []
    monkeypatch.setattr(rollover_work.time, "sleep", rests.append)
    region = make_region()
    open_many(region, YEAR, 40, FIRST_DAY)
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    assert rollover_work.work(run_id=run.pk, seconds=PATIENCE) == rollover_work.Outcome.FINISHED
    assert rests == [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6]
    assert RolloverRun.objects.get().resting_ms == 1600
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.resting_ms) == ("reconciled", 0)
    assert faults() == []


def test_at_rest_it_goes_at_full_speed_and_gives_its_name_back(settings, monkeypatch):
    settings.ROLLOVER_CHUNK_SIZE = 5
    settings.ROLLOVER_SLOW_MS = 60_000
    settings.ROLLOVER_BUSY = 1000
    monkeypatch.setattr(rollover_work, "LOOK_EVERY_MS", 0)
    region = make_region()
    open_many(region, YEAR, 20, FIRST_DAY)
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    assert rollover_work.work(run_id=run.pk, seconds=PATIENCE) == rollover_work.Outcome.FINISHED
    assert RolloverRun.objects.get().resting_ms == 0
    with connection.cursor() as cursor:
        cursor.execute("SHOW application_name")
        assert cursor.fetchone()[0] != load.WORKER


@pytest.mark.parametrize(("others", "taken"), [(1, [20, 5, 5, 5, 5]), (0, [20, 20])])
def test_beside_others_a_visit_takes_fewer_accounts_and_alone_all_of_its_chunk(settings, monkeypatch, others, taken):
    settings.ROLLOVER_HELD_MS = 0  # nobody is as fast
    monkeypatch.setattr(rollover_work, "LOOK_EVERY_MS", 0)
    monkeypatch.setattr(rollover_work, "ALONE_AFTER_MS", 3_600_000)
    monkeypatch.setattr(rollover_work.load, "disturbed_and_busy", lambda: (0, others))
    monkeypatch.setattr(rollover_work.pacing, "FIRST_SHARE", 20)
    monkeypatch.setattr(rollover_work.pacing, "LEAST_SHARE", 5)
    region = make_region()
    open_many(region, YEAR, 40, FIRST_DAY)
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    assert rollover_work.work(run_id=run.pk, seconds=PATIENCE) == rollover_work.Outcome.FINISHED
    visits = (
        LedgerTransaction.objects.filter(scope="rollover").order_by("pk").values_list("answer__accounts", flat=True)
    )
    assert list(visits) == taken
    assert rollover.finish(run=run, at=at(BOUNDARY)).state == "reconciled"
    assert faults() == []
