"""F6, F7, F8: workers killed, tasks that come twice or far too late, and a Redis that dies and comes back empty."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from django.db import connections

from faults import checker, clients, places, told, world
from faults.outcome import Outcome
from settlements import tasks
from settlements.actions import rollover
from settlements.models import Entry, PersonalAccount, RolloverRun

CROWD, CHUNK = 6000, 4
PATIENCE = 60.0


@contextlib.contextmanager
def worker() -> Iterator[Callable[[], None]]:
    """A real Celery worker with two processes; the value kills all of it with SIGKILL."""
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", "--concurrency=2", "--loglevel=ERROR"]
    with (places.scratch("celery") / "celery.log").open("ab") as log:
        process = subprocess.Popen(command, start_new_session=True, stdout=log, stderr=log)

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    try:
        yield kill
    finally:
        kill()


def begin() -> RolloverRun:
    """A run with many small chunks, so that every fault finds one in work."""
    from django.conf import settings

    settings.ROLLOVER_CHUNK_SIZE = CHUNK
    places.fresh()
    world.crowd(CROWD)
    return rollover.begin(run=world.release_run(), at=world.at(world.BOUNDARY))


def done(run: RolloverRun) -> int:
    """Chunks."""
    return run.chunks.filter(done=True).count()


def reached(run: RolloverRun, share: float) -> bool:
    """Whether so much of the chunks, 0 to 1, is done."""
    return done(run) >= share * run.chunks.count()


def sweep_until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait as the portal does: the sweeper rings now and then (in production once a minute)."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the run does not get on")
        with contextlib.suppress(Exception):
            tasks.open_due_runs()
        for _ in range(50):
            if what():
                return
            time.sleep(0.02)


def reconciled(run: RolloverRun) -> bool:
    """Whether it has been counted and agrees."""
    return RolloverRun.objects.get(pk=run.pk).state == "reconciled"


def end_state(run: RolloverRun, outcome: Outcome, lines: list[told.Line]) -> Outcome:
    """Every account is rolled once, the totals agree, the books and the log hold."""
    run.refresh_from_db()
    accounts = PersonalAccount.objects.count()
    rolled = Entry.objects.filter(kind="rollover").count()
    outcome.require(f"the run is {run.state}", run.state == "reconciled" and run.totals["agrees"])
    outcome.require(f"{rolled} rollovers of {accounts} accounts", rolled == accounts)
    outcome.findings += checker.check(lines, world.BOUNDARY + 120 * world.DAY)
    return outcome


def worker_killed() -> Outcome:
    """F6: SIGKILL to the worker and its children, three times."""
    run, at = begin(), []
    for share in (0.15, 0.4, 0.65):
        with worker() as kill:
            sweep_until(partial(reached, run, share))
            kill()
        at.append(done(run))
    with worker():
        sweep_until(lambda: reconciled(run))
    outcome = Outcome(f"killed at {at} of {run.chunks.count()} chunks")
    outcome.require("a kill came too late", at[-1] < run.chunks.count())
    return end_state(run, outcome, [])


def task_twice() -> Outcome:
    """F7: ten bells at once, the same task in two places, and all of them once more after everything is over."""
    run = begin()
    with worker(), worker():
        for _ in range(10):
            tasks.ring(run.pk)
        sweep_until(lambda: reconciled(run))
        entries = Entry.objects.count()
        totals = RolloverRun.objects.get(pk=run.pk).totals
        for _ in range(5):
            tasks.ring(run.pk)
            tasks.finish_rollover.delay(run.pk)
        tasks.work_rollover(run.pk)
        tasks.finish_rollover(run.pk)
        tasks.open_due_runs()
        time.sleep(2)
    outcome = Outcome(f"{run.chunks.count()} chunks, ten bells at once, fifteen when all was over")
    outcome.require("a late task wrote something", Entry.objects.count() == entries)
    outcome.require("a late task counted anew", RolloverRun.objects.get(pk=run.pk).totals == totals)
    return end_state(run, outcome, [])


def redis_lost() -> Outcome:
    """F8: Redis dies twice and comes back empty, once while nobody notices; bills go on meanwhile."""
    run = begin()
    people = [one for family in world.families(4) for one in family]
    hospital, folder = world.institution(), places.scratch("redis")
    crew = clients.send(2, folder, clients.Plan(people, hospital.pk, [world.BOUNDARY], 10.0, pause=0.02))
    at = []
    with worker():
        for share in (0.2, 0.5):
            sweep_until(partial(reached, run, share))
            at.append(done(run))
            places.kill_redis()
            time.sleep(1)
            places.redis().start()
        sweep_until(lambda: reconciled(run))
        counts = crew.wait()
        sweep_until(lambda: reconciled(run))
    connections.close_all()
    outcome = Outcome(f"Redis killed at {at} of {run.chunks.count()} chunks, {counts['answers']} answers meanwhile")
    outcome.require("a bill failed without Redis", counts["retries"] == counts["dead"] == 0)
    outcome.require("a kill came too late", at[-1] < run.chunks.count())
    return end_state(run, outcome, told.read(folder))
