"""Sending what waits in the outbox of text messages."""

import datetime
import logging

from django.db import transaction

from accounts import clock
from accounts.models import SmsOutbox
from accounts.sms import SmsNotSent, gateway

log = logging.getLogger(__name__)
MOST_TRIES = 5
# A code that comes later than this opens nothing any more and only confuses.
STALE = datetime.timedelta(minutes=10)


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
