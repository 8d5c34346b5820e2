"""A program of an institution: it signs, sends, reads, and holds each answer against envelope and tables."""

import datetime
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from conformance import answers
from conformance.carrier import Carrier, Reply
from conformance.manners import Manner, Signer
from conformance.told import Broken, Told
from gateway.client import SHANGHAI, envelope

Answer = dict[str, Any]
# The end of an answer that a server gives which has kept the message waiting for too long.
BUSY = b'[busy]","output":null}'
BUSY_TIMES, BUSY_SECONDS = 60, 0.5
# How a habit marks what goes into the message as a JSON number with the digits it has: json.dumps knows floats only.
NUMBER = re.compile(r'"\\u0000(-?[0-9.]+)"')
_serial = count()


def new_msgid(code: str) -> str:
    """As the text has it: institution, moment, four digits."""
    return f"{code[:12]:0<12}{datetime.datetime.now(SHANGHAI):%Y%m%d%H%M%S}{next(_serial) % 10_000:04d}"


@dataclass
class Program:
    """`sign_no` goes into every message once it is signed in; `transcript`: every message's number and answer; `change`:
    what the program does otherwise with each input."""

    signer: Signer
    carrier: Carrier
    told: Told
    manner: Manner = field(default_factory=Manner)
    sign_no: str = ""
    insuplc: str = ""
    transcript: list[tuple[str, Answer]] | None = None
    change: Callable[[str, Any], Any] | None = None

    def post(self, infno: str, body: bytes, *, path: str = "", headers: dict[str, str] | None = None) -> Reply:
        """Bytes as they are, signed; whatever comes back is HTTP 200."""
        self.told.messages += 1
        path = path or self.manner.path(infno)
        for _ in range(BUSY_TIMES):
            signed = self.manner.headers(self.signer, infno, body)
            reply = self.carrier.post(path, body, signed | (headers or {}), expect=self.manner.expect)
            if not reply.body.endswith(BUSY):
                break
            # What it says is to be done: nothing has happened, and the same message may be sent again in a moment.
            time.sleep(BUSY_SECONDS)
        self.told.hold(f"{infno} HTTP status", reply.status == 200, reply.status)
        if self.manner.expect:
            self.told.hold(f"{infno} Expect: 100-continue", reply.asked is not False, "the server waited for the body")
        return reply

    def message(self, infno: str, given: Any, *, msgid: str = "", **changed: Any) -> bytes:
        """The message around an input."""
        if self.change:
            given = self.change(infno, given)
        if self.manner.input_as_text:
            given = json.dumps(given, ensure_ascii=False, default=str)
        code = self.signer.code
        sent = envelope(infno, given, code, msgid=msgid or new_msgid(code)) | {"sign_no": self.sign_no}
        sent |= {"insuplc_admdvs": self.insuplc, "dev_no": None, "cainfo": "null"} | changed
        return NUMBER.sub(r"\1", json.dumps(sent, ensure_ascii=False, default=str)).encode()

    def say(self, infno: str, given: Any, *, msgid: str = "", **changed: Any) -> Answer:
        """The whole answer."""
        return self.read(infno, self.post(infno, self.message(infno, given, msgid=msgid, **changed)))

    def read(self, infno: str, reply: Reply) -> Answer:
        """An answer's envelope and output are held against what is promised. Raises Broken if it cannot be read."""
        where = f"{infno} ({self.manner.told})"
        try:
            answer = answers.parse(reply.body)
        except ValueError as error:
            raise Broken(f"{where}: {reply.status} {error!r} {reply.body[:200]!r}") from None
        self.told.hold(f"{where} Content-Type", "json" in reply.content_type, reply.content_type)
        self.told.none(where, answers.envelope_faults(answer, infcode_as_text=self.manner.infcode_as_text))
        if answers.succeeded(answer):
            self.told.none(where, answers.output_faults(infno, answer["output"]))
        if self.transcript is not None:
            self.transcript.append((infno, answer))
        return answer

    def ok(self, infno: str, given: Any, *, msgid: str = "", **changed: Any) -> Any:
        """The output of a message that must succeed. Raises Broken."""
        answer = self.say(infno, given, msgid=msgid, **changed)
        self.told.checks += 1
        if not answers.succeeded(answer):
            raise Broken(f"{infno} ({self.manner.told}) was refused: {answer['err_msg']}")
        return answer["output"]

    def refused(self, infno: str, given: Any, code: str, *, text: str = "", **changed: Any) -> None:
        """It must be refused with this code, and say this in its text. Raises Broken if it is done instead."""
        answer = self.say(infno, given, **changed)
        what = f"{infno} wanted [{code}] {text}"
        if answers.succeeded(answer):
            raise Broken(f"{what}, but it was done")
        said = answer["err_msg"]
        self.told.hold(what, answers.code(answer) == code and re.search(text, said) is not None, said)


def total(lines: list[dict[str, Any]], name: str = "det_item_fee_sumamt") -> Decimal:
    """The sum of a field over lines as they were sent."""
    return sum((Decimal(str(line[name])) for line in lines), Decimal(0))
