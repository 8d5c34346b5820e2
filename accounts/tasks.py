"""Thin tasks: Celery rings the bell, the actions do the work, and a task that comes twice does nothing twice."""

import logging

from celery import shared_task
from django.core.management import call_command

from accounts import clock
from accounts.actions import audit, codes, outbox, users

log = logging.getLogger(__name__)


@shared_task
def send_waiting_sms() -> None:
    """Send what waits in the outbox (after each commit that put something there, and every 30 seconds)."""
    outbox.send_waiting()


@shared_task
def seal_audit() -> None:
    """Seal the audit lines written since the last seal (every minute)."""
    audit.seal(clock.now())


@shared_task
def tidy_accounts() -> None:
    """Once a day: sessions that have ended and old text messages are deleted, the budget of those is looked at, and the
    end of roles whose last day is over is written down."""
    call_command("clearsessions")
    users.end_roles_over(at=clock.now())
    codes.warn_over_budget(clock.now())
    emptied, deleted = outbox.forget_old(at=clock.now())
    if emptied or deleted:
        log.info("text messages: %s codes emptied, %s messages deleted", emptied, deleted)
