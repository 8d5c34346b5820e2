"""Holding the services while a command works; the last one out stops them.

The count of holders is kept by the kernel: each holds a shared lock on one file, so a holder that is killed no longer
counts. Starting and stopping happens under a second, exclusive lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import IO

from .errors import ServiceError
from .places import HOUSE, House
from .postgres import Postgres
from .processes import undisturbed
from .redis import Redis

WITHOUT_SERVICES = frozenset(
    ["check", "check_translations", "collectstatic", "compile_translations", "compilemessages", "diffsettings"]
    + ["findstatic", "help", "makemessages", "startapp", "update_translations", "version"]
)


def needed_by(arguments: list[str]) -> bool:
    """Whether `manage.py ARGUMENTS` needs the database or Redis; what is not known to do without gets them."""
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_SERVICES or "--database" in arguments


@contextlib.contextmanager
def hold(house: House = HOUSE) -> Iterator[None]:
    """Have PostgreSQL and Redis running until the end of the block, unless DATABASE_URL and REDIS_URL name others.

    Raises ServiceError. SIGTERM and a closed terminal end the block like Ctrl-C does, so nothing is left running.
    """
    services = _embedded(house)
    if not services:
        yield
        return
    with _terminating():
        try:
            house.prepare()
            users = (house.locks / "users.lock").open("a")
            _enter(house, users, services)
        except PermissionError as error:
            raise ServiceError(
                f"{error.filename} belongs to another user: run the command as that user, or move var/ away."
            ) from None
        try:
            yield
        finally:
            with undisturbed(), users, _one_at_a_time(house):
                _leave(users, services)


def _embedded(house: House) -> list[Postgres | Redis]:
    services: list[Postgres | Redis] = []
    if not os.environ.get("DATABASE_URL"):
        services.append(Postgres(house))
    if not os.environ.get("REDIS_URL"):
        services.append(Redis(house))
    return services


def _enter(house: House, users: IO[str], services: list[Postgres | Redis]) -> None:
    with _one_at_a_time(house):
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            house.make_sockets()
            for service in services:
                service.start()
        except BaseException:
            _leave(users, services)
            users.close()
            raise


def _leave(users: IO[str], services: list[Postgres | Redis]) -> None:
    """Stop the services if nobody else holds them: the exclusive lock is free only then."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    for service in services:
        service.stop()
        service.house.remove_sockets()


@contextlib.contextmanager
def _one_at_a_time(house: House) -> Iterator[None]:
    with (house.locks / "services.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _terminating() -> Iterator[None]:
    """SIGTERM and SIGHUP kill a Python process without any `finally`: turn them into an exit that runs them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
