"""Reading of rollover runs: how far one is, which are due, where one is missing."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.enums import Role
from accounts.models import BenefitYear, User
from accounts.policies import has_any_role, regions_with_role
from settlements.enums import RELEASED_STATES, RunState
from settlements.models import PersonalAccount, RolloverAdjustment, RolloverRun

# Over the chunks alone: a page that is asked every two seconds must not count a million accounts.
PROGRESS = """
SELECT count(*), count(*) FILTER (WHERE done), count(*) FILTER (WHERE visits > 0 AND NOT done),
    coalesce(sum(planned), 0), coalesce(sum(CASE WHEN done THEN greatest(planned, accounts) ELSE accounts END), 0),
    coalesce(sum(accounts), 0), coalesce(sum(greatest(planned - accounts, 0)) FILTER (WHERE done), 0),
    coalesce(sum(moved), 0), coalesce(sum(netted), 0), coalesce(sum(interest), 0)
FROM settlements_rolloverchunk WHERE run_id = %s
"""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: chunks, accounts, yuan moved so far by the batch, seconds."""

    chunks: int
    chunks_done: int
    chunks_again: int
    total: int
    done: int
    by_batch: int
    by_movement: int
    moved: Decimal
    netted: Decimal
    interest: Decimal
    seconds: float

    @property
    def left(self) -> int:
        """Accounts still to do."""
        return max(self.total - self.done, 0)

    @property
    def percent(self) -> Decimal:
        """Done of total, one decimal, never rounded up to 100."""
        if not self.total:
            return Decimal("100.0") if self.chunks == self.chunks_done else Decimal("0.0")
        return Decimal(min(self.done, self.total) * 1000 // self.total).scaleb(-1)

    @property
    def per_second(self) -> int | None:
        """Accounts the batch rolled per second of work; None before it has done anything."""
        if self.seconds <= 0 or not self.by_batch:
            return None
        return max(int(self.by_batch / self.seconds), 1)

    @property
    def seconds_left(self) -> int | None:
        """At the rate so far; None where there is none yet."""
        return None if self.per_second is None else -(-self.left // self.per_second)


def progress(run: RolloverRun, at: datetime.datetime) -> Progress:
    """How far the run is at a moment. One statement over its chunks, none over accounts."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, [run.pk])
        row = cursor.fetchone()
    names = [
        "chunks", "chunks_done", "chunks_again", "total", "done", "by_batch", "by_movement", "moved", "netted",
        "interest",
    ]  # fmt: skip
    running = (at - run.resumed_at).total_seconds() if run.resumed_at else 0.0
    return Progress(**dict(zip(names, row, strict=True)), seconds=run.worked_seconds + max(running, 0.0))


def still_since(run: RolloverRun, at: datetime.datetime) -> datetime.datetime | None:
    """Since when a run does nothing that should, if that is longer than ROLLOVER_STALL_MINUTES; None while it moves.

    A running run does chunks, a released one begins when its year is over. By the clock and the chunks alone: what would
    raise the alarm is a worker, too, and may be what stopped.
    """
    if run.state == RunState.RUNNING:
        signs = [run.chunks.aggregate(last=Max("done_at"))["last"], run.started_at, run.resumed_at]
    elif run.state == RunState.RELEASED and due_runs(timezone.localdate(at)).filter(pk=run.pk).exists():
        next_year = BenefitYear.objects.get(region=run.region_id, year=run.year + 1)
        midnight = datetime.datetime.combine(next_year.starts_on, datetime.time())
        signs = [timezone.make_aware(midnight), run.released_at]
    else:
        return None
    last = max(moment for moment in signs if moment is not None)
    return last if at - last >= datetime.timedelta(minutes=settings.ROLLOVER_STALL_MINUTES) else None


def status(run: RolloverRun, at: datetime.datetime) -> dict[str, Any]:
    """How a run stands, for machines that watch: plain JSON, amounts as text of yuan, moments in ISO 8601.

    Before it has begun the counts are 0, and rate and time left are null; they are while nothing is known, too.
    """
    shown = progress(run, at)
    return {
        "run": str(run.public_id),
        "region": run.region_id,
        "year": run.year,
        "state": run.state,
        "at": at.isoformat(),
        "stalled_at": _iso(run.stalled_at),
        "still_since": _iso(still_since(run, at)),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
        "accounts": shown.total,
        "accounts_done": shown.done,
        "accounts_left": shown.left,
        "accounts_rolled_by_movements": shown.by_movement,
        "percent": f"{shown.percent}" if run.started_at else "0.0",
        "chunks": shown.chunks,
        "chunks_done": shown.chunks_done,
        "chunks_again": shown.chunks_again,
        "per_second": shown.per_second,
        "seconds_left": shown.seconds_left,
        "seconds_worked": round(shown.seconds, 1),
        "resting_ms": run.resting_ms,
        "moved": f"{shown.moved:.2f}",
        "netted": f"{shown.netted:.2f}",
        "interest": f"{shown.interest:.2f}",
        "agrees": run.totals.get("agrees"),
    }


def _iso(moment: datetime.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def adjustments_visible_to(user: User) -> QuerySet[RolloverAdjustment]:
    """Corrections of the runs that the user may see."""
    return RolloverAdjustment.objects.filter(run__in=visible_to(user)).select_related(
        "run__region", "planned_by", "released_by"
    )


def visible_to(user: User) -> QuerySet[RolloverRun]:
    """Runs of the regions that the user administers; an auditor reads all."""
    runs = RolloverRun.objects.select_related("region", "planned_by", "released_by", "closed_by")
    if has_any_role(user, Role.AUDITOR):
        return runs
    return runs.filter(region__in=regions_with_role(user, Role.REGION_ADMIN))


def runs_to_watch() -> QuerySet[RolloverRun]:
    """Runs that may stand still, and those that did when they were last looked at."""
    return RolloverRun.objects.filter(Q(state=RunState.RUNNING) | ~Q(stalled_at=None))


def rehearsals_under_way() -> QuerySet[RolloverRun]:
    """Runs whose rehearsal has begun and is not at its end."""
    return RolloverRun.objects.filter(state=RunState.PLANNED, rehearsal__has_key="after")


def due_runs(today: datetime.date) -> QuerySet[RolloverRun]:
    """Released runs whose year is over."""
    begun = BenefitYear.objects.filter(region=OuterRef("region"), year=OuterRef("year") + 1, starts_on__lte=today)
    return RolloverRun.objects.filter(Exists(begun), state=RunState.RELEASED)


def years_to_open(today: datetime.date, days: int) -> list[tuple[str, int, datetime.date]]:
    """(region, closing year, first day of the next) that ended in the last year or end within so many days, with
    accounts in the region, and no run at all that was not taken back."""
    runs = RolloverRun.objects.filter(region=OuterRef("region"), year=OuterRef("closing"))
    return _years_ending(today, datetime.timedelta(days=days), runs.exclude(state=RunState.CANCELLED))


def years_without_run(today: datetime.date) -> list[tuple[str, int, datetime.date]]:
    """(region, closing year, first day of the next) that ended in the last year or end within a week, with accounts in
    the region, and no released run."""
    released = RolloverRun.objects.filter(
        region=OuterRef("region"), year=OuterRef("closing"), state__in=RELEASED_STATES
    )
    return _years_ending(today, datetime.timedelta(days=7), released)


def _years_ending(
    today: datetime.date, ahead: datetime.timedelta, unless: QuerySet[RolloverRun]
) -> list[tuple[str, int, datetime.date]]:
    year = datetime.timedelta(days=365)
    opened = PersonalAccount.objects.filter(region=OuterRef("region"), opened_on__lt=OuterRef("starts_on"))
    rows: Any = (
        BenefitYear.objects.filter(starts_on__gt=today - year, starts_on__lte=today + ahead)
        .annotate(closing=F("year") - 1)
        .filter(~Exists(unless), Exists(opened))
        .values_list("region_id", "closing", "starts_on")
    )
    return list(rows)
