"""The envelope around every transaction: lenient in, exact out. Source: interface.md 1.1 and 1.2."""

import datetime
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from accounts import clock
from accounts.crypto import blind_index
from gateway.domain import json_text
from gateway.domain.json_text import NotJson
from gateway.errors import Rejected
from gateway.fields import NOTHING, read_fields, tables
from gateway.fields.tables import fold

SUCCESS, FAILURE = 0, -1
MOST_ERR_MSG = 200
OUTPUT = "output"
# A body in one of these is told so; programs also name what is no compression there ("UTF-8"), and are understood.
COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress"})
GZIP = b"\x1f\x8b"
# gateway.domain.json_text.NotJson.why -> the code of the refusal.
NOT_JSON = {
    "syntax": "body_not_json",
    "constant": "body_constant",
    "repeated": "field_repeated",
    "deep": "body_too_deep",
}


@dataclass(frozen=True)
class Dialect:
    """How an institution's program wants to be answered: infcode as "0" or 0, and fields that it would miss; among them
    `output` is what it is told where a transaction has none.

    `one_is_own`: what it means by acct_used_flag 1 (docs/decisions, 0010).
    """

    infcode_as_text: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    one_is_own: bool = False


USUAL = Dialect()


def dialect_of(settings: Any) -> Dialect:
    """That of an institution's `InstitutionSettings`; the usual one without."""
    return Dialect(settings.infcode_as_text, settings.extra_fields, settings.one_is_own) if settings else USUAL


@dataclass(frozen=True)
class FileAnswer:
    """What an action gives back whose answer is no JSON but a file (9102)."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """A request out of its envelope. `input` is not yet checked; `text` is the body as it came; `file` is what was sent
    beside it (9101); `insuplc` is where the patient is insured, as the institution says, or empty."""

    infno: str
    msgid: str
    institution_code: str
    input: Any
    text: str
    insuplc: str = ""
    sign_no: str = ""
    file: bytes | None = None

    @property
    def request_hash(self) -> str:
        """By which the same msgid with another request is told apart; clock, operator and order of the fields of a
        repetition may differ."""
        return self._hashed(json_text.sorted_text)

    def is_that_of(self, kept: str) -> bool:
        """Whether it asks what a message with this hash asked; one from before has the fields in the order they came in."""
        return kept in (self.request_hash, self._hashed(json_text.dumps))

    def _hashed(self, written: Callable[[Any], str]) -> str:
        with_file = [] if self.file is None else [sha256(self.file).hexdigest()]
        said = sha256(written([self.infno, self.input, *with_file]).encode(errors="replace"))
        # Keyed: of an input with an ID number in it a plain hash can be guessed.
        return blind_index(said.hexdigest())


def read(body: bytes, path_infnos: Collection[str] = (), *, file: bytes | None = None, encoding: str = "") -> Call:
    """The call in a body, whatever its Content-Type says; `path_infnos`: what the URL is for, empty for all; `encoding`:
    what Content-Encoding says, which counts only where the body cannot be read.

    Raises Rejected: body_compressed, body_not_utf8, body_not_json, body_constant, body_too_deep, field_repeated,
    infno_mismatch, or one of a field.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        packed = body.startswith(GZIP) or encoding.strip().lower() in COMPRESSIONS
        raise Rejected("body_compressed" if packed else "body_not_utf8") from None
    given = _json(text)
    head = read_fields(tables("envelope").input[0].fields, given, "envelope")
    if path_infnos and head["infno"] not in path_infnos:
        raise Rejected("infno_mismatch", infno=head["infno"])
    wrapped = given["input"] if "input" in given else _spelt_otherwise(given)
    # One client sends the input as a text that holds JSON.
    found = _json(wrapped) if isinstance(wrapped, str) and wrapped.strip() else wrapped
    return Call(
        str(head["infno"]),
        str(head["msgid"]),
        str(head["fixmedins_code"]),
        found,
        text,
        str(head["insuplc_admdvs"] or ""),
        str(head["sign_no"] or ""),
        file,
    )


def _spelt_otherwise(given: Mapping[str, Any]) -> Any:
    return next((value for name, value in given.items() if fold(name) == "input"), None)


def _json(text: str) -> Any:
    try:
        return json_text.loads(text)
    except NotJson as error:
        raise Rejected(NOT_JSON[error.why], place=error.place) from None


def success(
    output: str,
    *,
    region_id: str,
    received_at: datetime.datetime,
    at: datetime.datetime,
    dialect: Dialect = USUAL,
    warn_msg: str | None = None,
) -> str:
    """The answer to a call that did what it should, around its output, which is JSON already."""
    if output == NOTHING and OUTPUT in dialect.more:
        # One program takes an answer without output for a failure.
        output = json_text.dumps(dialect.more[OUTPUT])
    serial = f"{secrets.randbelow(10**10):010d}"
    refmsgid = f"{region_id}{clock.local(received_at):%Y%m%d%H%M%S}{serial}"
    return _answer(SUCCESS, refmsgid, "", output, received_at, at, dialect, warn_msg)


def failure(err_msg: str, *, received_at: datetime.datetime, at: datetime.datetime, dialect: Dialect = USUAL) -> str:
    """The answer to a call that did nothing."""
    return _answer(FAILURE, None, err_msg, NOTHING, received_at, at, dialect)


def _answer(
    infcode: int,
    refmsgid: str | None,
    err_msg: str,
    output: str,
    received_at: datetime.datetime,
    at: datetime.datetime,
    dialect: Dialect,
    warn_msg: str | None = None,
) -> str:
    head = json_text.dumps(
        {
            "infcode": str(infcode) if dialect.infcode_as_text else infcode,
            "inf_refmsgid": refmsgid,
            "refmsg_time": _milliseconds(received_at),
            "respond_time": _milliseconds(at),
            "warn_msg": warn_msg,
            "cainfo": None,
            "signtype": None,
            "err_msg": err_msg,
        }
    )
    added = {name: value for name, value in dialect.more.items() if name != OUTPUT}
    more = f",{json_text.dumps(added)[1:-1]}" if added else ""
    return f'{head[:-1]},"output":{output}{more}}}'


def _milliseconds(at: datetime.datetime) -> str:
    return f"{clock.local(at):%Y%m%d%H%M%S%f}"[:17]
