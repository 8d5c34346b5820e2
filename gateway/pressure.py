"""Too many calls at once: those that have waited too long are told so at once, so that the others are answered in time.

The queue is what the kernel holds for gunicorn: connections that no worker has taken yet, and calls on kept connections
that no thread has read yet. How long a call has waited in it the kernel knows, too: since it came in nothing more was
received on its connection. So the queue is bounded in time, and it needs no counting between processes.

How long is too long hangs on how quick the portal is: what spares a till's time where calls take five milliseconds turns
everybody away where they take fifty. So patience follows what calls take. And a machine that is busy with something else
lets a lone call wait, too: who has not many behind him has waited for no queue, and to turn him away would spare nobody.
"""

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import thread as pools
from typing import Any

from django.conf import settings
from django.utils import translation

from accounts.clock import now
from gateway import envelope, paths
from gateway.errors import Rejected
from gateway.texts import err_msg

log = logging.getLogger(__name__)
# tcpi_last_data_recv in struct tcp_info of Linux, milliseconds.
LAST_DATA_RECEIVED = 52
TOLD_EVERY_SECONDS = 10.0
# By so much a call moves what calls are taken to take: half a thousand of them are followed through a change of ten times.
STEP = 1.01
# So many for each thread may stand behind a call before it is asked how long it has waited.
FEW = 2
# What is not read before the answer would lose it: a connection closed over unread bytes is reset.
PIECE, MOST_DRAINED = 2**16, 64 * 2**20

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Relieved:
    """The portal, but a call that has waited too long never reaches it: turning it away costs next to nothing."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.turned_away, self.told_at = 0, 0.0
        self.takes_ms = settings.GATEWAY_PATIENCE_MS / settings.GATEWAY_PATIENCE_TIMES
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if paths.ours(environ.get("PATH_INFO", "")) is None:
            return self.application(environ, start_response)
        if waited_ms(environ) > self.patience_ms() and many_behind():
            return self._turned_away(environ, start_response)
        return self._timed(environ, start_response)

    def patience_ms(self) -> float:
        """How long a call may have waited: so many times what calls take, never less than where nothing is scarce."""
        return max(settings.GATEWAY_PATIENCE_MS, settings.GATEWAY_PATIENCE_TIMES * self.takes_ms)

    def _timed(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The portal's answer. Half of all calls take longer than `takes_ms`: each moves it by a step towards itself, so
        one that takes a minute moves it no more than one that takes a millisecond more."""
        began = time.monotonic()
        answer = self.application(environ, start_response)
        took = (time.monotonic() - began) * 1000
        self.takes_ms = self.takes_ms * STEP if took > self.takes_ms else self.takes_ms / STEP
        return answer

    def _turned_away(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._count()
        drain(environ.get("wsgi.input"), _length(environ))
        at = now()
        with translation.override(settings.LANGUAGE_CODE):
            answer = envelope.failure(err_msg(Rejected("busy")), received_at=at, at=at).encode()
        headers = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("Content-Length", str(len(answer))),
            ("Cache-Control", "no-store"),
        ]
        start_response("200 OK", headers)
        return [answer]

    def _count(self) -> None:
        """One line in ten seconds: a line a call would be the next thing that is too much."""
        with self.lock:
            self.turned_away += 1
            if time.monotonic() - self.told_at < TOLD_EVERY_SECONDS:
                return
            count, self.turned_away, self.told_at = self.turned_away, 0, time.monotonic()
        log.warning("gateway busy: %s calls turned away since the last such line", count)


def waited_ms(environ: Mapping[str, Any]) -> int:
    """How long the call that is being answered has waited for a worker; 0 where that cannot be known (a Unix socket,
    another system than Linux, a test)."""
    connection = environ.get("gunicorn.socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return 0
    try:
        found = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_RECEIVED + 4)
    except (AttributeError, OSError):
        return 0
    if len(found) < LAST_DATA_RECEIVED + 4:
        return 0
    return int(struct.unpack_from("=I", found, LAST_DATA_RECEIVED)[0])


def many_behind() -> bool:
    """Whether a queue stands in this process behind the call that is being answered.

    gunicorn puts what it has accepted into the queue of its pool of threads. The standard library has no public way to it;
    where it is not found, nobody knows that there is none.
    """
    queues = getattr(pools, "_threads_queues", {})
    mine = queues.get(threading.current_thread())
    if mine is None:
        return True
    threads = sum(queue is mine for queue in list(queues.values()))
    return bool(mine.qsize() > FEW * threads)


def drain(source: Any, length: int | None) -> None:
    """Read a body and throw it away: `length` bytes, or as much as comes where that is not known."""
    left = MOST_DRAINED if length is None else min(length, MOST_DRAINED)
    try:
        while left > 0 and (read := source.read(min(PIECE, left))):
            left -= len(read)
    except (OSError, ValueError):
        return


def _length(environ: Mapping[str, Any]) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    if text.isdigit():
        return int(text)
    return None if environ.get("wsgi.input_terminated") else 0
