"""The rehearsal of a rollover on the live data, without effect: range after range, so that five million accounts take
little memory, no long transaction, and can be watched. How far it is stands on the run; a killed worker loses nothing.
"""

import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import clock
from accounts.models import User
from settlements.actions.rollover_run import boundary_of, clock_day, locked, must_be, record
from settlements.enums import RunState
from settlements.ledger import control
from settlements.models import RolloverRun

STATES = [RunState.PLANNED, RunState.REHEARSED]
# Ids a step: a second or so, during which nobody can change the plan.
IDS_A_STEP = 100_000
# Of each kind of odd account so many are named; the count is of all.
NAMED = 20


def rehearse(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Rehearse here and now, to the end. Raises Refused: run_state."""
    run = begin(run=run, by=by, at=at)
    while step(run_id=run.pk, at=at):
        pass
    run.refresh_from_db()
    return run


def start(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Begin, and do the first range at once: for a small region that is all. Raises Refused: run_state."""
    run = begin(run=run, by=by, at=at)
    step(run_id=run.pk, at=at)
    run.refresh_from_db()
    return run


def begin(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Begin to work out, without writing to any account, what the run would come to today; `step` does the work.

    Raises Refused: run_state.
    """
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, STATES)
        run.state, run.rehearsed_at = RunState.PLANNED, None
        run.rehearsal = {
            "after": 0,
            "last": control.last_account(),
            "by": by.pk if by else None,
            "begun_at": (at or clock.now()).isoformat(),
            "totals": plain_part(control.Part()),
            "odd": {},
            "named": {},
        }
        run.save()
    return run


def step(*, run_id: int, at: datetime.datetime | None = None) -> bool:
    """Work out the next range of accounts and keep the sums; whether there is more to do.

    Does nothing where no rehearsal is under way: it is at its end, or was taken back by a new plan.
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run_id)
        if not is_under_way(run):
            return False
        after = run.rehearsal["after"]
        upto = after + IDS_A_STEP
        _add_range(run, after + 1, upto, at)
        run.rehearsal["after"] = upto
        if upto >= run.rehearsal["last"]:
            _finish(run, at)
        run.save()
    return is_under_way(run)


def is_under_way(run: RolloverRun) -> bool:
    """Whether a rehearsal has begun and is not at its end."""
    return run.state == RunState.PLANNED and "after" in run.rehearsal


def percent(run: RolloverRun) -> int:
    """How far a rehearsal under way is."""
    last = run.rehearsal["last"]
    return min(run.rehearsal["after"] * 100 // last, 100) if last else 100


def plain_part(part: control.Part) -> dict[str, Any]:
    """Sums as they are kept on a run: amounts as text of yuan."""
    return {name: value if isinstance(value, int) else f"{value:.2f}" for name, value in vars(part).items()}


def _add_range(run: RolloverRun, first: int, last: int, at: datetime.datetime) -> None:
    boundary = boundary_of(run)
    if boundary is None or run.current_rate is None or run.historical_rate is None:
        return
    part = control.rehearse(
        region_id=run.region_id,
        year=run.year,
        boundary=boundary,
        rates=(run.current_rate, run.historical_rate),
        first_id=first,
        last_id=last,
    )
    totals = run.rehearsal["totals"]
    for name, value in vars(part).items():
        totals[name] = totals[name] + value if isinstance(value, int) else f"{Decimal(totals[name]) + value:.2f}"
    odd = control.odd_accounts(
        region_id=run.region_id,
        year=run.year,
        boundary=boundary,
        on=clock_day(at),
        first_id=first,
        last_id=last,
        named=NAMED,
    )
    for kind, (count, ids) in odd.items():
        run.rehearsal["odd"][kind] = run.rehearsal["odd"].get(kind, 0) + count
        run.rehearsal["named"][kind] = (run.rehearsal["named"].get(kind, []) + ids)[:NAMED]


def _finish(run: RolloverRun, at: datetime.datetime) -> None:
    """The result without what only the work needed."""
    by = User.objects.filter(pk=run.rehearsal.pop("by")).first()
    for name in ("after", "last"):
        del run.rehearsal[name]
    rates, starts = control.years_missing(region_id=run.region_id, year=run.year)
    run.rehearsal |= {"years_without_rate": rates, "years_without_start": starts}
    run.state, run.rehearsed_at = RunState.REHEARSED, at
    record("rollover.rehearse", run, by, at, **run.rehearsal["totals"])
