import logging

from celery import shared_task

from accounts import clock
from accounts.errors import Refused
from family import queries
from family.actions import invitations

log = logging.getLogger(__name__)


@shared_task
def expire_invitations() -> int:
    """Let invitations lapse whose last day is over; each in its own transaction. Gives how many lapsed."""
    now, lapsed = clock.now(), 0
    for application in queries.lapsed_invitations(clock.today()).select_related("case"):
        try:
            invitations.expire(application=application, at=now)
            lapsed += 1
        except Refused as refused:
            # Answered or withdrawn since the list was read.
            log.info("invitation %s did not lapse: %s", application.case_id, refused.code)
    return lapsed
