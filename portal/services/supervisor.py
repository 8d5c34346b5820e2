"""Running the demo's processes: start, look after, stop. Each writes its own log."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import ServiceError
from .processes import fresh_log, tail, undisturbed

STOP_LIMIT = 20.0
RESTARTS = 3


@dataclass
class Child:
    """A process of the demo. One that `comes_back` is started again when it dies, a few times."""

    name: str
    command: list[str]
    log: Path
    comes_back: bool = False
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """In a session of its own: Ctrl-C at the terminal reaches the supervisor alone, which stops all in order."""
        self.starts += 1
        with fresh_log(self.log).open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip

    @property
    def died(self) -> int | None:
        """The exit code of one that ended by itself."""
        return self.process.poll() if self.process else None


class Supervisor:
    """Stops its children in the reverse order of their start when the block ends."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *exception: object) -> None:
        with undisturbed():
            self._stop()

    def _stop(self) -> None:
        for child in reversed(self.children):
            _signal(child, signal.SIGTERM)
        end = time.monotonic() + STOP_LIMIT
        for child in reversed(self.children):
            if child.process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, end - time.monotonic()))
                _signal(child, signal.SIGKILL)
                child.process.wait()

    def start(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def look(self) -> None:
        """Start again what died and may; raises ServiceError, with the end of the log, for what may not."""
        for child in self.children:
            code = child.died
            if code is None:
                continue
            story = f"{child.name} ended by itself (exit {code}). The end of {child.log}:\n{tail(child.log)}"
            if not child.comes_back or child.starts > RESTARTS:
                raise ServiceError(story)
            print(f"{story}\nStarting {child.name} again.", file=sys.stderr, flush=True)
            child.start()


def _signal(child: Child, number: signal.Signals) -> None:
    """To the whole session of the child, so that no pool process of a killed parent stays."""
    if child.process:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(child.process.pid, number)
            else:
                child.process.send_signal(number)


_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """On Linux the kernel ends the child when the supervisor is killed and can no longer do it itself."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
