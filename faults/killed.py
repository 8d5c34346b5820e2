"""F1: the database server killed with SIGKILL, again and again, in the middle of settlements and of a year's end."""

import contextlib
import time

from django.db import Error, connection, connections

from faults import checker, clients, places, told, world
from faults.outcome import Outcome
from settlements.actions import rollover, rollover_work
from settlements.models import RolloverRun

CLIENTS, WORKERS, KILLS, EVERY = 4, 2, 5, 2.5
CROWD, CHUNK = 6000, 20


def roll_until_done(run_id: int, seconds: float, pause: float = 0.01) -> None:
    """A worker that comes back after every crash."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if rollover_work.roll_next(run_id=run_id) == rollover_work.Outcome.FINISHED:
                return
            time.sleep(pause)
        except Error:
            with contextlib.suppress(Error):
                connection.close()
            time.sleep(0.05)


def chunks(run: RolloverRun) -> int:
    """How many are done."""
    return run.chunks.filter(done=True).count()


def server_killed() -> Outcome:
    """Everything told is there once, nothing else is; the batch goes on where it was, and its totals agree."""
    from django.conf import settings

    settings.ROLLOVER_CHUNK_SIZE = CHUNK
    places.fresh()
    people = [one for family in world.families(8) for one in family]
    hospital = world.institution()
    world.crowd(CROWD)
    run = rollover.begin(run=world.release_run(), at=world.at(world.BOUNDARY))
    folder, seconds = places.scratch("killed"), KILLS * EVERY + 3
    days = [world.BOUNDARY + number * world.DAY for number in range(10)]
    crew = clients.send(CLIENTS, folder, clients.Plan(people, hospital.pk, days, seconds))
    workers = clients.side_by_side([lambda: roll_until_done(run.pk, seconds + 30, pause=0.15)] * WORKERS)
    done, recoveries = [], []
    for _ in range(KILLS):
        time.sleep(EVERY)
        done.append(chunks(run))
        connections.close_all()
        places.kill_postgres()
        began = time.monotonic()
        places.postgres().start()
        recoveries.append(time.monotonic() - began)
    counts = crew.wait()
    for worker in workers:
        worker.join(60)
    roll_until_done(run.pk, 30, pause=0)
    run = rollover.finish(run=run, at=world.at(world.BOUNDARY + world.DAY))
    lines = told.read(folder)
    outcome = Outcome(
        f"{KILLS} kills, slowest recovery {max(recoveries):.1f} s, chunks done at them {done} of {run.chunks.count()},"
        f" {counts['answers']} answers, {counts['retries']} retries",
        checker.check(lines, days[-1] + 120 * world.DAY),
    )
    outcome.require("a client died", counts["dead"] == 0)
    outcome.require("no kill met the batch in its work", any(0 < count < run.chunks.count() for count in done))
    outcome.require("done chunks became fewer", done == sorted(done))
    outcome.require("no client lost a connection", counts["retries"] > 0)
    outcome.require(f"the run is {run.state}: {run.totals.get('lines')}", run.state == "reconciled")
    return outcome
