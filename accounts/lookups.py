"""Staff find people by whole numbers; whoever asks for too many within an hour is stopped, and it is told."""

import logging

from allauth.core import ratelimit
from django.http import HttpRequest

from accounts import clock
from accounts.actions import audit
from accounts.errors import Refused

log = logging.getLogger(__name__)


def count(request: HttpRequest) -> None:
    """Count one look-up by ID or card number. Raises Refused: too_many_lookups."""
    if not ratelimit.consume(request, action="look_up", user=request.user):
        audit.record(action="denied", by=request.user, at=clock.now(), target="look_up")
        log.error("ALARM: staff login %s looks up more people within an hour than anybody serves", request.user.pk)
        raise Refused("too_many_lookups")
