"""What every act on a rollover run shares: the run held, its state asked for, its boundary, its line in the audit log."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts.actions import audit
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import BenefitYear, User
from settlements.enums import RunState
from settlements.models import RolloverRun


def boundary_of(run: RolloverRun) -> datetime.date | None:
    """First day of the year after the one that the run closes; None if the region's rules do not tell."""
    return (
        BenefitYear.objects.filter(region=run.region_id, year=run.year + 1).values_list("starts_on", flat=True).first()
    )


def clock_day(at: datetime.datetime) -> datetime.date:
    """The day of a moment in the portal's time zone."""
    return timezone.localdate(at)


def locked(run_id: int) -> RolloverRun:
    """The run as it is now, held so that two buttons pressed at once follow each other."""
    return RolloverRun.objects.select_for_update(no_key=True).get(pk=run_id)


def must_be(run: RolloverRun, states: Sequence[RunState]) -> None:
    """Raises Refused run_state unless the run is in one of the states."""
    if run.state not in states:
        raise Refused("run_state", state=str(run.state))


def record(action: str, run: RolloverRun, by: User | None, at: datetime.datetime, **details: Any) -> None:
    """The line in the audit log; call it in the transaction of the act."""
    audit.record(
        action=action,
        by=by,
        at=at,
        target=f"rollover {run.region_id} {run.year}",
        details=details,
        channel=Channel.ONLINE if by else Channel.SYSTEM,
    )
