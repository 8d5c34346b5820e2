"""Year-end rollover: one person plans, another releases, the batch works, a person closes what agrees to the fen.

The year itself ends by its date, whatever happens here: see ledger/rolling.py.
"""

import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import clock
from accounts.errors import Refused
from accounts.models import Region, User
from accounts.money import ZERO, plain
from settlements.actions.rehearsal import plain_part
from settlements.actions.rollover_run import boundary_of, clock_day, locked, must_be, record
from settlements.enums import RunState
from settlements.ledger import control
from settlements.models import RolloverRun

BEFORE_RELEASE = [RunState.OPENED, RunState.PLANNED, RunState.REHEARSED]
RATE_LIMIT = Decimal(20)


def open_ahead(*, region: Region, year: int, at: datetime.datetime | None = None) -> RolloverRun | None:
    """The system opens the closing of a year ahead of its end; it waits for rates and release by people.

    None if there is one already. Nobody has planned it: whoever gives the rates by `plan` becomes the planner.
    """
    at = at or clock.now()
    with transaction.atomic():
        # Two beats at once: the second finds the row of the first, or waits for it at the unique constraint.
        run, is_new = RolloverRun.objects.exclude(state=RunState.CANCELLED).get_or_create(
            region=region, year=year, defaults={"state": RunState.OPENED, "planned_at": at}
        )
        if is_new:
            record("rollover.open", run, None, at)
    return run if is_new else None


def plan(
    *,
    region: Region,
    year: int,
    current_rate: Decimal | None,
    historical_rate: Decimal | None,
    by: User | None,
    at: datetime.datetime | None = None,
) -> RolloverRun:
    """Plan the closing of a benefit year; rates in percent a year.

    Planning it again before the release changes the rates and takes back the rehearsal. Raises Refused: rate_missing,
    run_state (released already).
    """
    at = at or clock.now()
    if not all(rate is not None and 0 <= rate < RATE_LIMIT for rate in (current_rate, historical_rate)):
        raise Refused("rate_missing", year=year)
    with transaction.atomic():
        run = (
            RolloverRun.objects.select_for_update(no_key=True)
            .filter(region=region, year=year)
            .exclude(state=RunState.CANCELLED)
            .first()
        ) or RolloverRun(region=region, year=year)
        if run.state not in BEFORE_RELEASE:
            raise Refused("run_state", state=str(run.state), why="planning")
        run.current_rate, run.historical_rate = current_rate, historical_rate
        run.planned_by, run.planned_at = by, at
        run.state, run.rehearsal, run.rehearsed_at = RunState.PLANNED, {}, None
        run.save()
        record("rollover.plan", run, by, at, current_rate=str(current_rate), historical_rate=str(historical_rate))
    return run


def release(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Let the run's rates count: from now on whoever is rolled over gets its interest. Before the boundary, ideally.

    Raises Refused: run_state (it must have been rehearsed), same_person, rate_missing, year_missing (with `year`).
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.REHEARSED])
        if by is not None and by.pk == run.planned_by_id:
            # The bare code speaks of sharing an account with oneself.
            raise Refused("same_person", why="planned")
        rates, starts = control.years_missing(region_id=run.region_id, year=run.year)
        if starts:
            raise Refused("year_missing", year=starts[0])
        if rates:
            raise Refused("rate_missing", year=rates[0])
        run.state, run.released_by, run.released_at = RunState.RELEASED, by, at
        run.save()
        record("rollover.release", run, by, at)
    return run


def begin(*, run: RolloverRun, by: User | None = None, at: datetime.datetime | None = None) -> RolloverRun:
    """Plan the chunks, once, and let the batch work. Beginning a run that has begun changes nothing.

    Raises Refused: run_state, year_not_over (with `boundary_on`).
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        if run.state == RunState.RUNNING:
            return run
        must_be(run, [RunState.RELEASED])
        boundary = boundary_of(run)
        if boundary is None or clock_day(at) < boundary:
            raise Refused("year_not_over", boundary_on=str(boundary) if boundary else None)
        control.plan_chunks(
            run_id=run.pk, region_id=run.region_id, boundary=boundary, size=settings.ROLLOVER_CHUNK_SIZE
        )
        run.state, run.started_at, run.resumed_at = RunState.RUNNING, at, at
        run.save()
        record("rollover.begin", run, by, at, chunks=run.chunks.count())
    return run


def pause(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Stop after the chunks that are being worked on. Reads and movements go on. Raises Refused: run_state."""
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.RUNNING])
        _stop_the_watch(run, at)
        run.state = RunState.PAUSED
        run.save()
        record("rollover.pause", run, by, at)
    return run


def resume(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Go on where it stopped. Raises Refused: run_state."""
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.PAUSED])
        run.state, run.resumed_at = RunState.RUNNING, at
        run.save()
        record("rollover.resume", run, by, at)
    return run


def cancel(*, run: RolloverRun, by: User | None, at: datetime.datetime | None = None) -> RolloverRun:
    """Take a run back. A released one only before the boundary: after it accounts roll with its rates.

    Raises Refused: run_state, year_over.
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.PLANNED, RunState.REHEARSED, RunState.RELEASED])
        boundary = boundary_of(run)
        if run.state == RunState.RELEASED and boundary is not None and clock_day(at) >= boundary:
            raise Refused("year_over", boundary_on=str(boundary))
        run.state = RunState.CANCELLED
        run.save()
        record("rollover.cancel", run, by, at)
    return run


def reconcile(*, run: RolloverRun, by: User | None = None, at: datetime.datetime | None = None) -> RolloverRun:
    """Count the closed year two ways and keep both; reconciled if nobody stayed behind and they agree to the fen.

    Who stayed behind puts his chunk back to work. Raises Refused: run_state, not_finished (chunks are still open).
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.RUNNING, RunState.PAUSED, RunState.RECONCILED])
        left = run.chunks.filter(done=False).count()
        if left:
            raise Refused("not_finished", chunks=left)
        _count(run, at)
        record("rollover.reconcile", run, by, at, agrees=run.totals["agrees"])
    return run


def close(*, run: RolloverRun, by: User, at: datetime.datetime | None = None) -> RolloverRun:
    """Close the run for good, after counting once more; by somebody other than its planner (decision 0015).

    Raises Refused: run_state, same_person, totals_differ.
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.RECONCILED])
        if by.pk == run.planned_by_id:
            raise Refused("same_person", why="closing")
        _count(run, at)
        agrees = run.state == RunState.RECONCILED
        if agrees:
            run.state, run.closed_by, run.closed_at = RunState.CLOSED, by, at
            run.save()
            record("rollover.close", run, by, at)
    # Outside, so that the fresh count is kept: it is what the reader needs to see now.
    if not agrees:
        raise Refused("totals_differ")
    return run


def post_missing_interest(
    *, run: RolloverRun, by: User | None = None, at: datetime.datetime | None = None
) -> tuple[int, Decimal]:
    """Post the interest of accounts that were rolled over before the run was released: (accounts, yuan).

    From the products kept on their rollover entries; chunk by chunk, and a second call posts nothing. Raises Refused:
    run_state.
    """
    at = at or clock.now()
    must_be(run, [RunState.RUNNING, RunState.PAUSED, RunState.RECONCILED])
    accounts, interest = 0, ZERO
    for chunk in run.chunks.all():
        count, amount = control.post_interest(
            run_id=run.pk,
            region_id=run.region_id,
            year=run.year,
            rates=(run.current_rate, run.historical_rate),
            first_id=chunk.first_id,
            last_id=chunk.last_id,
            on=clock_day(at),
            key=f"{run.pk}:{chunk.number}:{run.current_rate}:{run.historical_rate}",
        )
        accounts, interest = accounts + count, interest + amount
    if accounts:
        record("rollover.post_interest", run, by, at, accounts=accounts, interest=plain(interest))
    return accounts, interest


def finish(*, run: RolloverRun, at: datetime.datetime | None = None) -> RolloverRun:
    """When the last chunk is done: stop the watch, post interest that came too late, count. Safe to call again.

    Raises Refused: run_state, not_finished.
    """
    at = at or clock.now()
    with transaction.atomic():
        run = locked(run.pk)
        must_be(run, [RunState.RUNNING])
        if run.chunks.filter(done=False).exists():
            raise Refused("not_finished")
        boundary = boundary_of(run)
    # A release stamped just before the boundary may have committed after it; looking once more posts nothing twice.
    if boundary and run.released_at and clock_day(run.released_at + datetime.timedelta(hours=1)) >= boundary:
        post_missing_interest(run=run, at=at)
    return reconcile(run=run, at=at)


def _stop_the_watch(run: RolloverRun, at: datetime.datetime) -> None:
    if run.resumed_at:
        run.worked_seconds += max((at - run.resumed_at).total_seconds(), 0)
        run.resumed_at = None


def _count(run: RolloverRun, at: datetime.datetime) -> None:
    """Count, keep the result, and set the state by it."""
    books = _books(run)
    run.totals, run.resting_ms = totals_of(run, books), 0
    if books.left_behind:
        control.reopen_chunks(run_id=run.pk, region_id=run.region_id, year=run.year)
        run.state, run.resumed_at = RunState.RUNNING, run.resumed_at or at
    else:
        _stop_the_watch(run, at)
        run.finished_at = run.finished_at or at
        run.state = RunState.RECONCILED if run.totals["agrees"] else RunState.PAUSED
    run.save()


def count_again(run: RolloverRun) -> None:
    """Count a year whose interest was corrected and keep the totals; its state stays what it was."""
    run.totals = totals_of(run, _books(run))
    run.save()


def _books(run: RolloverRun) -> control.Books:
    return control.count_books(
        run_id=run.pk,
        region_id=run.region_id,
        year=run.year,
        current_rate=run.current_rate,
        historical_rate=run.historical_rate,
    )


def totals_of(run: RolloverRun, books: control.Books) -> dict[str, Any]:
    """Control totals and the two ways of counting, as kept on the run: amounts as text of yuan.

    `lines`: name, as the run counted it, as the books show it. `agrees`: no line differs and nobody stayed behind.
    """
    chunks = [chunk for chunk in run.chunks.all() if chunk.accounts]
    counted = {
        name: sum((getattr(chunk, name) for chunk in chunks), ZERO) + getattr(books.otherwise, name)
        for name in ("moved", "netted", "interest")
    }
    accounts = sum(chunk.accounts for chunk in chunks) + books.otherwise.accounts
    before = books.batch.historical_before + books.otherwise.historical_before
    lines = [
        ("accounts", accounts, books.accounts_of_year),
        ("moved", counted["moved"], books.current_of_year),
        ("netted", counted["netted"], books.batch.netted + books.otherwise.netted),
        ("interest", counted["interest"] + books.late_interest, books.gain),
        (
            "historical_after",
            before + counted["moved"] - counted["netted"] + counted["interest"],
            books.batch.historical_after + books.otherwise.historical_after,
        ),
    ]
    return {
        "batch": plain_part(books.batch),
        "otherwise": plain_part(books.otherwise),
        "late_interest": plain(books.late_interest),
        "left_behind": books.left_behind,
        "lines": [{"name": name, "run": _text(run_), "books": _text(books_)} for name, run_, books_ in lines],
        "agrees": not books.left_behind and all(run_ == books_ for _, run_, books_ in lines),
    }


def _text(value: Decimal | int) -> str | int:
    return value if isinstance(value, int) else plain(value)
