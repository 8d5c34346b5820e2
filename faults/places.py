"""A PostgreSQL and a Redis of a run's own, to be killed at will, in a folder that goes when the run ends."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from portal.services import own
from portal.services.postgres import Postgres
from portal.services.redis import Redis

NAME, TEMPLATE = "faults", "faults_template"
house = own.house("faults")


def postgres() -> Postgres:
    """The run's own server."""
    return Postgres(house)


def redis() -> Redis:
    """The run's own Redis."""
    return Redis(house)


@contextlib.contextmanager
def own_servers() -> Iterator[None]:
    """Both servers, and this process (and all it starts) pointed at them. Before Django is set up."""
    with own.servers("faults", NAME):
        yield


def make_template() -> None:
    """An empty migrated database, made once a run; `fresh` clones it."""
    own.make_template(house, NAME, TEMPLATE)


def fresh() -> None:
    """The database of the scenarios, new; Redis, emptied."""
    own.make_database(house, NAME, TEMPLATE)
    with redis()._client() as client:
        client.flushall()


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
    return own.scratch(house, name)


def execute(statement: str, database: str = NAME) -> list[tuple[object, ...]]:
    """As the superuser, on a connection of its own."""
    with postgres().connect(database=database) as server:
        cursor = server.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def until(what: Callable[[], object], seconds: float = 60.0, every: float = 0.02) -> None:
    """Wait for a condition; TimeoutError if it does not come."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("waited too long")
        time.sleep(every)
