"""A PostgreSQL and a Redis of a run's own, in a folder that goes when the run ends: to be killed, filled and looked at."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
from psycopg import sql

from .places import HOUSE, House
from .postgres import Postgres
from .redis import Redis


def house(name: str) -> House:
    """The folder of this process's run."""
    return House(HOUSE.var / f"{name}-{os.getpid()}")


@contextlib.contextmanager
def servers(name: str, database: str) -> Iterator[House]:
    """Both servers, and this process (and all it starts) pointed at them. Before Django is set up."""
    place = house(name)
    _sweep(name)
    place.prepare()
    place.make_sockets()
    os.environ["DATABASE_URL"] = Postgres(place).url(database=database)
    os.environ["REDIS_URL"] = Redis(place).url()
    try:
        Postgres(place).start()
        Redis(place).start()
        yield place
    finally:
        close_connections()
        with contextlib.suppress(Exception):
            Redis(place).stop()
        with contextlib.suppress(Exception):
            Postgres(place).stop()
        remove(place)


def _sweep(name: str) -> None:
    """Folders that killed runs left behind."""
    for folder in HOUSE.var.glob(f"{name}-*"):
        number = folder.name.removeprefix(f"{name}-").split("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            with contextlib.suppress(Exception):
                Postgres(House(folder)).stop()
            remove(House(folder))


def remove(place: House) -> None:
    """A house with all that is in it; its servers must have stopped."""
    for folder in (place.var, Postgres(place).home, place.sockets):
        if folder != HOUSE.var:
            shutil.rmtree(folder, ignore_errors=True)


def make_database(place: House, name: str, template: str = "template1") -> None:
    """A database made new, as a copy of a template that nobody is connected to."""
    close_connections()
    with Postgres(place).connect() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy OWNER portal")
        server.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def make_template(place: House, name: str, template: str) -> None:
    """An empty migrated database, to be copied; `name` is the one that the settings point at."""
    from django.core.management import call_command

    make_database(place, name)
    call_command("migrate", interactive=False, verbosity=0)
    close_connections()
    with Postgres(place).connect() as server:
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(template)))


def close_connections() -> None:
    """Those that Django has, if there is a Django."""
    if "django" in sys.modules:
        from django.conf import settings
        from django.db import connections

        if settings.configured:
            connections.close_all()


def scratch(place: House, name: str) -> Path:
    """A folder of the run for a log or a copy."""
    folder = place.var / "scratch" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
