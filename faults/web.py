"""A real web server: gunicorn with the portal, whose clock can be set and whose processes can be killed."""

import contextlib
import datetime
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

WORKERS, THREADS = 4, 2
START_SECONDS = 60.0


@dataclass
class Site:
    """Where it listens, and what the scenario can do to it."""

    address: str
    process: psutil.Process
    folder: Path

    def set_clock(self, at: datetime.datetime) -> None:
        """From now on it is `at` there, and goes on from there."""
        _write(self.folder / "ahead", at.timestamp() - time.time())

    @property
    def ahead(self) -> float:
        """Seconds by which its clock is ahead of ours."""
        return float((self.folder / "ahead").read_text())

    def now(self) -> datetime.datetime:
        """What time it is there."""
        return datetime.datetime.fromtimestamp(time.time() + self.ahead, datetime.UTC)

    def die(self, share: float) -> None:
        """So many of its answers cost the process that made them its life before they are told."""
        _write(self.folder / "deaths", share)

    def workers(self) -> list[psutil.Process]:
        """Its processes as they are now; one that is killed is replaced by gunicorn."""
        return self.process.children()

    def kill_one(self) -> bool:
        """SIGKILL to one of them, whatever it is doing; False if there is none."""
        for worker in self.workers():
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
                return True
        return False


def _write(path: Path, value: float) -> None:
    # Renamed into its place: who reads it finds the old number or the new one, never an empty file.
    part = path.with_suffix(".part")
    part.write_text(repr(value))
    part.replace(path)


@contextlib.contextmanager
def serve(
    folder: Path,
    at: datetime.datetime,
    *,
    workers: int = WORKERS,
    threads: int = THREADS,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """The site, answering; it stops at the end of the block. `at` is the time there at the beginning."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", "faults.served:application", "--bind", f"127.0.0.1:{port}",
        "--workers", str(workers), "--threads", str(threads), "--keep-alive", "30", "--timeout", "60",
        "--header-map", "dangerous", "--no-control-socket",
    ]  # fmt: skip
    more = {"FAULTS_AHEAD": str(folder / "ahead"), "FAULTS_DEATHS": str(folder / "deaths")}
    _write(folder / "ahead", at.timestamp() - time.time())
    _write(folder / "deaths", 0.0)
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **(environment or {}), **more}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(port, process, folder / "web.log")
        yield Site(f"http://127.0.0.1:{port}", psutil.Process(process.pid), folder)
    finally:
        _stop(process)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the web server does not answer: {log.read_text()[-2000:]}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
