"""Several at once, each with a database and a web server of its own, so that one can count what another would write."""

import multiprocessing
import os
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from queue import Empty
from typing import Any

from django.core.management import call_command
from django.db import connection

from conformance import world
from conformance.carrier import Http
from conformance.stand import Job, Stand
from conformance.told import Broken, Told
from portal.services import own
from portal.services.places import House
from portal.services.postgres import Postgres
from portal.services.web import web

TEMPLATE = "conformance_template"
LANES = int(os.environ.get("CONFORMANCE_LANES", min(4, os.cpu_count() or 1)))
# A lane that says nothing for so long has died.
SILENCE = 300.0


@dataclass
class Row:
    """What became of the jobs of a part."""

    part: str
    jobs: int = 0
    seconds: float = 0.0
    told: Told = field(default_factory=Told)

    def add(self, seconds: float, told: Told) -> None:
        """One more job."""
        self.jobs += 1
        self.seconds += seconds
        self.told.messages += told.messages
        self.told.checks += told.checks
        self.told.findings += told.findings


def run(house: House, jobs: Sequence[Job]) -> list[Row]:
    """A row a part, in the order of the jobs; and one for the books of all lanes."""
    own.make_database(house, TEMPLATE)
    _use(TEMPLATE)
    call_command("migrate", interactive=False, verbosity=0)
    world.build()
    count = min(LANES, len(jobs))
    for number in range(count):
        own.make_database(house, _database(number), TEMPLATE)
    fork = multiprocessing.get_context("fork")
    todo, done = fork.Queue(), fork.Queue()
    for at in range(len(jobs)):
        todo.put(at)
    lanes = [fork.Process(target=_lane, args=(house, number, jobs, todo, done), daemon=True) for number in range(count)]
    for lane in lanes:
        lane.start()
    rows: dict[str, Row] = {job.part: Row(job.part) for job in jobs} | {"books": Row("books")}
    for _ in range(len(jobs) + count):
        try:
            part, seconds, told = done.get(timeout=SILENCE)
        except Empty:
            rows["books"].told.findings.append("a lane has died")
            break
        rows[part].add(seconds, told)
    for lane in lanes:
        lane.join(60)
    return list(rows.values())


def _database(number: int) -> str:
    return f"conformance_{number}"


def _use(name: str) -> None:
    own.close_connections()
    connection.settings_dict["NAME"] = name


def _lane(house: House, number: int, jobs: Sequence[Job], todo: Any, done: Any) -> None:
    _use(_database(number))
    environment = {"DATABASE_URL": Postgres(house).url(database=_database(number))}
    with web(1, 2, log=house.logs / f"web-{number}.log", environment=environment) as address:
        stand = Stand(Http(address))
        while True:
            try:
                job = jobs[todo.get(timeout=1)]
            except Empty:
                break
            begun = time.monotonic()
            stand.told = Told()
            play(stand, job)
            done.put((job.part, time.monotonic() - begun, stand.told))
    begun = time.monotonic()
    told = Told(checks=1)
    told.findings += _books()
    done.put(("books", time.monotonic() - begun, told))


def play(stand: Stand, job: Job) -> None:
    """A job, whatever becomes of it: what breaks it is a finding."""
    try:
        job.play(stand)
    except Broken as broken:
        stand.told.findings.append(str(broken))
    except Exception as error:  # noqa: BLE001 - a broken line, an answer of another form: also findings
        notes = "; ".join(getattr(error, "__notes__", []))
        stand.told.findings.append(f"{error!r} {notes} {traceback.format_exc(limit=-3)}")
    stand.told.findings[:] = [f"{job.what}: {finding}" for finding in stand.told.findings]


def _books() -> list[str]:
    """`check_ledger` over all that the lane has done."""
    said = StringIO()
    try:
        call_command("check_ledger", stdout=said, stderr=said)
    except SystemExit as ended:
        return [] if not ended.code else [said.getvalue()[:1000]]
    return []
