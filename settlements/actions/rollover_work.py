"""The batch at work: chunk after chunk, each in a transaction of its own, until time is up or nothing is left.

It gives way to settlements: a visit of a chunk takes as many accounts, and rests afterwards for as long, as
domain/pacing.py says.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from settlements.domain import pacing
from settlements.enums import RunState
from settlements.ledger import batch
from settlements.models import RolloverRun
from settlements.queries import load

# First half of the advisory locks by which at most ROLLOVER_WORKERS work on a run; they die with their session.
SLOTS = 20_26_06
# The number of the one place to count a run, beyond the places to work on it.
COUNTING = 99
# Milliseconds between two looks at the load: asking costs a third of one, a visit fifty.
LOOK_EVERY_MS = 250
# Whoever settles without pause is met in a look or two; after this long without anybody there is nobody to give way to.
ALONE_AFTER_MS = 2000


class Outcome(Enum):
    """Why the work stopped."""

    AGAIN = "time is up"
    WAIT = "the rest is held by movements or by other workers"
    FINISHED = "all chunks are done"
    STOPPED = "the run is not running, or enough are at work"


def work(*, run_id: int, seconds: float) -> Outcome:
    """Roll chunks of a running run for at most so many seconds and one visit more. Any number may call it at once."""
    with _slot(run_id, range(settings.ROLLOVER_WORKERS)) as free:
        if not free:
            return Outcome.STOPPED
        end, pace, share = time.monotonic() + seconds, Pace(run_id), pacing.FIRST_SHARE
        while time.monotonic() < end:
            begun_ms = _now_ms()
            visit = roll_next(run_id=run_id, most=share)
            if isinstance(visit, Outcome):
                return visit
            if not visit.done and not visit.accounts:
                # Only accounts that movements hold: come back rather than knock again and again.
                return Outcome.WAIT
            visit_ms = _now_ms() - begun_ms
            pace.rest(visit_ms)
            share = pacing.next_share(share, visit.accounts, visit_ms, pace.held_ms)
        return Outcome.AGAIN


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Pace:
    """One worker's rests: how settlements fare is looked at now and then, and how long it rests stands on the run."""

    def __init__(self, run_id: int) -> None:
        self.run_id, self.rest_ms, self.looked_ms = run_id, 0, 0
        self.met_ms = -ALONE_AFTER_MS

    @property
    def held_ms(self) -> int:
        """How long a visit may hold its accounts: without limit where nobody else has been met at work for a while."""
        return settings.ROLLOVER_HELD_MS if _now_ms() - self.met_ms < ALONE_AFTER_MS else sys.maxsize

    def rest(self, visit_ms: int) -> None:
        """Rest after a visit that took so long, if there is need."""
        if _now_ms() - self.looked_ms >= LOOK_EVERY_MS:
            self.looked_ms = _now_ms()
            self._look(visit_ms)
        if self.rest_ms:
            time.sleep(self.rest_ms / 1000)

    def _look(self, visit_ms: int) -> None:
        waiting, busy = load.disturbed_and_busy()
        if waiting or busy:
            self.met_ms = self.looked_ms
        limits = pacing.Limits(busy=settings.ROLLOVER_BUSY, visit_ms=settings.ROLLOVER_SLOW_MS)
        seen = pacing.Load(waiting=waiting, busy=busy, visit_ms=visit_ms)
        before, self.rest_ms = self.rest_ms, pacing.next_rest(self.rest_ms, seen, limits)
        if before != self.rest_ms:
            # For the page alone; a run that somebody is counting or pausing is not waited for.
            with transaction.atomic():
                held = RolloverRun.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=self.run_id)
                RolloverRun.objects.filter(pk__in=held.values("pk")).update(resting_ms=self.rest_ms)


def roll_next(*, run_id: int, most: int | None = None) -> batch.Visit | Outcome:
    """Claim the next chunk and roll it, or `most` accounts of it, or say why there is none.

    One transaction: a kill leaves the chunk to do.
    """
    visit = batch.roll_next(run_id, most)
    if visit is not None:
        return visit
    run = RolloverRun.objects.get(pk=run_id)
    if run.state != RunState.RUNNING:
        return Outcome.STOPPED
    return Outcome.WAIT if run.chunks.filter(done=False).exists() else Outcome.FINISHED


@contextmanager
def to_count(run_id: int) -> Iterator[bool]:
    """Whether this worker may count a run whose last chunk is done: all of them ring for it, and one is enough.

    For the others' time alone; that nothing is counted or posted twice is held by the run's row.
    """
    with _slot(run_id, [COUNTING]) as free:
        yield free


@contextmanager
def _slot(run_id: int, numbers: Iterable[int]) -> Iterator[bool]:
    """One of the run's places, if one is free: bells rung too often must not become ever more workers."""
    with connection.cursor() as cursor, _named(cursor):
        for number in numbers:
            keys = [SLOTS, run_id * 100 + number]
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
            if cursor.fetchone()[0]:
                break
        else:
            yield False
            return
        try:
            yield True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)


@contextmanager
def _named(cursor: CursorWrapper) -> Iterator[None]:
    """The session under the name by which the batch's own sessions are known."""
    cursor.execute("SELECT set_config('application_name', %s, false)", [load.WORKER])
    try:
        yield
    finally:
        cursor.execute("RESET application_name")
