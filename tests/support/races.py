"""Two connections at once, for tests on committed data."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from accounts.errors import Refused

PATIENCE = 60  # seconds; only what hangs waits so long
WAITS_FOR_ME = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run the acts in threads, each with a connection of its own; what came of each, sorted."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            start.wait(PATIENCE)
            outcomes[number] = str(act())
        except Refused as refused:
            outcomes[number] = refused.code
        except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
            outcomes[number] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=row) for row in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return sorted(outcomes)


def twice(act: Callable[[], object]) -> list[str]:
    """The same from two connections at once, as two people at the desk do it."""
    return at_once(act, act)


def held_up(
    monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], first: Callable[[], object], second: Callable[[], object]
) -> list[str]:
    """As `at_once`, in one certain order: the first act stops behind its first call of `place` (a module and a name in it)
    until the second waits for a lock that the first holds, or has come through."""
    real, holding, through = getattr(*place), threading.Event(), threading.Event()

    def stopped(*args: Any, **more: Any) -> Any:
        given = real(*args, **more)
        if not holding.is_set():
            holding.set()
            _until_somebody_waits(through)
        return given

    def follow() -> object:
        holding.wait(PATIENCE)
        try:
            return second()
        finally:
            through.set()

    monkeypatch.setattr(*place, stopped)
    return at_once(first, follow)


def _until_somebody_waits(through: threading.Event) -> None:
    end = time.monotonic() + PATIENCE / 2
    with connection.cursor() as cursor:
        while not through.wait(0.01) and time.monotonic() < end:
            cursor.execute(WAITS_FOR_ME)
            if cursor.fetchone()[0]:
                return
