"""F11: no space left, first for the tables, then for the write-ahead log; a small tmpfs stands for the disk."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from django.db import connections

from faults import checker, clients, places, told, world
from faults.outcome import Outcome
from portal.services.postgres import Postgres
from settlements import ledger

CLIENTS, SECONDS = 3, 9.0
SETTINGS = ["max_wal_size = '64MB'", "min_wal_size = '32MB'", "wal_recycle = off"]
ROOM = {"tables": 120, "log": 160}


class NotPossible(Exception):
    """This machine does not let us have a small disk."""


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A mounted tmpfs that belongs to the server's user."""
    folder = places.house.var / "disk"
    folder.mkdir(exist_ok=True)
    options = f"size={megabytes}m,mode=0700"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise NotPossible(f"mounting a tmpfs needs root: {made.stderr.strip()}")
    try:
        places.postgres()._give_away(folder)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(disk: Path) -> Path:
    """Write until nothing more goes in; the file to remove."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65536)
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)
    return ballast


@contextlib.contextmanager
def tables_on_it() -> Iterator[Path]:
    """The database in a tablespace on the small disk."""
    with small_disk(ROOM["tables"]) as disk:
        space = disk / "space"
        space.mkdir(mode=0o700)
        places.postgres()._give_away(space)
        places.execute(f"CREATE TABLESPACE small LOCATION '{space}'", "postgres")
        places.execute("GRANT CREATE ON TABLESPACE small TO portal", "postgres")
        connections.close_all()
        places.execute(f"ALTER DATABASE {places.NAME} SET TABLESPACE small", "postgres")
        try:
            yield disk
        finally:
            connections.close_all()
            places.execute(f"DROP DATABASE {places.NAME} WITH (FORCE)", "postgres")
            places.execute("DROP TABLESPACE small", "postgres")


@contextlib.contextmanager
def log_on_it() -> Iterator[Path]:
    """The write-ahead log on the small disk."""
    server = places.postgres()
    connections.close_all()
    with small_disk(ROOM["log"]) as disk:
        # Each new segment is a new file.
        for setting in SETTINGS:
            places.execute(f"ALTER SYSTEM SET {setting}", "postgres")
        server.stop()
        wal, aside = server.data / "pg_wal", disk / "wal"
        # Of a server that stopped in order only the segment with the last checkpoint counts.
        last = _last_segment(server)
        ready = [path.name for path in wal.iterdir() if path.is_file() and path.name != last]
        shutil.copytree(wal, aside, ignore=shutil.ignore_patterns(*ready))
        for path in (aside, *aside.rglob("*")):
            server._give_away(path)
            path.chmod(0o700 if path.is_dir() else 0o600)
        shutil.rmtree(wal)
        wal.symlink_to(aside)
        server.start()
        try:
            yield disk
        finally:
            connections.close_all()
            server.stop()
            wal.unlink()
            shutil.copytree(aside, wal)
            for path in (wal, *wal.rglob("*")):
                server._give_away(path)
                path.chmod(0o700 if path.is_dir() else 0o600)
            server.start()
            for setting in SETTINGS:
                places.execute(f"ALTER SYSTEM RESET {setting.split()[0]}", "postgres")


def _last_segment(server: Postgres) -> str:
    told = subprocess.run(
        [str(server._binaries() / "pg_controldata"), str(server.data)], capture_output=True, text=True, check=True,
        env={"LC_ALL": "C"},
    ).stdout  # fmt: skip
    [line] = [line for line in told.splitlines() if "REDO WAL file" in line]
    return line.split()[-1]


def full(name: str, place: Callable[[], contextlib.AbstractContextManager[Path]]) -> Outcome:
    """Bills go on while the disk fills up and until there is room again; nothing told is lost, nothing is half there."""
    places.fresh()
    people = [one for family in world.families(6) for one in family]
    hospital, folder = world.institution(), places.scratch(f"disk-{name}")
    outcome = Outcome("")
    try:
        with place() as disk:
            crew = clients.send(CLIENTS, folder, clients.Plan(people, hospital.pk, [world.BOUNDARY], SECONDS))
            time.sleep(2)
            began, ballast = len(told.read(folder)), fill(disk)
            _use_up(SECONDS - 5)
            free = shutil.disk_usage(disk).free
            reads = _reads(people)
            ballast.unlink()
            # Without room for its log PostgreSQL stops at once; what starts services starts it again.
            places.postgres().start()
            counts = crew.wait()
            lines = told.read(folder)
            outcome.did = (
                f"{name}: full with {free} bytes left, server {'went on reading' if reads else 'stopped and recovered'},"
                f" {counts['retries']} errors, {counts['answers']} answers"
            )
            outcome.findings += checker.check(lines, world.BOUNDARY + 120 * world.DAY)
            outcome.require("a client died", counts["dead"] == 0)
            outcome.require("the disk was not felt", counts["retries"] > 0)
            outcome.require("nothing was settled afterwards", len(lines) > began)
            outcome.require("reads stopped", reads or name == "log")
    except NotPossible as why:
        outcome.did, outcome.findings = f"{name}: not possible here", [str(why)]
    return outcome


def _use_up(seconds: float) -> None:
    """Begin new segments of the log, for the server had some ready."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(psycopg.Error):
            places.execute("SELECT pg_switch_wal()", "postgres")
        time.sleep(0.1)


def _reads(people: list[world.Insured]) -> bool:
    try:
        return len(ledger.balances([one.account.pk for one in people], world.BOUNDARY)) == len(people)
    except Exception:  # noqa: BLE001 - the question is only whether it works
        return False
    finally:
        connections.close_all()


def disk_full() -> Outcome:
    """Both places."""
    tables, log = full("tables", tables_on_it), full("log", log_on_it)
    return Outcome(f"{tables.did}; {log.did}", tables.findings + log.findings)
