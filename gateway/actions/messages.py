"""One call from its record to its answer: the nonce is new, the msgid acts once, the answer is kept."""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from accounts.clock import now
from accounts.errors import KeyReused, Refused
from gateway import envelope, fields
from gateway.actions import bills, people, visits
from gateway.envelope import Call
from gateway.errors import Rejected
from gateway.models import GatewayMessage, InstitutionKey
from gateway.texts import err_msg

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transaction:
    """What a transaction number does; one that changes something acts once for a msgid."""

    act: Callable[..., dict[str, Any]]
    changes: bool


TRANSACTIONS = {
    "1101": Transaction(people.look_up, changes=False),
    "2201": Transaction(visits.register, changes=True),
    "2204": Transaction(visits.upload, changes=True),
    "2206": Transaction(bills.quote, changes=False),
    "2207": Transaction(bills.settle, changes=True),
    "2208": Transaction(bills.reverse, changes=True),
}


def deliver(*, key: InstitutionKey, nonce: str, call: Call, at: datetime.datetime) -> str:
    """The answer to an authenticated call, as JSON text. The message is kept with it, both encrypted.

    Raises Rejected before anything is written: institution_unknown, institution_suspended, infno_unknown, nonce_used.
    Everything after that is an answer.
    """
    institution = key.institution
    if call.institution_code != institution.code:
        raise Rejected("institution_unknown")
    if not institution.is_active:
        raise Rejected("institution_suspended")
    if call.infno not in TRANSACTIONS:
        raise Rejected("infno_unknown", infno=call.infno)
    message = _record(key, nonce, call, at)
    try:
        given = fields.read(fields.tables(call.infno).input, call.input)
        if TRANSACTIONS[call.infno].changes:
            return _once(message, given)
        with transaction.atomic():
            return _act(message, given)
    except Refused as refusal:
        return _refuse(message, refusal)
    except Exception as error:
        # Nothing was changed; the institution may send the same msgid again.
        logger.exception("gateway message %s failed", message.pk)
        return _refuse(message, Rejected("system_error"), error=type(error).__name__)


def _record(key: InstitutionKey, nonce: str, call: Call, at: datetime.datetime) -> GatewayMessage:
    """Committed before anything is done, so a call that brings the process down is still known of."""
    message = GatewayMessage(
        key=key,
        institution=key.institution,
        nonce=nonce,
        msgid=call.msgid,
        infno=call.infno,
        request_hash=call.request_hash,
        received_at=at,
        body=call.text,
    )
    try:
        with transaction.atomic():
            message.save()
    except IntegrityError:
        raise Rejected("nonce_used") from None
    return message


def _once(message: GatewayMessage, given: dict[str, Any]) -> str:
    """Act for the first call with this msgid; give every later one the kept answer, a refusal too.

    A twin waits at the unique claim until the first has committed, and then reads its answer.
    """
    with transaction.atomic():
        first = _claim(message)
        if first is not None:
            if first.request_hash != message.request_hash:
                raise Rejected("msgid_reused")
            return _finish(message, str(first.answer), first.outcome)
        try:
            with transaction.atomic():
                return _act(message, given)
        except Refused as refusal:
            return _refuse(message, refusal)
        except KeyReused:
            return _refuse(message, Rejected("msgid_reused"))


def _claim(message: GatewayMessage) -> GatewayMessage | None:
    """None when the msgid is ours to act for, else the message that did."""
    try:
        with transaction.atomic():
            message.claim = message.msgid
            message.save(update_fields=["claim"])
            return None
    except IntegrityError:
        message.claim = None
        return GatewayMessage.objects.get(institution=message.institution, claim=message.msgid)


def _act(message: GatewayMessage, given: dict[str, Any]) -> str:
    act = TRANSACTIONS[message.infno].act
    institution = message.institution
    said = act(institution=institution, msgid=message.msgid, given=given, at=message.received_at)
    output = fields.write(fields.tables(message.infno).output, said)
    answer = envelope.success(output, region_id=institution.region_id, received_at=message.received_at, at=now())
    return _finish(message, answer, GatewayMessage.OK)


def _refuse(message: GatewayMessage, refusal: Refused, error: str = "") -> str:
    answer = envelope.failure(err_msg(refusal), received_at=message.received_at, at=now())
    return _finish(message, answer, error or refusal.code)


def _finish(message: GatewayMessage, answer: str, outcome: str) -> str:
    message.answer, message.outcome = answer, outcome[:40]
    message.duration_ms = round((now() - message.received_at).total_seconds() * 1000)
    message.save(update_fields=["answer", "outcome", "duration_ms"])
    return answer
