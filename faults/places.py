"""A PostgreSQL and a Redis of a run's own, to be killed at will, in a folder that goes when the run ends."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from psycopg import sql

from portal.services.places import HOUSE, House
from portal.services.postgres import Postgres
from portal.services.redis import Redis

NAME, TEMPLATE = "faults", "faults_template"
house = House(HOUSE.var / f"faults-{os.getpid()}")


def postgres() -> Postgres:
    """The run's own server."""
    return Postgres(house)


def redis() -> Redis:
    """The run's own Redis."""
    return Redis(house)


@contextlib.contextmanager
def own_servers() -> Iterator[None]:
    """Both servers, and this process (and all it starts) pointed at them. Before Django is set up."""
    _sweep()
    house.prepare()
    house.make_sockets()
    os.environ["DATABASE_URL"] = postgres().url(database=NAME)
    os.environ["REDIS_URL"] = redis().url()
    try:
        postgres().start()
        redis().start()
        yield
    finally:
        _close()
        with contextlib.suppress(Exception):
            redis().stop()
        with contextlib.suppress(Exception):
            postgres().stop()
        remove(house)


def _sweep() -> None:
    """Folders that killed runs left behind."""
    for folder in HOUSE.var.glob("faults-*"):
        number = folder.name.removeprefix("faults-").split("-")[0]
        if not psutil.pid_exists(int(number)):
            with contextlib.suppress(Exception):
                Postgres(House(folder)).stop()
            remove(House(folder))


def remove(place: House) -> None:
    """A house with all that is in it; its servers must have stopped."""
    for folder in (place.var, Postgres(place).home, place.sockets):
        if folder != HOUSE.var:
            shutil.rmtree(folder, ignore_errors=True)


def make_template() -> None:
    """An empty migrated database, made once a run; `fresh` clones it."""
    from django.core.management import call_command

    with postgres().connect() as server:
        server.execute(sql.SQL("CREATE DATABASE {} OWNER portal").format(sql.Identifier(NAME)))
    call_command("migrate", interactive=False, verbosity=0)
    _close()
    with postgres().connect() as server:
        server.execute(f"ALTER DATABASE {NAME} RENAME TO {TEMPLATE}")


def fresh() -> None:
    """The database of the scenarios, new; Redis, emptied."""
    _close()
    with postgres().connect() as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {NAME} TEMPLATE {TEMPLATE} STRATEGY file_copy OWNER portal")
    with redis()._client() as client:
        client.flushall()


def _close() -> None:
    if "django" in sys.modules:
        from django.conf import settings
        from django.db import connections

        if settings.configured:
            connections.close_all()


def kill_postgres(place: Postgres | None = None) -> None:
    """SIGKILL to the postmaster and all its children at once, as when the power goes; then wait until none is left."""
    postmaster = (place or postgres())._postmaster()
    if postmaster is None:
        return
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family[1:], timeout=10)


def kill_redis() -> None:
    """SIGKILL; nothing of it was on disk, so it comes back empty."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "redis-server" and str(redis().socket) in " ".join(process.info["cmdline"] or []):
            process.kill()
            process.wait(10)


def scratch(name: str) -> Path:
    """A folder of the run for a log or a copy."""
    folder = house.var / "scratch" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def execute(statement: str, database: str = NAME) -> list[tuple[object, ...]]:
    """As the superuser, on a connection of its own."""
    with postgres().connect(database=database) as server:
        cursor = server.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def until(what: object, seconds: float = 60.0, every: float = 0.02) -> None:
    """Wait for a condition; TimeoutError if it does not come."""
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError("waited too long")
        time.sleep(every)
