"""The envelope around every transaction: lenient in, exact out. Source: interface.md 1.1 and 1.2."""

import datetime
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils import timezone

from gateway.domain import json_text
from gateway.domain.json_text import NotJson
from gateway.errors import Rejected
from gateway.fields import read_fields, tables

SUCCESS, FAILURE = 0, -1
MOST_ERR_MSG = 200


@dataclass(frozen=True)
class Call:
    """A request out of its envelope. `input` is not yet checked; `text` is the body as it came."""

    infno: str
    msgid: str
    institution_code: str
    input: Any
    text: str

    @property
    def request_hash(self) -> str:
        """By which the same msgid with another request is told apart; clock and operator of a repetition may differ."""
        return sha256(json_text.dumps([self.infno, self.input]).encode(errors="replace")).hexdigest()


def read(body: bytes, path_infno: str | None = None) -> Call:
    """The call in a body, whatever its Content-Type says.

    Raises Rejected: body_not_utf8, body_not_json, infno_mismatch (with the number in the URL), or one of a field.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected("body_not_utf8") from None
    given = _json(text)
    head = read_fields(tables("envelope").input[0].fields, given, "envelope")
    if path_infno and path_infno != head["infno"]:
        raise Rejected("infno_mismatch", infno=head["infno"])
    wrapped = given.get("input")
    # One client sends the input as a text that holds JSON.
    found = _json(wrapped) if isinstance(wrapped, str) and wrapped.strip() else wrapped
    return Call(str(head["infno"]), str(head["msgid"]), str(head["fixmedins_code"]), found, text)


def _json(text: str) -> Any:
    try:
        return json_text.loads(text)
    except NotJson:
        raise Rejected("body_not_json") from None


def success(output: dict[str, Any], *, region_id: str, received_at: datetime.datetime, at: datetime.datetime) -> str:
    """The answer to a call that did what it should."""
    serial = f"{secrets.randbelow(10**10):010d}"
    refmsgid = f"{region_id}{timezone.localtime(received_at):%Y%m%d%H%M%S}{serial}"
    return _answer(SUCCESS, refmsgid, "", output, received_at, at)


def failure(err_msg: str, *, received_at: datetime.datetime, at: datetime.datetime) -> str:
    """The answer to a call that did nothing."""
    return _answer(FAILURE, None, err_msg, None, received_at, at)


def _answer(
    infcode: int,
    refmsgid: str | None,
    err_msg: str,
    output: dict[str, Any] | None,
    received_at: datetime.datetime,
    at: datetime.datetime,
) -> str:
    return json_text.dumps(
        {
            "infcode": infcode,
            "inf_refmsgid": refmsgid,
            "refmsg_time": _milliseconds(received_at),
            "respond_time": _milliseconds(at),
            "warn_msg": None,
            "cainfo": None,
            "signtype": None,
            "err_msg": err_msg,
            "output": output,
        }
    )


def _milliseconds(at: datetime.datetime) -> str:
    return f"{timezone.localtime(at):%Y%m%d%H%M%S%f}"[:17]
