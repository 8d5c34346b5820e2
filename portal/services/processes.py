"""Looking at processes and files the way both services need it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

LOG_LIMIT = 10_000_000


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error somebody has to act on."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 20_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return f"({log} cannot be read)"


def fresh_log(log: Path) -> Path:
    """Put a long log aside once, so that a demo that runs for weeks does not fill the disk."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """While stopping: an impatient second Ctrl-C must not leave a process behind. Each wait inside has a limit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
