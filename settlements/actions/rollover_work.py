"""The batch at work: chunk after chunk, each in a transaction of its own, until time is up or nothing is left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from django.conf import settings
from django.db import connection, transaction

from settlements.enums import RunState
from settlements.ledger import batch
from settlements.models import RolloverRun

# First half of the advisory locks by which at most ROLLOVER_WORKERS work on a run; they die with their session.
SLOTS = 20_26_06


class Outcome(Enum):
    """Why the work stopped."""

    AGAIN = "time is up"
    WAIT = "the rest is held by movements or by other workers"
    FINISHED = "all chunks are done"
    STOPPED = "the run is not running, or enough are at work"


def work(*, run_id: int, seconds: float) -> Outcome:
    """Roll chunks of a running run for at most so many seconds and one chunk more. Any number may call it at once."""
    with _slot(run_id) as free:
        if not free:
            return Outcome.STOPPED
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            visit = roll_next(run_id=run_id)
            if isinstance(visit, Outcome):
                return visit
            if not visit.done and not visit.accounts:
                # Only accounts that movements hold: come back rather than knock again and again.
                return Outcome.WAIT
        return Outcome.AGAIN


@transaction.atomic
def roll_next(*, run_id: int) -> batch.Visit | Outcome:
    """Claim the next chunk and roll it, or say why there is none. One transaction: a kill leaves the chunk to do."""
    run = RolloverRun.objects.get(pk=run_id)
    if run.state != RunState.RUNNING:
        return Outcome.STOPPED
    chunk = batch.claim_chunk(run)
    if chunk is None:
        return Outcome.WAIT if run.chunks.filter(done=False).exists() else Outcome.FINISHED
    return batch.roll_chunk(run, chunk)


@contextmanager
def _slot(run_id: int) -> Iterator[bool]:
    """One of the run's places to work, if there is one: bells rung too often must not become ever more workers."""
    with connection.cursor() as cursor:
        for number in range(settings.ROLLOVER_WORKERS):
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
