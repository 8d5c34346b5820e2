"""gunicorn with the portal as the demo runs it, for those who call it from outside: measurements, conformance, faults."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .errors import ServiceError
from .processes import tail

START_LIMIT = 60.0
STOP_LIMIT = 30.0


@contextlib.contextmanager
def web(
    processes: int, threads: int, *, log: Path, environment: Mapping[str, str] | None = None, more: Sequence[str] = ()
) -> Iterator[str]:
    """The address of a server that answers; `more`: further options of gunicorn. Raises ServiceError if it does not."""
    with served(processes, threads, log=log, environment=environment, more=more) as (address, _process):
        yield address


@contextlib.contextmanager
def served(
    processes: int,
    threads: int,
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
    application: str = "portal.wsgi",
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same with gunicorn's own process, whose children answer; `application`: another one around the portal."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", str(processes),
        "--threads", str(threads), "--keep-alive", "30", "--header-map", "dangerous", "--no-control-socket", *more,
    ]  # fmt: skip
    with running(command, log=log, environment=environment) as process:
        end = time.monotonic() + START_LIMIT
        while not _answers(port):
            if time.monotonic() > end:
                raise ServiceError(f"gunicorn does not answer. The end of {log}:\n{tail(log)}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", process


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the portal with the demo's settings, unless `environment` names others, until the block ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    known = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings.demo"} | dict(environment or {})
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=known, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
