"""The audit log: one line an act, in the transaction of the act; sealed in blocks behind it, never inside it."""

import datetime
import hashlib
import json
import logging
import time
from collections.abc import Iterable
from typing import Any

from allauth.core import context
from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest

from accounts.calls import Call, to_json
from accounts.enums import Channel
from accounts.models import AuditBlock, AuditEvent, Member, User
from accounts.naming import in_house

log = logging.getLogger(__name__)
SEAL_LOCK = 0x5EA1
LINES_A_BLOCK = 5000
GENESIS = "0" * 64


def record(
    *,
    action: str,
    by: User | None,
    at: datetime.datetime,
    member: Member | None = None,
    target: str = "",
    reason: str = "",
    details: dict[str, Any] | None = None,
    on_behalf_of: Member | None = None,
    channel: str = Channel.ONLINE,
    request: HttpRequest | None = None,
) -> AuditEvent:
    """Write one line. Call it inside the transaction of the act, so that neither is kept without the other.

    `by` None means the system; `member` is whom it is about; `details` is JSON without numbers that identify people.
    Address and session come from `request`, by default the one being answered.
    """
    request = request or context.request
    return AuditEvent.objects.create(
        at=at,
        actor_id=by.pk if by else None,
        actor=_actor(by),
        on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
        action=action,
        target=target[:60],
        member_id=member.pk if member else None,
        reason=_one_line(reason)[:200],
        details=details or {},
        channel=channel,
        ip=get_client_ip(request) if request else None,
        session=_session_mark(request),
    )


def noting(
    *, action: str, at: datetime.datetime, member: Member, target: str, details: dict[str, Any], channel: str
) -> Call:
    """The call that writes a line of what a machine did, for who has more to send in the same statement; see `record`."""
    arguments = [at, _actor(None), action, target[:60], member.pk, to_json(details), channel]
    return Call("accounts_note(%s, %s, %s, %s, %s, %s::jsonb, %s)", arguments)


def _actor(by: User | None) -> str:
    """Staff with name and work number; citizens masked, their id says who it was."""
    if by is None:
        return "system"
    if by.is_staff:
        return _one_line(in_house(by))[:60]
    return str(by.member)[:60] if by.member else f"#{by.pk}"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _session_mark(request: HttpRequest | None) -> str:
    """Tells sessions apart without being one: the key itself would let its reader in."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    return hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""


# Sealing


def seal(at: datetime.datetime) -> int:
    """Seal all lines that are final, in blocks; the number of lines sealed. Nothing is done while another one seals.

    The head of the chain goes to a file outside the database, so that cutting off the end is found as well.
    """
    last = _last_final_id()
    sealed = 0
    while last is not None:
        lines = _seal_one_block(last, at)
        sealed += lines
        if lines < LINES_A_BLOCK:
            break
    return sealed


def _last_final_id() -> int | None:
    """The newest line below which no transaction still has a line to commit; None when writers are too busy now.

    Numbers are taken before they are committed: without waiting for the writers a block could miss a line that
    appears later.
    """
    for _attempt in range(5):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '300ms'")
                cursor.execute("LOCK TABLE accounts_auditevent IN SHARE MODE")
                cursor.execute("SELECT max(id) FROM accounts_auditevent")
                newest: int | None = cursor.fetchone()[0]
                return newest
        except OperationalError:
            time.sleep(0.2)
    log.warning("audit log not sealed now: a transaction holds it")
    return None


def _seal_one_block(last: int, at: datetime.datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        head = AuditBlock.objects.order_by("-last_event").first()
        after = head.last_event if head else 0
        events = list(AuditEvent.objects.filter(id__gt=after, id__lte=last).order_by("id")[:LINES_A_BLOCK])
        if not events:
            return 0
        previous = head.hash if head else GENESIS
        block = AuditBlock.objects.create(
            first_event=after + 1,
            last_event=events[-1].pk,
            lines=len(events),
            previous_hash=previous,
            hash=block_hash(previous, events),
            sealed_at=at,
        )
        transaction.on_commit(lambda: _anchor(block))
        return len(events)


def _anchor(block: AuditBlock) -> None:
    path = settings.AUDIT_ANCHORS
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{block.last_event} {block.hash}\n")


def block_hash(previous: str, events: Iterable[AuditEvent]) -> str:
    """SHA-256 over the hash of the block before and every column of every line, 64 hex digits."""
    digest = hashlib.sha256(previous.encode())
    names = [field.attname for field in AuditEvent._meta.concrete_fields]
    for event in events:
        row = {name: getattr(event, name) for name in names}
        row["at"] = event.at.astimezone(datetime.UTC).isoformat()
        digest.update(json.dumps(row, sort_keys=True, cls=DjangoJSONEncoder).encode() + b"\n")
    return digest.hexdigest()


def check() -> list[str]:
    """What is wrong with the chain, in English, one finding a line; empty when whole.

    Finds changed, deleted, inserted and reordered lines and blocks, and a chain shorter than its anchors.
    """
    findings: list[str] = []
    previous, after = GENESIS, 0
    hashes: dict[int, str] = {}
    for block in AuditBlock.objects.order_by("last_event").iterator():
        name = f"block {block.pk} (lines {block.first_event} to {block.last_event})"
        if block.previous_hash != previous or block.first_event != after + 1:
            findings.append(f"{name}: does not follow the block before it")
        events = list(AuditEvent.objects.filter(id__gt=after, id__lte=block.last_event).order_by("id"))
        if len(events) != block.lines:
            findings.append(f"{name}: {len(events)} lines instead of {block.lines}")
        elif block_hash(block.previous_hash, events) != block.hash:
            findings.append(f"{name}: a line was changed")
        previous, after = block.hash, block.last_event
        hashes[block.last_event] = block.hash
    findings += [
        f"anchor at line {last}: no such block any more" for last, hash_ in _anchors() if hashes.get(last) != hash_
    ]
    return findings


def _anchors() -> list[tuple[int, str]]:
    if not settings.AUDIT_ANCHORS.exists():
        return []
    rows = (line.split() for line in settings.AUDIT_ANCHORS.read_text().splitlines())
    return [(int(row[0]), row[1]) for row in rows if len(row) == 2]
