"""Thin tasks: Celery rings the bell, the actions do the work, and a task that comes twice does nothing twice."""

from celery import shared_task
from django.core.management import call_command

from accounts import clock
from accounts.actions import audit, codes, outbox


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
    """Once a day: sessions that have ended are deleted, and the budget of text messages is looked at."""
    call_command("clearsessions")
    codes.warn_over_budget(clock.now())
