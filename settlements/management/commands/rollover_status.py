"""How rollovers stand, as JSON: for monitoring on the machine itself, which has no login."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from accounts import clock
from settlements.enums import RunState
from settlements.models import RolloverRun
from settlements.queries.rollover import status, still_since


class Command(BaseCommand):
    help = "Print how the rollovers that are not closed stand, one JSON object a line; exits 1 if one stands still."

    def handle(self, *args: Any, **options: Any) -> None:
        stalled, now = False, clock.now()
        for run in RolloverRun.objects.exclude(state__in=[RunState.CLOSED, RunState.CANCELLED]):
            self.stdout.write(json.dumps(status(run, now)))
            stalled |= still_since(run, now) is not None
        if stalled:
            raise SystemExit(1)
