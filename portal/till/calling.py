"""The till's line to the gateway: what went over it is kept as it was sent, and an answer that says no is raised."""

import http.client
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts import clock
from gateway import demo_keys, documentation
from gateway.actions.messages import TRANSACTIONS
from gateway.client import Client, envelope
from gateway.enums import Variant
from gateway.models import InstitutionKey
from portal.till.visit import Visit

SECONDS = 8
TRIES, MOMENT = 4, 0.4
CODE = re.compile(r"\[([a-z0-9_.]+)\]$")
# A call of the till is served by the same server as its page. If every thread showed a till's page there would be none
# left to answer their calls, so a process lets one page at a time talk; the next one is told so at once.
_line = threading.Lock()


class NoAnswer(Exception):
    """Nothing came back that could be read. `sent`: the message may have arrived; `why` is what the system said."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.why, self.sent = why, sent


class Declined(Exception):
    """The gateway says no: its `err_msg`, and the code at the end of that."""

    def __init__(self, err_msg: str) -> None:
        super().__init__(err_msg)
        self.err_msg = err_msg
        found = CODE.search(err_msg)
        self.code = found[1] if found else ""

    @property
    def same_again(self) -> bool:
        """Whether the same message is to be sent again."""
        return self.code in documentation.SAME_AGAIN


class LineTaken(Exception):
    """Another page of this process is talking to the gateway."""


@dataclass
class Line:
    """An open line of one institution."""

    visit: Visit
    client: Client

    def call(self, infno: str, given: Any, *, msgid: str = "") -> dict[str, Any]:
        """The output of a transaction. Raises NoAnswer or Declined; the message is kept in the visit either way.

        What changes something keeps its msgid until the answer is known, so that a second try acts once.
        """
        visit = self.visit
        sent = envelope(infno, given, visit.institution, msgid=visit.msgids.get(infno) or msgid)
        if TRANSACTIONS[infno].changes:
            visit.msgids[infno] = sent["msgid"]
        try:
            answer = self._patiently(infno, sent["msgid"], json.dumps(sent, ensure_ascii=False))
        except NoAnswer as error:
            if not error.sent:
                visit.msgids.pop(infno, None)
            raise
        if str(answer["infcode"]) == "0":
            visit.msgids.pop(infno, None)
            output: dict[str, Any] = answer["output"] or {}
            return output
        declined = Declined(str(answer["err_msg"]))
        if not declined.same_again:
            visit.msgids.pop(infno, None)
        raise declined

    def _patiently(self, infno: str, msgid: str, body: str) -> dict[str, Any]:
        """The answer; a gateway that is busy is asked again in a moment, as it says. The first call after a start often
        waits for the server to read its programs."""
        for _try in range(TRIES - 1):
            answer = self.send(infno, msgid, body)
            if not str(answer["err_msg"]).endswith("[busy]"):
                return answer
            time.sleep(MOMENT)
        return self.send(infno, msgid, body)

    def send(self, infno: str, msgid: str, body: str, *, repeats: int = 0) -> dict[str, Any]:
        """A body signed anew; the whole answer. `repeats`: the number of the message that is sent once more."""
        headers = self.client.headers()
        message = self.visit.keep(
            {"infno": infno, "msgid": msgid, "at": clock.now().isoformat(), "headers": headers, "body": body}
            | {"status": None, "answer_headers": {}, "answer": "", "ms": 0, "lost": "", "repeats": repeats}
        )
        begun = time.monotonic()
        try:
            answered = self.client.send(body.encode(), headers)
            message |= {"status": answered.status, "answer_headers": answered.headers}
            message["answer"] = answered.content.decode(errors="replace")
            return read(message["answer"], answered.status)
        except (ConnectionRefusedError, socket.gaierror) as error:
            message["lost"] = str(error)
            raise NoAnswer(str(error), sent=False) from error
        except (OSError, http.client.HTTPException) as error:
            message["lost"] = str(error) or type(error).__name__
            raise NoAnswer(message["lost"], sent=True) from error
        except ValueError as error:
            message["lost"] = str(error)
            raise NoAnswer(str(error), sent=True) from error
        finally:
            message["ms"] = round((time.monotonic() - begun) * 1000)


def read(text: str, status: int = http.HTTPStatus.OK) -> dict[str, Any]:
    """An answer envelope; amounts stay texts as they were written, so that no figure is ever a float.

    Raises ValueError for anything else, such as the page of a proxy.
    """
    if status != http.HTTPStatus.OK:
        raise ValueError(f"HTTP {status}")
    answer = json.loads(text, parse_float=str)
    if not isinstance(answer, dict) or not {"infcode", "err_msg", "output"} <= answer.keys():
        raise ValueError("no envelope")
    return answer


@contextmanager
def line_of(visit: Visit) -> Iterator[Line]:
    """The line of the visit's institution, for one page at a time. Raises LineTaken, or KeyError without a valid key."""
    key = key_of(visit.institution)
    if not _line.acquire(blocking=False):
        raise LineTaken
    try:
        client = Client(settings.TILL_URL, visit.institution, key.key_id, key.secret, timeout=SECONDS)
        try:
            yield Line(visit, client)
        finally:
            client.close()
    finally:
        _line.release()


def key_of(code: str) -> InstitutionKey:
    """The newest key of a demo institution that signs as the till does. Raises KeyError."""
    return {key.institution.code: key for key in keys()}[code]


def keys() -> list[InstitutionKey]:
    """The keys that the till may use."""
    return [key for key in demo_keys.valid() if key.variant == Variant.X_TIF]


def visit_number() -> str:
    """A number of an outpatient, unique in the hospital."""
    return f"M{secrets.token_hex(5).upper()}"


def amount(info: dict[str, Any], name: str) -> Decimal:
    """A field of an answer in yuan; nought where it is empty."""
    return Decimal(str(info.get(name) or 0))
