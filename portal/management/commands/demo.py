"""`make demo`: the whole portal on this machine, with invented people, until Ctrl-C."""

import contextlib
import fcntl
import hashlib
import http.client
import io
import os
import socket
import sys
import time
import unicodedata
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from psycopg import sql

from portal.services import ServiceError, database_url, hold
from portal.services.places import HOUSE
from portal.services.postgres import Postgres
from portal.services.processes import fresh_log
from portal.services.supervisor import Child, Supervisor

READY_LIMIT = 90.0
PORTS_TRIED = 50


class Command(BaseCommand):
    help = "Run the portal with invented people until Ctrl-C. PORT and HOST choose where (localhost:8000)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fresh", action="store_true", help="throw the data away and begin again")
        parser.add_argument("--yes", action="store_true", help="also where DATABASE_URL names the database")
        parser.add_argument("--members", type=int, help="about how many people to invent (seed has a default)")
        parser.add_argument("--once", action="store_true", help="start, see that it answers, stop")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with hold(), only_demo() as note:
                self.run(note, **options)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        except (OperationalError, psycopg.OperationalError) as error:
            raise CommandError(f"The database refuses: {error}") from error
        except KeyboardInterrupt:
            self.say("Stopped before the portal was ready.")

    def run(self, note: Any, fresh: bool, yes: bool, once: bool, members: int | None, **options: Any) -> None:
        host, port = choose_address()
        address = f"http://{'localhost' if host == '127.0.0.1' else host}:{port}/"
        os.environ["PUBLIC_URL"] = address.rstrip("/")
        if fresh:
            self.begin_again(yes)
        self.prepare(members)
        with Supervisor() as supervisor:
            for child in children(host, port):
                supervisor.start(child)
            wait_until_ready(supervisor, host, port)
            note.write(address)
            note.flush()
            self.tell(address)
            with contextlib.suppress(KeyboardInterrupt):
                watch(supervisor, once)
            self.say("Stopping ...")
        self.check_books()
        self.say("Stopped. The data stays; make demo goes on with it.")

    def prepare(self, members: int | None) -> None:
        """Bring database, regions, people and static files up to what this checkout wants."""
        self.step("database schema", "migrate", interactive=False, verbosity=0)
        self.step("regions", "load_regions", quiet=True)
        size: dict[str, Any] = {"members": members} if members else {}
        self.step("invented people", "seed", if_empty=True, **size)
        collect_static()
        # The children have connections of their own; an idle one here would only stand in the way of --fresh.
        connections.close_all()

    def step(self, what: str, command: str, quiet: bool = False, **options: Any) -> None:
        self.say(f"{what} ...")
        begun = time.monotonic()
        call_command(command, stdout=io.StringIO() if quiet else sys.stdout, **options)
        if (taken := time.monotonic() - begun) > 1:
            self.say(f"{what}: {taken:.0f} s")

    def begin_again(self, yes: bool) -> None:
        if not os.environ.get("DATABASE_URL"):
            Postgres(HOUSE).drop_database()
        elif yes:
            empty_database()
        else:
            raise CommandError(
                "--fresh would destroy the database that DATABASE_URL names. Add --yes if you mean that."
            )
        # The heads of an audit chain that is gone would be missed by every check from now on.
        settings.AUDIT_ANCHORS.unlink(missing_ok=True)
        self.say("database: emptied")

    def tell(self, address: str) -> None:
        from portal.demo import logins

        self.say(f"\nThe portal is at {address}\n")
        for line in table([("role", "login", "password", ""), *logins()]):
            self.say(f"  {line}")
        self.say(f"\nLogs are in {HOUSE.logs}. Ctrl-C stops everything.")

    def check_books(self) -> None:
        """Count the same money two ways after every demo."""
        call_command("check_ledger", quiet=True)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


@contextlib.contextmanager
def only_demo() -> Iterator[Any]:
    """Two demos of one database would do each other's work: the second says where the first is."""
    HOUSE.prepare()
    database = hashlib.sha256(database_url().encode()).hexdigest()[:12]
    with (HOUSE.locks / f"demo-{database}.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(f"A demo of this database is running already. {lock.read()}".strip()) from None
        lock.truncate(0)
        yield lock


def choose_address() -> tuple[str, int]:
    """HOST and PORT; without PORT the first free one from 8000 on, and it is said when that is another."""
    host, wanted = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT")
    if wanted:
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            raise CommandError(f"PORT must be a number from 1 to 65535, not {wanted!r}.")
        if not is_free(host, int(wanted)):
            raise CommandError(f"Port {wanted} is taken. Choose another with PORT=, or leave PORT out.")
        return host, int(wanted)
    for port in range(8000, 8000 + PORTS_TRIED):
        if is_free(host, port):
            if port != 8000:
                print(f"Port 8000 is taken, the portal goes to {port}.")
            return host, port
    raise CommandError(f"No free port from 8000 to {8000 + PORTS_TRIED - 1}. Choose one with PORT=.")


def is_free(host: str, port: int) -> bool:
    """Nobody listens there; nor on ::1, where a browser that is told `localhost` looks first."""
    with contextlib.suppress(OSError), socket.create_connection(("::1", port), timeout=1):
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CommandError(f"Port {port} needs rights this user does not have. Choose one above 1023.") from None
        except OSError:
            return False
    return True


def children(host: str, port: int) -> list[Child]:
    logs, python = HOUSE.logs, [sys.executable, "-m"]
    workers = max(2, min(4, os.cpu_count() or 2))
    web = [
        *python, "gunicorn", "portal.wsgi", "--bind", f"{host}:{port}", "--workers", str(workers),
        # The institutions' interface has header names with underscores, which gunicorn drops by default.
        "--header-map", "dangerous", "--no-control-socket", "--graceful-timeout", "10", "--timeout", "60",
        "--threads", "2", "--keep-alive", "30",
        "--access-logfile", str(fresh_log(logs / "access.log")),
    ]  # fmt: skip
    celery = [*python, "celery", "--app", "portal"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--concurrency", "2", "--without-mingle", "--without-gossip"]
    beat = [*celery, "beat", "--loglevel", "INFO", "--pidfile=", "--schedule", str(HOUSE.locks / "beat")]
    return [
        Child("web", web, logs / "web.log"),
        Child("worker", worker, logs / "worker.log", comes_back=True),
        Child("beat", beat, logs / "beat.log", comes_back=True),
    ]


def wait_until_ready(supervisor: Supervisor, host: str, port: int) -> None:
    """Raises ServiceError when /healthz does not answer 200 in time, with what it answered last."""
    end, answer = time.monotonic() + READY_LIMIT, ""
    while answer != "200":
        supervisor.look()
        if time.monotonic() > end:
            raise ServiceError(f"The portal does not become ready: /healthz answered {answer}. See {HOUSE.logs}")
        time.sleep(0.1)
        answer = ask("127.0.0.1" if host in ("0.0.0.0", "::") else host, port)


def watch(supervisor: Supervisor, once: bool) -> None:
    """Until Ctrl-C, or until the terminal it was started from is gone (make, told of that, only waits for us)."""
    at_terminal = sys.stdin.isatty()
    while not once and sys.stdin.isatty() == at_terminal:
        time.sleep(0.5)
        supervisor.look()


def ask(host: str, port: int) -> str:
    """The status of /healthz; not through urllib, which would go through a proxy of the environment."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def collect_static() -> None:
    """collectstatic hashes and compresses; it runs only when a file came, went or changed.

    Sources and the fonts of printed papers, which no page asks for, stay out: compressing 20 MB takes half a minute.
    """
    files = [Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list(["*.ttf", "scss"])]
    state = hashlib.sha256()
    for path in sorted(files):
        state.update(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n".encode())
    stamp = HOUSE.locks / "static.stamp"
    if Path(settings.STATIC_ROOT).exists() and stamp.exists() and stamp.read_text() == state.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=["*.ttf", "scss"])
    stamp.write_text(state.hexdigest())


def empty_database() -> None:
    """Drop and make again the database that DATABASE_URL names; its role must be allowed to."""
    mine = connections["default"].settings_dict
    connections.close_all()
    place = {"host": mine["HOST"], "port": mine["PORT"], "user": mine["USER"], "password": mine["PASSWORD"]}
    given = {name: value for name, value in place.items() if value}
    # How Django binds parameters is nothing that the driver knows.
    options = {name: value for name, value in mine["OPTIONS"].items() if name != "server_side_binding"}
    with psycopg.connect(dbname="postgres", autocommit=True, **given, **options) as connection:
        name = sql.Identifier(mine["NAME"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Columns one under the other, Chinese characters counted as two places wide."""
    rows = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in rows]  # fmt: skip


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
