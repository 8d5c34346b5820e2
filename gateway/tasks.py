import logging

from celery import shared_task

from accounts import clock
from gateway.actions import bodies, files, reconciling_watch, turning_away, visit_steps

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def give_up_visits() -> None:
    """Every night: visits that nobody settled in time, some at a time until none is left."""
    at, total = clock.now(), 0
    while count := visit_steps.give_up_overdue(at=at):
        total += count
    if total:
        log.info("visits given up: %s", total)


@shared_task(ignore_result=True)
def watch_reconciliation() -> None:
    """The alarm, every morning: institutions that have not reconciled what they settled the day before, or differ."""
    late = reconciling_watch.look(on=clock.today(), at=clock.now())
    for one in late:
        log.error("reconciliation of %s, institution %s: %s", one.day, one.institution.code, one.state)


@shared_task(ignore_result=True)
def delete_files() -> None:
    """Every night: files of institutions whose deadline has passed."""
    count = files.delete_old(at=clock.now())
    if count:
        log.info("files of institutions deleted: %s", count)


@shared_task(ignore_result=True)
def delete_bodies() -> None:
    """Every night: what was said in calls whose time is over; who called what when stays."""
    count = bodies.delete_old(at=clock.now())
    if count:
        log.info("bodies of institutions' messages deleted: %s", count)


@shared_task(ignore_result=True)
def delete_turned_away() -> None:
    """Every night: how many calls were turned away, of days that are long over."""
    count = turning_away.delete_old(at=clock.now())
    if count:
        log.info("counts of calls turned away deleted: %s", count)
