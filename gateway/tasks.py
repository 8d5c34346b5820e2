import logging

from celery import shared_task

from accounts import clock
from gateway.actions import bodies, visit_steps

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def give_up_visits() -> None:
    """Every night: visits that nobody settled in time. What is left of a long list comes the next night."""
    count = visit_steps.give_up_overdue(at=clock.now())
    if count:
        log.info("visits given up: %s", count)


@shared_task(ignore_result=True)
def delete_bodies() -> None:
    """Every night: what was said in calls whose time is over; who called what when stays."""
    count = bodies.delete_old(at=clock.now())
    if count:
        log.info("bodies of institutions' messages deleted: %s", count)
