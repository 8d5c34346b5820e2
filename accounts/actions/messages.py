"""Messages to people: a line in the inbox, and a text message by way of the outbox."""

import datetime
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from kombu.exceptions import OperationalError

from accounts.calls import Call, to_json
from accounts.crypto import blind_index
from accounts.message_texts import tell_kind
from accounts.models import Member, Message, SmsOutbox, User

log = logging.getLogger(__name__)

# Every bill that a relative's account pays writes one of these; the ORM took longer to say it than PostgreSQL to do it.
WRITE = """
INSERT INTO accounts_message (public_id, member_id, kind, params, created_at)
VALUES (%s, %s, %s, %s::jsonb, %s) RETURNING id
"""


def notify(*, member: Member, kind: str, params: dict[str, Any], at: datetime.datetime, sms: bool = False) -> Message:
    """Put a message into the member's inbox; with `sms` also send it as a text message, if a telephone is known.

    `params` are facts without language (see accounts.wording). KeyError for a kind nobody registered. Call it in the
    transaction of what it tells: if that is undone, nobody hears of it.
    """
    tell_kind(kind, params)
    message = Message(member=member, kind=kind, params=params, created_at=at)
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [message.public_id, member.pk, kind, json.dumps(params), at])
        message.pk = cursor.fetchone()[0]
    message._state.adding = False
    if not sms:
        return message
    user = User.objects.filter(member=member).first()
    phone = user.phone if user and user.phone_verified else member.phone
    if phone:
        with translation.override((user.language if user else "") or settings.LANGUAGE_CODE):
            send_text(phone=phone, text=tell_kind(kind, params).body, kind=kind, at=at)
    return message


@dataclass(frozen=True)
class Told:
    """A message to a member; `params` are facts without language."""

    member_id: int
    kind: str
    params: dict[str, Any]


def telling(told: Sequence[Told], *, at: datetime.datetime) -> Call:
    """The call that puts messages into inboxes, for who has more to send in the same statement; see `notify`."""
    for message in told:
        tell_kind(message.kind, message.params)
    return Call("accounts_tell(%s::json, %s)", [to_json([asdict(message) for message in told]), at])


def send_text(*, phone: str, text: str, kind: str, at: datetime.datetime) -> SmsOutbox:
    """Leave a text message in the outbox; a worker sends it after the commit. The text carries no links."""
    row = SmsOutbox.objects.create(
        phone=phone,
        phone_index=blind_index(phone),
        text=f"【{settings.SMS_SIGNATURE}】{text}",
        kind=kind,
        created_at=at,
    )
    transaction.on_commit(_ring)
    return row


def _ring() -> None:
    """Tell a worker that there is something to send. If nobody hears it, the next beat finds the row."""
    try:
        current_app.send_task("accounts.tasks.send_waiting_sms", retry=False, ignore_result=True)
    except (OperationalError, OSError):
        log.warning("the broker cannot be reached; the outbox waits for the next beat")


def read(*, message: Message, at: datetime.datetime) -> None:
    """Remember when the message was first opened."""
    Message.objects.filter(pk=message.pk, read_at=None).update(read_at=at)


def read_all(*, member: Member, at: datetime.datetime) -> int:
    """Mark every message of the member as read; how many there were."""
    return Message.objects.filter(member=member, read_at=None).update(read_at=at)
