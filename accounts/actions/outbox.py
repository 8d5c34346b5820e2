"""Sending what waits in the outbox of text messages, and deleting what is old."""

import datetime
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import clock
from accounts.models import ConsentCode, SmsOutbox
from accounts.models.messages import CODES
from accounts.sms import SmsNotSent, gateway

log = logging.getLogger(__name__)
MOST_TRIES = 5
# A code that comes later than this opens nothing any more and only confuses.
STALE = datetime.timedelta(minutes=10)
CHUNK = 2000


def send_waiting(*, most: int = 200) -> int:
    """Send up to `most` waiting messages, the oldest first, one transaction each; how many were sent.

    Several workers share the outbox: each skips the rows another one holds. A worker that dies between sending and
    committing sends again, with the same reference.
    """
    sent = 0
    after = 0
    for _turn in range(most):
        after, done = _send_one(after)
        if not after:
            break
        sent += done
    return sent


@transaction.atomic
def _send_one(after: int) -> tuple[int, bool]:
    """The id of the row that was tried (0 when none waits) and whether it went out."""
    waiting = SmsOutbox.objects.select_for_update(skip_locked=True).filter(state=SmsOutbox.State.WAITING, id__gt=after)
    row = waiting.order_by("id").first()
    if row is None:
        return 0, False
    now = clock.now()
    if row.kind.startswith("code:") and now - row.created_at > STALE:
        row.state = SmsOutbox.State.FAILED
    else:
        row.tries += 1
        try:
            gateway().send(row.phone, row.text, f"sms-{row.pk}")
        except SmsNotSent as error:
            log.warning("text message %s not sent (try %s): %s", row.pk, row.tries, error)
            if row.tries >= MOST_TRIES:
                row.state = SmsOutbox.State.FAILED
        else:
            row.state, row.sent_at = SmsOutbox.State.SENT, now
    row.save(update_fields=["state", "tries", "sent_at"])
    return row.pk, row.state == SmsOutbox.State.SENT


def forget_old(*, at: datetime.datetime) -> tuple[int, int]:
    """Empty the texts of codes and delete text messages and codes whose time is over (`SMS_CODE_TEXT_DAYS`, `SMS_DAYS`);
    (texts emptied, messages deleted). What still waits to be sent is left alone."""
    ended = SmsOutbox.objects.exclude(state=SmsOutbox.State.WAITING)
    said = ended.filter(CODES, text__isnull=False, created_at__lt=_before(at, settings.SMS_CODE_TEXT_DAYS))
    emptied = _in_chunks(said, lambda chunk: chunk.update(text=None))
    before = _before(at, settings.SMS_DAYS)
    _in_chunks(ConsentCode.objects.filter(created_at__lt=before), lambda chunk: chunk.delete()[0])
    return emptied, _in_chunks(ended.filter(created_at__lt=before), lambda chunk: chunk.delete()[0])


def _before(at: datetime.datetime, days: int) -> datetime.datetime:
    return at - datetime.timedelta(days=days)


def _in_chunks(old: QuerySet[Any], act: Callable[[QuerySet[Any]], int]) -> int:
    """A transaction each, so that nobody waits for all of them; how many rows it were."""
    done = 0
    while keys := list(old.order_by().values_list("pk", flat=True)[:CHUNK]):
        done += act(old.model._default_manager.filter(pk__in=keys))
    return done
