"""Several processes, each with a database connection of its own, share the work of a plan made before they begin."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.db import connection, connections
from kombu import pools

Pool = ProcessPoolExecutor


@contextmanager
def pool(processes: int, begin: Any = None, *args: Any) -> Iterator[Pool]:
    """Worker processes that know all that this one knows now; `begin(*args)` runs in each first."""
    close_connections()
    context = multiprocessing.get_context("fork")
    executor = ProcessPoolExecutor(processes, context, _begin, (begin, args))
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def close_connections() -> None:
    """Before processes are made: a connection that two of them read is a broken one, and waits for ever."""
    connections.close_all()
    current_app.pool.force_close_all()
    pools.reset()
    # Celery's own way to forget them; a closed pool would not open again.
    current_app._after_fork()


def run(executor: Pool, work: Any, parts: Sequence[Any], *args: Any) -> Iterator[Any]:
    """`work(part, *args)` for each part, as they are done; raises what a worker raised."""
    for done in as_completed([executor.submit(work, part, *args) for part in parts]):
        yield done.result()


def quiet() -> None:
    """For filling a database: nobody is rung for text messages, and a commit does not wait for the disk.

    A seed that is cut off is begun again, so nothing that matters can be lost.
    """
    current_app.conf.broker_url = "memory://localhost/"
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


def _begin(begin: Any, args: tuple[Any, ...]) -> None:
    # Ctrl-C is for the command, which then ends its workers; a SIGTERM must end them, not run the command's handler.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    quiet()
    if begin is not None:
        begin(*args)
