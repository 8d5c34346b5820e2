"""One call from its record to its answer: the nonce is new, the msgid acts once, the answer is kept."""

import datetime
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction
from django.utils import timezone

from accounts import calls, crypto
from accounts.clock import now
from accounts.errors import KeyReused, Refused
from accounts.models import Institution
from gateway import envelope, fields, signatures
from gateway.actions import (
    asked_bills,
    asked_people,
    asked_visits,
    bills,
    corrections,
    dictionaries,
    entitlements,
    files,
    institutions,
    people,
    purchases,
    reconciling,
    signing,
    stay_bills,
    stay_lines,
    stays,
    visit_steps,
    visits,
)
from gateway.envelope import Call, Dialect, FileAnswer
from gateway.errors import Rejected
from gateway.models import GatewayMessage, InstitutionKey
from gateway.queries.people import insured_at
from gateway.texts import err_msg
from settlements.ledger import again_locked

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transaction:
    """What a transaction number does; one that changes something acts once for a msgid, in a transaction.

    `sends_late`: it leaves its calls in `unsent`, to be sent together with the answer: so whatever changes nothing and
    yet writes, for it has no transaction. `takes_file`: it is given the `file` that came beside the message.
    `recorded_first`: it looks at the record of its own call.
    """

    act: Callable[..., dict[str, Any]]
    changes: bool
    sends_late: bool = False
    takes_file: bool = False
    recorded_first: bool = False


BODY = GatewayMessage._meta.get_field("body")
ANSWER = GatewayMessage._meta.get_field("answer")
TRANSACTIONS = {
    "1101": Transaction(people.look_up, changes=False, sends_late=True),
    "1201": Transaction(institutions.find, changes=False),
    "1901": Transaction(dictionaries.look_up, changes=False),
    "2001": Transaction(entitlements.check, changes=False, sends_late=True),
    "2101": Transaction(purchases.quote, changes=False),
    "2102": Transaction(purchases.settle, changes=True, sends_late=True),
    "2103": Transaction(purchases.reverse, changes=True),
    "2201": Transaction(visits.register, changes=True),
    "2202": Transaction(visit_steps.cancel, changes=True),
    "2203": Transaction(visit_steps.diagnose, changes=True),
    "2203A": Transaction(visit_steps.diagnose, changes=True),
    "2204": Transaction(visits.upload, changes=True, sends_late=True),
    "2205": Transaction(visit_steps.uncharge, changes=True),
    "2206": Transaction(bills.quote, changes=False),
    "2206A": Transaction(bills.quote, changes=False),
    "2207": Transaction(bills.settle, changes=True, sends_late=True),
    "2207A": Transaction(bills.settle, changes=True, sends_late=True),
    "2208": Transaction(bills.reverse, changes=True),
    "2301": Transaction(stay_lines.upload, changes=True),
    "2302": Transaction(stay_lines.take_back, changes=True),
    "2303": Transaction(stay_bills.quote, changes=False),
    "2304": Transaction(stay_bills.settle, changes=True),
    "2305": Transaction(stay_bills.reverse, changes=True),
    "2401": Transaction(stays.admit, changes=True),
    "2402": Transaction(stays.discharge, changes=True),
    "2403": Transaction(stays.change, changes=True),
    "2404": Transaction(stays.cancel, changes=True),
    "2405": Transaction(stays.readmit, changes=True),
    "2601": Transaction(corrections.correct, changes=True, recorded_first=True),
    "3201": Transaction(reconciling.compare_totals, changes=True),
    "3202": Transaction(reconciling.compare_details, changes=True),
    "5201": Transaction(asked_visits.visits, changes=False),
    "5202": Transaction(asked_visits.diagnoses, changes=False),
    "5203": Transaction(asked_bills.settlement, changes=False),
    "5204": Transaction(asked_bills.lines, changes=False),
    "5205": Transaction(asked_bills.medication, changes=False, sends_late=True),
    "5206": Transaction(asked_people.accumulated, changes=False, sends_late=True),
    "5301": Transaction(asked_people.filings, changes=False, sends_late=True),
    "5302": Transaction(asked_people.designated, changes=False, sends_late=True),
    "5303": Transaction(asked_visits.in_hospital, changes=False),
    "9001": Transaction(signing.sign_in, changes=True),
    "9002": Transaction(signing.sign_out, changes=True),
    "9101": Transaction(files.upload, changes=True, takes_file=True),
    "9102": Transaction(files.download, changes=False),
}


# Who calls and the record of the call, in one: see the function (migration 0020) for the order of the values.
RECORD = f"gateway_record({', '.join(['%s'] * 17)})"
FINISH = "gateway_finish(%s, %s, %s, %s, %s, %s)"
# Whoever signs in or out has not signed in.
SIGNING = {"9001", "9002"}
INSTITUTION = ["id", "code", "name", "region_id", "kind", "level", "is_active"]
CODE = INSTITUTION.index("code")


class Answered(Exception):
    """Another call with this msgid has acted meanwhile."""


class Otherwise(Exception):
    """A call was answered by what this process remembered of its caller, and that is no longer so: it was not recorded."""


# What the second of twins breaks: its claim, or, where it had no visit to wait for (2102), the settlement that its
# twin was given by the ledger and that belongs to the twin's visit.
TWICE = ("message_claim_once", "gateway_visitsettlement_settlement_id_key")


@dataclass(frozen=True)
class Caller:
    """An institution as this process read it last, with the values of `INSTITUTION`; `mark`: the state of its rows;
    `bound`: it may call from some addresses only."""

    mark: str
    bound: bool
    values: list[Any]
    dialect: Dialect


@dataclass(frozen=True)
class Message:
    """What was asked by whom. `id`: the call's in the database, None for one that is recorded with its answer, for which
    `record` is kept; `first_id` is the message that acted for its msgid."""

    id: int | None
    first_id: int | None
    institution: Institution
    call: Call
    received_at: datetime.datetime
    dialect: Dialect
    record: list[Any] = field(default_factory=list)


def _nowhere() -> None:
    """From where the portal's own calls come."""


def deliver(
    *,
    key: InstitutionKey,
    nonce: str,
    call: Call,
    at: datetime.datetime,
    came_from: Callable[[], str | None] = _nowhere,
) -> str | FileAnswer:
    """The answer to an authenticated call, as JSON text. The message is kept with it, both encrypted. `came_from` gives the
    IP address, which is asked for only where it matters.

    Raises Rejected before anything is written: infno_unknown, key_unknown, key_expired, institution_unknown,
    institution_suspended, address_not_allowed, sign_in_needed, nonce_used. Everything after that is an answer.
    """
    if call.infno not in TRANSACTIONS:
        raise Rejected("infno_unknown", infno=call.infno)
    message = _remembered(key, nonce, call, at, came_from)
    if message is not None:
        try:
            return _answered(message)
        except Otherwise:
            # What has changed, or is refused, is found where the call is recorded first.
            pass
    return _answered(_recorded(key, nonce, call, at, came_from()))


def _answered(message: Message) -> str | FileAnswer:
    call = message.call
    try:
        given = fields.read(fields.tables(call.infno).input, call.input)
        given["insured_at"] = insured_at(message.institution, call.insuplc)
        given["one_is_own"] = message.dialect.one_is_own
        if TRANSACTIONS[call.infno].changes:
            return _once(message, given)
        return _act(message, given, None)
    except Otherwise:
        raise
    except Refused as refusal:
        return _refuse(message, refusal)
    except Exception as error:
        # Nothing was changed; the institution may send the same msgid again.
        logger.exception("gateway message %s %s failed", call.infno, call.msgid)
        return _refuse(message, Rejected("system_error"), error=type(error).__name__)


def _remembered(
    key: InstitutionKey, nonce: str, call: Call, at: datetime.datetime, came_from: Callable[[], str | None]
) -> Message | None:
    """A call by an institution that has called this process before: it is recorded when it is answered, which saves a
    trip and a row written twice (decision 0049). None for every other call."""
    caller: Caller | None = key.caller
    if caller is None or caller.values[CODE] != call.institution_code or TRANSACTIONS[call.infno].recorded_first:
        return None
    record = _values(key, nonce, call, at, came_from() if caller.bound else None)
    return Message(None, None, _institution(caller), call, at, caller.dialect, [*record, caller.mark])


def _recorded(key: InstitutionKey, nonce: str, call: Call, at: datetime.datetime, address: str | None) -> Message:
    """The call in the database. Where no nonce is sent, a message that is signed anew within the same second is the same
    bytes: one that acts once for its msgid is let through and gets the answer again, as any other that is sent again."""
    try:
        return _record(key, nonce, call, at, address)
    except Rejected as rejected:
        if rejected.code != "nonce_used" or signatures.VARIANTS[key.variant].sends_nonce:
            raise
        if not TRANSACTIONS[call.infno].changes:
            raise
    return _record(key, secrets.token_hex(32), call, at, address)


def _record(key: InstitutionKey, nonce: str, call: Call, at: datetime.datetime, address: str | None) -> Message:
    """The call before it is acted on, as long as the process does not know who calls."""
    # It promises nothing yet, so it need not be on disk before the call is acted on: what is promised, the answer, comes
    # later in the log and takes it along. A process that dies loses nothing by this, only a server might.
    unanswered = [None, None, None, "", None, _flush(promised=False)]
    (found,) = calls.send(calls.Call(RECORD, [*_values(key, nonce, call, at, address), *unanswered]))
    row = found and calls.from_json(found)
    if row is None or not row[2]:
        signatures.forget(key)
        raise Rejected("key_expired" if row else "key_unknown")
    message_id, first_id, _valid, from_there, signed_in, as_text, more, one_is_own, mark, bound, *values = row
    dialect = Dialect(as_text, more, one_is_own) if more is not None else envelope.USUAL
    caller = Caller(mark, bound, values, dialect)
    # Also for what is refused before it is recorded, such as the next body that is no JSON.
    key.dialect = caller.dialect
    institution = _institution(caller)
    if call.institution_code != institution.code:
        raise Rejected("institution_unknown")
    if not institution.is_active:
        raise Rejected("institution_suspended")
    if not from_there:
        raise Rejected("address_not_allowed", address=address or "-")
    if not signed_in:
        raise Rejected("sign_in_needed")
    if message_id is None:
        raise Rejected("nonce_used")
    key.caller = caller
    return Message(message_id, first_id, institution, call, at, caller.dialect)


def _values(key: InstitutionKey, nonce: str, call: Call, at: datetime.datetime, address: str | None) -> list[Any]:
    """The first values of `RECORD`: who calls, and what."""
    return [
        key.key_id,
        nonce,
        call.msgid,
        call.infno,
        call.request_hash,
        at,
        call.institution_code,
        crypto.encrypt(call.text, BODY.context),
        address,
        call.infno in SIGNING,
        call.sign_no,
    ]


def _institution(caller: Caller) -> Institution:
    """Made anew for each call: what it looks up of itself is then of now."""
    return Institution.from_db(DEFAULT_DB_ALIAS, INSTITUTION, caller.values)


def _once(message: Message, given: dict[str, Any]) -> str | FileAnswer:
    """Act for the first call with this msgid; give every later one the kept answer, a refusal too.

    The msgid is claimed with the answer, at the end of the transaction that acts: of twins one is told there that it
    is the second, takes back what it did, and reads the answer of the first.
    """
    claim = message.call.msgid
    try:
        if message.first_id is not None:
            raise Answered
        try:
            return again_locked(partial(_acting, message, given, claim))
        except Refused as refusal:
            return _refuse(message, refusal, claim)
        except KeyReused:
            return _refuse(message, Rejected("msgid_reused"), claim)
    except Answered:
        if message.id is None:
            raise Otherwise from None
        return _again(message)


def _acting(message: Message, given: dict[str, Any], claim: str) -> str | FileAnswer:
    with transaction.atomic():
        return _act(message, given, claim)


def _again(message: Message) -> str:
    first = GatewayMessage.objects.get(institution=message.institution, claim=message.call.msgid)
    if first.outcome == corrections.CORRECTED:
        raise Rejected("msgid_corrected")
    if not message.call.is_that_of(first.request_hash):
        raise Rejected("msgid_reused")
    if first.answer is None:
        return _refuse(message, Rejected("answer_deleted", day=f"{timezone.localdate(first.received_at):%Y-%m-%d}"))
    return _finish(message, str(first.answer), first.outcome, None)


def _act(message: Message, given: dict[str, Any], claim: str | None) -> str | FileAnswer:
    call, institution, at = message.call, message.institution, message.received_at
    kind = TRANSACTIONS[call.infno]
    unsent: list[calls.Call] = []
    more: dict[str, Any] = {"unsent": unsent} if kind.sends_late else {}
    more |= {"file": call.file} if kind.takes_file else {}
    said = kind.act(institution=institution, msgid=call.msgid, given=given, at=at, **more)
    is_file = isinstance(said, FileAnswer)
    # An action may have something to say beside its nodes, though it did what it was asked.
    warn_msg = None if is_file else said.pop("warn_msg", None)
    output = fields.NOTHING if is_file else fields.write(fields.tables(call.infno).output, said)
    answer = envelope.success(
        output, region_id=institution.region_id, received_at=at, at=now(), dialect=message.dialect, warn_msg=warn_msg
    )
    _finish(message, answer, GatewayMessage.OK, claim, unsent)
    return said if is_file else answer


def _refuse(message: Message, refusal: Refused, claim: str | None = None, error: str = "") -> str:
    answer = envelope.failure(err_msg(refusal), received_at=message.received_at, at=now(), dialect=message.dialect)
    if claim is None:
        return _finish(message, answer, error or refusal.code, None)
    with transaction.atomic():
        return _finish(message, answer, error or refusal.code, claim)


def _finish(message: Message, answer: str, outcome: str, claim: str | None, unsent: Sequence[calls.Call] = ()) -> str:
    """Keep the answer, and send what has waited for it.

    Raises Answered, and the transaction is lost, if another message has the claim; Otherwise if the call was to be recorded
    with its answer and its caller is not as it was remembered: nothing was written, or the transaction is lost.
    """
    duration = round((now() - message.received_at).total_seconds() * 1000)
    sealed, flush = crypto.encrypt(answer, ANSWER.context), _flush(promised=claim is not None or bool(unsent))
    kept = [claim, sealed, outcome[:40], duration, flush]
    try:
        if message.id is not None:
            calls.send(*unsent, calls.Call(FINISH, [message.id, *kept]))
        elif not _recorded_now(calls.Call(RECORD, [*message.record, *kept]), unsent, acting=claim is not None):
            raise Otherwise
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name not in TWICE:  # type: ignore[union-attr]
            raise
        raise Answered from None
    return answer


def _recorded_now(record: calls.Call, unsent: Sequence[calls.Call], *, acting: bool) -> bool:
    if not acting:
        return calls.send_if(record, *unsent)
    # In a transaction, which is lost if it is not recorded: in the order in which every call takes its keys and locks.
    first = [call for call in unsent if not call.last]
    return calls.send(*unsent, record)[len(first)] is not None


def _flush(*, promised: bool) -> str:
    """Whether the COMMIT of the next statement waits for the disk; inside a transaction of others it does."""
    return "on" if promised or connection.in_atomic_block else "off"
