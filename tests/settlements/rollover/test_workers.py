"""Real Celery workers on committed data: killed in the middle, the bell lost, movements going on (F6, F8)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from settlements import tasks
from settlements.actions import rollover, rollover_work
from settlements.ledger.rolling import roll
from settlements.models import Entry, PersonalAccount, RolloverRun
from tests.people import make_region, make_staff
from tests.settlements.rollover.world import BOUNDARY, FIRST_DAY, YEAR, at, faults, release_run
from tests.support.ledger import open_many
from tests.support.races import at_once

ACCOUNTS = 1200
CHUNK = 3
PATIENCE = 60


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    """A worker with two processes, in a session of its own so that all of it can be killed at once."""
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", "--concurrency=2", "--loglevel=WARNING"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def chunks_done(run: RolloverRun) -> int:
    return run.chunks.filter(done=True).count()


@pytest.fixture
def run(transactional_db, settings) -> RolloverRun:
    settings.ROLLOVER_CHUNK_SIZE = CHUNK
    region = make_region()
    open_many(region, YEAR, ACCOUNTS, FIRST_DAY)
    return rollover.begin(run=release_run(region), at=at(BOUNDARY))


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The broker's Redis, empty before and after."""
    with redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle(run, broker, service_environment):
    accounts = list(PersonalAccount.objects.order_by("-id").values_list("id", flat=True))
    with worker(service_environment) as process:
        tasks.ring(run.pk)
        wait_for(lambda: chunks_done(run) >= 20)
        # Movements of the new year go on beside it, from the other end.
        for account in accounts[:30]:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM settlements_personalaccount WHERE id = %s FOR NO KEY UPDATE", [account])
                roll(account, BOUNDARY)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    half = chunks_done(run)
    assert 20 <= half < ACCOUNTS // CHUNK, "the kill came too late to prove anything"
    # What is done is whole, what is not is not begun.
    rolled = Entry.objects.filter(kind="rollover", transaction__scope="rollover").count()
    assert rolled == sum(run.chunks.values_list("accounts", flat=True))
    assert faults() == []

    # The broker forgets everything, too; the sweeper finds the run by its state.
    broker.flushdb()
    with worker(service_environment):
        tasks.open_due_runs()
        wait_for(lambda: RolloverRun.objects.get().state == "reconciled")

    run.refresh_from_db()
    assert run.totals["agrees"], run.totals
    assert run.totals["batch"]["accounts"] + run.totals["otherwise"]["accounts"] == ACCOUNTS
    assert run.totals["otherwise"]["accounts"] == 30
    assert PersonalAccount.objects.filter(benefit_year=YEAR + 1).count() == ACCOUNTS
    assert Entry.objects.filter(kind="rollover").count() == ACCOUNTS
    assert faults() == []
    closed = rollover.close(run=run, by=make_staff("region_admin"), at=at(BOUNDARY, 9))
    assert closed.state == "closed"


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_bells_that_ring_twice_and_a_pause(run, broker, service_environment):
    with worker(service_environment):
        for _ in range(3):
            tasks.ring(run.pk)
        wait_for(lambda: chunks_done(run) >= 10)
        rollover.pause(run=run, by=None)
        # Chunks that were being worked on are finished; then it is still.
        time.sleep(0.5)
        stopped = chunks_done(run)
        time.sleep(0.5)
        assert chunks_done(run) == stopped < ACCOUNTS // CHUNK
        rollover.resume(run=run, by=None)
        for _ in range(3):
            tasks.ring(run.pk)
        wait_for(lambda: RolloverRun.objects.get().state == "reconciled")
    assert Entry.objects.filter(kind="rollover").count() == ACCOUNTS
    assert faults() == []


@pytest.mark.django_db(transaction=True)
def test_one_worker_counts_and_the_others_do_not_wait_for_it(run):
    assert rollover_work.work(run_id=run.pk, seconds=PATIENCE) == rollover_work.Outcome.FINISHED
    counting = connection.copy()
    try:
        with rollover_work.to_count(run.pk) as free, counting.cursor() as cursor:
            assert free
            # The count holds the run as well; whoever waits for that is told by the database.
            cursor.execute("BEGIN; SELECT 1 FROM settlements_rolloverrun FOR NO KEY UPDATE")
            assert at_once(lambda: _finish(run), lambda: _finish(run)) == ["running", "running"]
            cursor.execute("ROLLBACK")
    finally:
        counting.close()
    assert _finish(run) == "reconciled"


def _finish(run: RolloverRun) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    tasks.finish_rollover(run.pk)
    return RolloverRun.objects.get(pk=run.pk).state


def test_no_task_lasts_a_quarter_of_the_visibility_timeout():
    quarter = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] / 4
    assert quarter > settings.ROLLOVER_SECONDS
    assert quarter > tasks.WAIT
