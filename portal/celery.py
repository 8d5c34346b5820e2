import logging
import os
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab

from accounts.logs import keep_discreet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.demo")
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "open-due-rollover-runs": {"task": "settlements.tasks.open_due_runs", "schedule": 60.0},
    "open-coming-rollover-runs": {
        "task": "settlements.tasks.open_coming_runs",
        "schedule": crontab(hour=7, minute=30),
    },
    "watch-rollover-runs": {"task": "settlements.tasks.watch_runs", "schedule": 60.0},
    "warn-of-missing-rollover-runs": {
        "task": "settlements.tasks.warn_of_missing_runs",
        "schedule": crontab(hour=8, minute=0),
    },
    "return-wallet-transfers": {"task": "settlements.tasks.return_wallet_transfers", "schedule": 60.0},
    # Late in the evening, so that what was credited during the month's last day counts.
    "collect-premiums": {"task": "settlements.tasks.collect_premiums", "schedule": crontab(hour=20, minute=0)},
    "pay-on-late-money": {"task": "settlements.tasks.pay_on_late_money", "schedule": crontab(minute=5)},
    "credit-what-is-due": {"task": "settlements.tasks.credit_what_is_due", "schedule": crontab(hour=0, minute=20)},
    "sweep-credits": {"task": "settlements.tasks.sweep_credits", "schedule": 60.0},
    "sweep-trials": {"task": "settlements.tasks.sweep_trials", "schedule": 60.0},
    "send-waiting-sms": {"task": "accounts.tasks.send_waiting_sms", "schedule": 30.0},
    "seal-audit": {"task": "accounts.tasks.seal_audit", "schedule": 60.0},
    "tidy-accounts": {"task": "accounts.tasks.tidy_accounts", "schedule": crontab(hour=3, minute=10)},
    "give-up-visits": {"task": "gateway.tasks.give_up_visits", "schedule": crontab(hour=1, minute=40)},
    "expire-invitations": {"task": "family.tasks.expire_invitations", "schedule": crontab(hour=0, minute=10)},
    "watch-reconciliation": {"task": "gateway.tasks.watch_reconciliation", "schedule": crontab(hour=9, minute=0)},
    "delete-institutions-files": {"task": "gateway.tasks.delete_files", "schedule": crontab(hour=3, minute=40)},
    "delete-bodies": {"task": "gateway.tasks.delete_bodies", "schedule": crontab(hour=3, minute=50)},
    "delete-turned-away": {"task": "gateway.tasks.delete_turned_away", "schedule": crontab(hour=3, minute=55)},
    "check-ledger": {"task": "settlements.tasks.check_ledger", "schedule": crontab(hour=2, minute=30)},
}


@signals.after_setup_logger.connect
@signals.after_setup_task_logger.connect
def no_personal_data(logger: logging.Logger, **kwargs: Any) -> None:
    """Celery writes failed tasks with a formatter of its own."""
    keep_discreet(logger)
