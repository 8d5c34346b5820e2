"""Databases of the benchmarks' own, beside the demo's on the same server: one template a size, cloned for each round.

A clone begins every round with the same pages on disk, which emptying and filling tables again would not.
"""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from portal import services

NAME = os.environ.get("BENCH_DATABASE", "bench")
# Redis has numbered databases: 16 as it comes, 256 in the embedded one. Two runs at once must not hear each other's bells.
EMBEDDED_REDIS, OTHER_REDIS = 200 + zlib.crc32(NAME.encode()) % 50, 15
_home = ""


def move_in() -> None:
    """Point this process, and all that it starts, at databases of its own. Before Django is set up."""
    global _home
    _home = services.database_url()
    number = OTHER_REDIS if os.environ.get("REDIS_URL") else EMBEDDED_REDIS
    os.environ["REDIS_URL"] = services.redis_url(db=number)
    os.environ["DATABASE_URL"] = address(NAME)


def clear() -> None:
    """Drop what a run made: nothing is left behind."""
    _close()
    with psycopg.connect(_home, autocommit=True) as server:
        found = server.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [f"^{NAME}(_t[0-9]+|_pgbench)?$"])
        for (name,) in found.fetchall():
            _drop(server, name)


def address(name: str) -> str:
    """The server's address with another database."""
    return urlunsplit(urlsplit(_home)._replace(path=f"/{name}"))


def exists(name: str) -> bool:
    """Whether there is a database of a name."""
    with psycopg.connect(_home, autocommit=True) as server:
        return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def create(name: str, template: str = "template1") -> None:
    """Make a database new, as a copy of a template that nobody is connected to, and let Django work on it."""
    _close()
    with psycopg.connect(_home, autocommit=True) as server:
        _drop(server, name)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    use(name)


def is_own_server() -> bool:
    """Whether it is the embedded server, on which we may set what only its superuser may."""
    return _home == services.Postgres(services.HOUSE).url()


@contextmanager
def slower_flush(milliseconds: int) -> Iterator[None]:
    """Each flush of the log takes so much longer, for whoever connects to these databases now: the server itself sleeps
    while it holds the lock of the flush, as it would on a slower disk. Of the embedded server alone."""
    databases = [name for name in (NAME, f"{NAME}_pgbench") if exists(name)]
    delay = {"commit_delay": milliseconds * 1000, "commit_siblings": 0}
    _alter(databases, [sql.SQL("SET {} = {}").format(sql.Identifier(name), value) for name, value in delay.items()])
    try:
        yield
    finally:
        _alter(databases, [sql.SQL("RESET {}").format(sql.Identifier(name)) for name in delay])


def _alter(databases: list[str], changes: list[sql.Composed]) -> None:
    _close()
    with services.Postgres(services.HOUSE).connect() as server:
        for name in databases:
            for change in changes:
                server.execute(sql.SQL("ALTER DATABASE {} {}").format(sql.Identifier(name), change))


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    """Not WITH (FORCE), which our role may not use while an autovacuum worker is in the database; DROP ends that one."""
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", [name]
    )
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def use(name: str) -> None:
    """Django's next connection goes to this database."""
    from django.db import connections

    _close()
    connections["default"].settings_dict["NAME"] = name


def _close() -> None:
    from django.db import connections

    connections.close_all()
