"""Correcting a run whose released rates were wrong: planned and counted, released by a second person, then posted.

What it would post is counted two ways before anybody may release it: account by account (what is due by the right
rates less what was posted), and from the products kept on the rollover entries alone. It works chunk by chunk; a chunk's
entries, sums and state commit together, so a killed worker loses nothing and nothing is posted twice. A correction is
taken back by another one, with the rates that were right after all.
"""

import datetime
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from accounts import clock
from accounts.errors import Refused
from accounts.models import User
from accounts.money import ZERO, plain
from settlements.actions import rollover
from settlements.actions.rollover_run import clock_day, locked, must_be, record
from settlements.enums import AdjustmentState, RunState
from settlements.ledger import control
from settlements.models import AdjustmentChunk, RolloverAdjustment, RolloverRun

CORRECTABLE = [RunState.RECONCILED, RunState.CLOSED]
AT_WORK = [AdjustmentState.COUNTING, AdjustmentState.RUNNING]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """An adjustment in yuan: due account by account, of it what would become debt, due by products alone, posted."""

    chunks: int
    counted: int
    done: int
    due_accounts: int
    due: Decimal
    due_debt: Decimal
    by_products: Decimal
    accounts: int
    posted: Decimal

    @property
    def agrees(self) -> bool:
        """Whether everything was counted and both counts come to the same."""
        return self.counted == self.chunks and self.due == self.by_products


def plan(
    *,
    run: RolloverRun,
    current_rate: Decimal,
    historical_rate: Decimal,
    reason: str,
    by: User,
    at: datetime.datetime | None = None,
) -> RolloverAdjustment:
    """Plan the correction of a run to other rates (percent a year); `count` works out what it comes to.

    Raises Refused: run_state (not counted yet, or under correction), rate_missing, rate_same, adjustment_open.
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, CORRECTABLE)
        if not all(0 <= rate < rollover.RATE_LIMIT for rate in (current_rate, historical_rate)):
            raise Refused("rate_missing", year=run.year)
        if (current_rate, historical_rate) == (run.current_rate, run.historical_rate):
            raise Refused("rate_same")
        if run.adjustments.exclude(state__in=[AdjustmentState.DONE, AdjustmentState.CANCELLED]).exists():
            raise Refused("adjustment_open")
        adjustment = RolloverAdjustment.objects.create(
            run=run,
            reason=reason,
            old_current_rate=run.current_rate,
            old_historical_rate=run.historical_rate,
            current_rate=current_rate,
            historical_rate=historical_rate,
            planned_by=by,
            planned_at=at,
        )
        AdjustmentChunk.objects.bulk_create(
            AdjustmentChunk(adjustment=adjustment, number=number, first_id=first, last_id=last)
            for number, first, last in run.chunks.values_list("number", "first_id", "last_id")
        )
        _record("rollover.adjust_plan", adjustment, by, at, reason=reason, **_rates(adjustment))
    return adjustment


def release(*, adjustment: RolloverAdjustment, by: User, at: datetime.datetime | None = None) -> RolloverAdjustment:
    """Let the right rates count: the run carries them from now on, and `post` posts the difference.

    Raises Refused: run_state, same_person, totals_differ (the two counts of what is due).
    """
    at = at or clock.now()
    with transaction.atomic():
        adjustment, run = _locked(adjustment)
        _must_be(adjustment, [AdjustmentState.COUNTED])
        if by.pk == adjustment.planned_by_id:
            raise Refused("same_person", why="adjusting")
        counted = sums(adjustment)
        if not counted.agrees:
            raise Refused("totals_differ", why="adjusting")
        run.current_rate, run.historical_rate = adjustment.current_rate, adjustment.historical_rate
        run.save()
        adjustment.state, adjustment.released_by, adjustment.released_at = AdjustmentState.RUNNING, by, at
        adjustment.save()
        _record("rollover.adjust_release", adjustment, by, at, due=plain(counted.due), accounts=counted.due_accounts)
    return adjustment


def cancel(*, adjustment: RolloverAdjustment, by: User, at: datetime.datetime | None = None) -> RolloverAdjustment:
    """Take a correction back before its release. Raises Refused: run_state."""
    at = at or clock.now()
    with transaction.atomic():
        adjustment, _run = _locked(adjustment)
        _must_be(adjustment, [AdjustmentState.COUNTING, AdjustmentState.COUNTED])
        adjustment.state = AdjustmentState.CANCELLED
        adjustment.save()
        _record("rollover.adjust_cancel", adjustment, by, at)
    return adjustment


def work(*, adjustment_id: int, seconds: float, at: datetime.datetime | None = None) -> bool:
    """Count or post chunks for at most so many seconds and one more; whether there is more to do.

    Any number may call it at once, and calling it again does nothing twice.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not work_next(adjustment_id=adjustment_id, at=at):
            return False
    return True


@transaction.atomic
def work_next(*, adjustment_id: int, at: datetime.datetime | None = None) -> bool:
    """Claim the next chunk and count or post it; at the end, close the adjustment. Whether there was a chunk."""
    at = at or clock.now()
    adjustment = RolloverAdjustment.objects.select_related("run").get(pk=adjustment_id)
    if adjustment.state not in AT_WORK:
        return False
    posting = adjustment.state == AdjustmentState.RUNNING
    todo = adjustment.chunks.filter(done=False) if posting else adjustment.chunks.filter(counted=False)
    chunk = todo.order_by("number").select_for_update(skip_locked=True, of=("self",)).first()
    if chunk is None:
        if not todo.exists():
            _finish(adjustment, at)
        return False
    if posting:
        _post(adjustment, chunk, at)
    else:
        _count(adjustment, chunk)
    return True


def sums(adjustment: RolloverAdjustment) -> Sums:
    """What an adjustment would come to, and what it has posted so far. Over its chunks alone."""
    found: dict[str, Any] = adjustment.chunks.aggregate(
        chunks=Count("pk"),
        counted=Count("pk", filter=Q(counted=True)),
        done=Count("pk", filter=Q(done=True)),
        **{name: Sum(f"{name}", default=ZERO) for name in ("due", "due_debt", "by_products", "posted")},
        **{f"sum_{name}": Sum(name, default=0) for name in ("due_accounts", "accounts")},
    )
    return Sums(**{name.removeprefix("sum_"): value for name, value in found.items()})


def at_work() -> QuerySet[RolloverAdjustment]:
    """Adjustments that workers have something to do for."""
    return RolloverAdjustment.objects.filter(state__in=AT_WORK)


def _count(adjustment: RolloverAdjustment, chunk: AdjustmentChunk) -> None:
    found = control.count_due(
        **_range(adjustment, chunk), old_rates=(adjustment.old_current_rate, adjustment.old_historical_rate)
    )
    chunk.due_accounts, chunk.due, chunk.due_debt, chunk.by_products = found
    chunk.counted = True
    chunk.save()


def _post(adjustment: RolloverAdjustment, chunk: AdjustmentChunk, at: datetime.datetime) -> None:
    key = f"{adjustment.run_id}:adjust-{adjustment.pk}:{chunk.number}"
    chunk.accounts, chunk.posted = control.post_interest(**_range(adjustment, chunk), on=clock_day(at), key=key)
    chunk.done, chunk.done_at = True, at
    chunk.save()


def _range(adjustment: RolloverAdjustment, chunk: AdjustmentChunk) -> dict[str, Any]:
    run = adjustment.run
    return {
        "run_id": run.pk,
        "region_id": run.region_id,
        "year": run.year,
        "rates": (adjustment.current_rate, adjustment.historical_rate),
        "first_id": chunk.first_id,
        "last_id": chunk.last_id,
    }


def _finish(adjustment: RolloverAdjustment, at: datetime.datetime) -> None:
    """After the last chunk: counted, or done, with the run's year counted anew. The second who comes finds it so."""
    adjustment, run = _locked(adjustment)
    if adjustment.state == AdjustmentState.COUNTING:
        adjustment.state = AdjustmentState.COUNTED
    elif adjustment.state == AdjustmentState.RUNNING:
        adjustment.state, adjustment.finished_at = AdjustmentState.DONE, at
        rollover.count_again(run)
        found = sums(adjustment)
        _record(
            "rollover.adjust_done", adjustment, None, at,
            posted=plain(found.posted), accounts=found.accounts, agrees=run.totals["agrees"],
        )  # fmt: skip
    adjustment.save()


def _locked(adjustment: RolloverAdjustment) -> tuple[RolloverAdjustment, RolloverRun]:
    """Adjustment and run as they are now, the run first: that is the order in which everybody holds them."""
    run = locked(adjustment.run_id)
    return RolloverAdjustment.objects.select_for_update(no_key=True).get(pk=adjustment.pk), run


def _must_be(adjustment: RolloverAdjustment, states: list[AdjustmentState]) -> None:
    if adjustment.state not in states:
        raise Refused("run_state", state=str(adjustment.state))


def _rates(adjustment: RolloverAdjustment) -> dict[str, str]:
    names = ("old_current_rate", "old_historical_rate", "current_rate", "historical_rate")
    return {name: str(getattr(adjustment, name)) for name in names}


def _record(
    action: str, adjustment: RolloverAdjustment, by: User | None, at: datetime.datetime, **details: Any
) -> None:
    record(action, adjustment.run, by, at, adjustment=adjustment.pk, **details)
