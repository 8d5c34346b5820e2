"""A real web server: gunicorn with the portal, whose clock can be set and whose processes can be killed."""

import contextlib
import datetime
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from portal.services import web as services

WORKERS, THREADS = 4, 2


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
    _write(folder / "ahead", at.timestamp() - time.time())
    _write(folder / "deaths", 0.0)
    known = {
        "DJANGO_SETTINGS_MODULE": "portal.settings.test", "FAULTS_AHEAD": str(folder / "ahead"),
        "FAULTS_DEATHS": str(folder / "deaths"), **(environment or {}),
    }  # fmt: skip
    with services.served(
        workers, threads, log=folder / "web.log", environment=known, application="faults.served:application"
    ) as (address, process):
        yield Site(address, psutil.Process(process.pid), folder)
