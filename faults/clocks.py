"""F12: machines whose clocks jump over the end of the year, forward and back, while bills are settled and the batch works."""

import contextlib
import datetime
import random
import time
from collections.abc import Iterator
from functools import partial
from unittest import mock

from django.utils import timezone

from accounts.errors import Refused
from faults import checker, clients, killed, places, told, world
from faults.outcome import Outcome
from settlements.actions import rollover
from settlements.models import RolloverRun

CLIENTS, SECONDS = 4, 8.0
CROWD, CHUNK = 1500, 20
# Hours from midnight of the boundary: what the clocks of the machines show in turn.
SWINGS = [-72.0, -0.001, 0.0, 0.001, 30.0, -24.0, 240.0]


def jumping(number: int) -> None:
    """From now on this process has a clock that jumps four times a second; `accounts.clock` reads no other."""
    midnight, chance, real = world.at(world.BOUNDARY, 0), random.Random(number), time.monotonic

    def now() -> datetime.datetime:
        chance.seed(number * 1000 + int(real() * 4))
        return midnight.astimezone(datetime.UTC) + datetime.timedelta(hours=chance.choice(SWINGS))

    mock.patch.object(timezone, "now", now).start()


@contextlib.contextmanager
def going_on_from(at: datetime.datetime) -> Iterator[float]:
    """In this process it is `at` and goes on from there, for all its threads; the value: so many seconds ahead."""
    ahead, real = at.timestamp() - time.time(), timezone.now
    with mock.patch.object(timezone, "now", lambda: real() + datetime.timedelta(seconds=ahead)):
        yield ahead


def clocks_jump() -> Outcome:
    """A day that is wrong moves nothing twice and closes no year twice; the books hold."""
    from django.conf import settings

    settings.ROLLOVER_CHUNK_SIZE = CHUNK
    places.fresh()
    people = [one for family in world.families(6) for one in family]
    hospital, folder = world.institution(), places.scratch("clocks")
    world.crowd(CROWD)
    run = world.release_run()
    early = _too_early(run)
    run = rollover.begin(run=run, at=world.at(world.BOUNDARY, 0))
    # Each client takes the business day from a list with days of both years, as a web server with such a clock would.
    days = [world.BOUNDARY + offset * world.DAY for offset in (-3, -1, 0, 1, 10)]
    crew = clients.send(CLIENTS, folder, clients.Plan(people, hospital.pk, days, SECONDS), jumping)

    def roll(number: int) -> None:
        jumping(100 + number)
        killed.roll_until_done(run.pk, SECONDS + 30, pause=0.05)

    batch = clients.side_by_side([partial(roll, number) for number in range(2)])
    counts = crew.wait()
    for process in batch:
        process.join(60)
    killed.roll_until_done(run.pk, 30, pause=0)
    run = rollover.finish(run=run, at=world.at(world.BOUNDARY + 12 * world.DAY))
    outcome = Outcome(
        f"{len(SWINGS)} times between 72 hours before and 240 hours after, {counts['answers']} answers",
        checker.check(told.read(folder), days[-1] + 120 * world.DAY),
    )
    outcome.require("a run began before its day", early)
    outcome.require("a client died", counts["dead"] == 0)
    outcome.require(f"the run is {run.state}: {run.totals.get('lines')}", run.state == "reconciled")
    return outcome


def _too_early(run: RolloverRun) -> bool:
    try:
        rollover.begin(run=run, at=world.at(world.LAST_DAY, 23))
    except Refused as refusal:
        return refusal.code == "year_not_over"
    return False
