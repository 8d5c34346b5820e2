"""What the system does about rollovers by itself: opens them ahead of time, and raises the alarm when one stands still.

People hear of both by text message: administrators have no inbox, which is the members'.
"""

import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation

from accounts.actions import messages
from accounts.enums import Role
from accounts.message_texts import tell_kind
from accounts.models import Region, User
from accounts.policies import in_force
from settlements.actions import rollover
from settlements.actions.rollover_run import boundary_of, clock_day, locked, record
from settlements.models import RolloverRun
from settlements.queries.rollover import still_since, years_to_open


def open_coming(*, at: datetime.datetime) -> list[RolloverRun]:
    """Open every rollover whose year ends soon, once, and ask the region's administrators for its rates."""
    opened = []
    for region_id, year, boundary in years_to_open(clock_day(at), settings.ROLLOVER_OPENED_DAYS):
        with transaction.atomic():
            region = Region.objects.get(pk=region_id)
            run = rollover.open_ahead(region=region, year=year, at=at)
            if run is not None:
                _tell_administrators(run, "rollover_opened", at, boundary_on=boundary.isoformat())
                opened.append(run)
    return opened


def watch(*, run_id: int, at: datetime.datetime) -> RolloverRun | None:
    """Raise the alarm over a run that stands still, once; take it back once it moves. The run if either was done."""
    with transaction.atomic():
        run = locked(run_id)
        stands = still_since(run, at) is not None
        if stands == (run.stalled_at is not None):
            return None
        run.stalled_at = at if stands else None
        run.save(update_fields=["stalled_at"])
        record("rollover.stall" if stands else "rollover.unstall", run, None, at)
        _tell_administrators(run, "rollover_stalled" if stands else "rollover_moves", at)
    return run


def _tell_administrators(run: RolloverRun, kind: str, at: datetime.datetime, **more: Any) -> None:
    """A text message in the language of each; who has no telephone sees it on the page of the run."""
    here = Q(role_assignments__region=run.region_id) | Q(role_assignments__region=None)
    held = Q(role_assignments__role=Role.REGION_ADMIN) & in_force(clock_day(at), of="role_assignments__")
    administrators = (
        User.objects.filter(here & held, is_active=True, is_staff=True).exclude(phone_index=None).distinct()
    )
    boundary = boundary_of(run)
    for user in administrators:
        with translation.override(user.language or settings.LANGUAGE_CODE):
            facts = {"region": str(run.region), "year": run.year, "boundary_on": boundary and boundary.isoformat()}
            text = tell_kind(kind, {**facts, **more, "minutes": settings.ROLLOVER_STALL_MINUTES}).body
            messages.send_text(phone=user.phone, text=text, kind=kind, at=at)
