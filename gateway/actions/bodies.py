"""What was said in a call: read for a reason that is kept, tried again without consequence, deleted when it is old."""

import datetime
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.actions import audit
from accounts.clock import now
from accounts.errors import KeyReused, Refused
from accounts.models import Member, User
from gateway import envelope, fields, masking
from gateway.actions.messages import TRANSACTIONS
from gateway.models import GatewayMessage
from gateway.policies import may_open_messages
from gateway.queries.people import member_by_credential, member_by_psn_no
from gateway.texts import err_msg
from settlements.ledger import again_locked

CHUNK = 2000


@dataclass(frozen=True)
class Opened:
    """Body and answer of a message, laid out; empty where there is none."""

    body: str
    answer: str


@dataclass(frozen=True)
class Replayed:
    """What the same call would be answered now: an output, laid out, or why it would be refused."""

    output: str
    refusal: str


def open_message(*, message: GatewayMessage, by: User, reason: str, at: datetime.datetime | None = None) -> Opened:
    """Body and answer, for a region's administrator who says why; whom it is about can see that it was read.

    Raises Refused: not_allowed, body_deleted.
    """
    _record("gateway_message_opened", message, by, reason, at or now())
    return Opened(masking.laid_out(message.body), masking.laid_out(message.answer))


def replay(*, message: GatewayMessage, by: User, reason: str, at: datetime.datetime | None = None) -> Replayed:
    """The call once more, as if it came now under another msgid, and everything taken back: nothing is written but the
    line that says who tried it.

    Raises Refused: not_allowed, body_deleted, replay_impossible (it came with a file, or is no transaction any more).
    """
    at = at or now()
    kind = TRANSACTIONS.get(message.infno)
    if kind is None or kind.takes_file:
        raise Refused("replay_impossible")
    _record("gateway_message_replayed", message, by, reason, at)
    more: dict[str, Any] = {"unsent": []} if kind.sends_late else {}
    try:
        call = envelope.read(str(message.body).encode())
        given = fields.read(fields.tables(call.infno).input, call.input)
        dry = {"institution": message.institution, "msgid": f"dry{secrets.token_hex(13)}", "given": given, "at": at}
        said = again_locked(partial(_tried, kind.act, dry | more))
        output = fields.write(fields.tables(call.infno).output, said)
    except KeyReused:
        return Replayed("", err_msg(Refused("msgid_reused")))
    except Refused as refusal:
        return Replayed("", err_msg(refusal))
    return Replayed(masking.laid_out(output), "")


def _tried(act: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What an action says; nothing of what it did stays."""
    with transaction.atomic():
        said = act(**arguments)
        transaction.set_rollback(True)
        return said


def delete_old(*, at: datetime.datetime | None = None, days: int | None = None) -> int:
    """Bodies and answers older than the setting are deleted; who called what when, and how it ended, stays. How many.

    The hash of the input goes too where no msgid hangs on it: of an ID number alone a hash can be guessed.
    """
    before = (at or now()) - datetime.timedelta(days=settings.GATEWAY_BODIES_DAYS if days is None else days)
    deleted = 0
    while True:
        with transaction.atomic():
            old = GatewayMessage.objects.filter(received_at__lt=before, body__isnull=False).order_by()
            chunk = list(old.values_list("pk", flat=True)[:CHUNK])
            GatewayMessage.objects.filter(pk__in=chunk, claim=None).update(request_hash="")
            GatewayMessage.objects.filter(pk__in=chunk).update(body=None, answer=None)
        deleted += len(chunk)
        if len(chunk) < CHUNK:
            return deleted


@transaction.atomic
def _record(action: str, message: GatewayMessage, by: User, reason: str, at: datetime.datetime) -> None:
    if not may_open_messages(by, message.institution.region_id):
        raise Refused("not_allowed")
    if message.body is None:
        raise Refused("body_deleted")
    audit.record(
        action=action,
        by=by,
        at=at,
        member=_member(str(message.body)),
        target=f"message:{message.pk}",
        reason=reason,
        details={"institution": message.institution.name, "infno": message.infno, "msgid": message.msgid},
    )


def _member(body: str) -> Member | None:
    """Whom a message is about, by its first node that names somebody."""
    try:
        given = envelope.read(body.encode()).input
    except Refused:
        return None
    nodes = given.values() if isinstance(given, dict) else ()
    for node in nodes:
        row = node[0] if isinstance(node, list) and node else node
        if not isinstance(row, dict):
            continue
        found = member_by_psn_no(str(row.get("psn_no") or "-"))
        if found:
            return found
        try:
            return member_by_credential(str(row.get("mdtrt_cert_type")).zfill(2), str(row.get("mdtrt_cert_no")))
        except Refused:
            continue
    return None
