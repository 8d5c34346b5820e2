"""What runs beside: a Celery worker, a web server, several clients at once."""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from celery import current_app
from django.db import connection

from portal.seeding import workers
from portal.services import web as serving

LOGS = Path(__file__).parent / "results"
LIMIT = 60.0
# Seconds until all clients are there.
HEAD_START = 2.0


@contextmanager
def celery(processes: int) -> Iterator[psutil.Process]:
    """A worker as the demo starts it, ready."""
    command = [
        sys.executable, "-m", "celery", "--app", "portal", "worker", "--loglevel", "WARNING",
        "--concurrency", str(processes), "--without-mingle", "--without-gossip",
    ]  # fmt: skip
    with serving.running(command, log=LOGS / "celery.log") as worker:
        end = time.monotonic() + LIMIT
        while not current_app.control.ping(timeout=0.2):
            if time.monotonic() > end:
                raise RuntimeError(f"the Celery worker does not answer: see {LOGS / 'celery.log'}")
        yield psutil.Process(worker.pid)


def until(done: Callable[[], object], seconds: float, every: float = 0.1) -> None:
    """Wait for something that a worker does. Raises RuntimeError after so many seconds."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise RuntimeError(f"the worker does not end: see {LOGS / 'celery.log'}")
        time.sleep(every)


@contextmanager
def web(processes: int, threads: int) -> Iterator[str]:
    """gunicorn with the portal; its address."""
    with serving.web(processes, threads, log=LOGS / "web.log") as address:
        yield address


@contextmanager
def peak_memory(process: psutil.Process) -> Iterator[Callable[[], float]]:
    """The largest resident memory of one of a process's children while the block runs, in MB."""
    peak, over = [0], threading.Event()

    def look() -> float:
        for child in process.children(recursive=True):
            try:
                peak[0] = max(peak[0], child.memory_info().rss)
            except psutil.Error:
                continue
        return peak[0] / 2**20

    def watch() -> None:
        while not over.wait(0.1):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        # Once more when it is asked for: what was done sooner than the first look has a size too.
        yield look
    finally:
        over.set()
        watcher.join()


def processor(process: psutil.Process) -> float:
    """Seconds of the processor that a process's children have used."""
    used = 0.0
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        used += times.user + times.system
    return used


def processor_time() -> Callable[[], float]:
    """Seconds of processor time that this process and its part of a server on this machine have used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number = cursor.fetchone()[0]
    server = psutil.Process(number) if psutil.pid_exists(number) else None
    beside = server if server and server.name() == "postgres" else None

    def used() -> float:
        times = beside.cpu_times() if beside else None
        return time.process_time() + (times.user + times.system if times else 0)

    return used


def at_once(work: Callable[..., Any], parts: Sequence[Any], *args: Any) -> list[Any]:
    """`work(part, start, *args)` for each part in a process of its own; all begin at the moment `start`."""
    workers.close_connections()
    start = time.time() + HEAD_START
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("fork")) as executor:
        return list(executor.map(work, parts, [start] * len(parts), *[[arg] * len(parts) for arg in args]))
