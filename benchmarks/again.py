"""8: a batch that is run once more finds nothing to do: its second run against its first, batch after batch."""

import datetime
import time
from collections.abc import Callable, Iterator
from typing import Any

from accounts.clock import now, today
from accounts.models import Member, Region
from benchmarks import files, measure, processes, world
from benchmarks.measure import Line
from portal.seeding.cases import at
from settlements.actions import (
    catalogue,
    clearing,
    contributions,
    credit_runs,
    premiums,
    rehearsal,
    rollover,
    rollover_work,
)
from settlements.enums import CreditState, OrderState
from settlements.models import CatalogueFile, CatalogueItem, ContributionFile, CreditRun, PremiumOrder, RolloverRun

SECONDS = 3600
DAY = datetime.timedelta(days=1)


def measure_again() -> Iterator[Line]:
    """The year's batches of one region, in the order in which they come, each twice."""
    # Beijing's year is the calendar's: in its last month the accounts are opened.
    boundary = files.opened()
    opened = (boundary - DAY).replace(day=1)
    world.people(measure.AGAIN, files.BEIJING, opened)
    region = Region.objects.get(pk=files.BEIJING)
    yield from _twice("a month's credit", lambda: _credit(region, boundary - DAY))
    run = _released(region, boundary)
    yield from _twice("rollover", lambda: _roll(run))
    rollover.finish(run=RolloverRun.objects.get(pk=run.pk))
    file = _uploaded(region, opened)
    yield from _twice("contribution file read", lambda: contributions.read(file_id=file.pk))
    yield from _twice("contribution file posted", lambda: _post(file))
    cleared = clearing.plan(region=region, year=run.year, by=files.somebody("plans"))
    yield from _twice("clearing of a year", lambda: _clear(cleared))
    _orders()
    yield from _twice(f"premiums collected, {measure.ORDERS:,}", lambda: premiums.collect(at=now()), measure.ORDERS)
    CatalogueItem.objects.filter(region=region).delete()
    released = files.released_catalogue(measure.CODES, today() + DAY)
    yield from _twice("catalogue brought in", lambda: _bring_in(released), measure.CODES)


def _twice(what: str, work: Callable[[], Any], count: int = measure.AGAIN) -> Iterator[Line]:
    """Seconds and seconds of processors (client and server) of both runs."""
    busy = processes.processor_time()
    took = []
    for _run in range(2):
        begun, used = time.monotonic(), busy()
        work()
        took.append((time.monotonic() - begun, busy() - used))
    (first, first_used), (second, second_used) = took
    yield Line("again", f"{what}, {count:,}" if "," not in what else what, first, "s")
    yield Line("again", "  of processors", first_used, "s")
    yield Line("again", "  a second time", second * 1000, "ms")
    yield Line("again", "  second / first", second / first, "", most=0.01)
    yield Line("again", "  second / first, of processors", second_used / first_used, "")


def _credit(region: Region, on: datetime.date) -> None:
    run = credit_runs.begin(region=region, every="month", on=on)
    if run is not None:
        _until_done(run)


def _until_done(run: CreditRun) -> None:
    while credit_runs.work(run_id=run.pk, seconds=SECONDS) == credit_runs.Outcome.AGAIN:
        pass
    if CreditRun.objects.get(pk=run.pk).state != CreditState.DONE:
        raise RuntimeError(f"{run} was not done")


def _released(region: Region, boundary: datetime.date) -> RolloverRun:
    before = boundary - 20 * DAY
    rates = dict(zip(("current_rate", "historical_rate"), world.RATES, strict=True))
    run = rollover.plan(region=region, year=boundary.year - 1, by=None, at=at(before, 9), **rates)
    run = rehearsal.rehearse(run=run, by=None, at=at(before, 10))
    return rollover.release(run=run, by=None, at=at(before, 11))


def _roll(run: RolloverRun) -> None:
    rollover.begin(run=run)
    if rollover_work.work(run_id=run.pk, seconds=SECONDS) != rollover_work.Outcome.FINISHED:
        raise RuntimeError(f"{run} was not done")


def _uploaded(region: Region, opened: datetime.date) -> ContributionFile:
    month = files.last_month()
    content = files.csv_of(files.rows_of(measure.AGAIN, month, opened))
    return contributions.receive(
        region=region, month=month, name="bench", content=content, by=files.somebody("uploads")
    )


def _post(file: ContributionFile) -> None:
    run = CreditRun.objects.filter(file=file).first()
    if run is None:
        file = ContributionFile.objects.defer("content").get(pk=file.pk)
        run = contributions.release(file=file, by=files.somebody("releases"))
    _until_done(run)


def _clear(run: CreditRun) -> None:
    if CreditRun.objects.get(pk=run.pk).state == CreditState.PLANNED:
        credit_runs.release(run=run, by=files.somebody("releases"))
    _until_done(run)


def _orders() -> None:
    """Premiums that people pay for themselves, due today."""
    window = {"year": today().year + 1, "insurance": "resident", "benefit_from": today().replace(month=12, day=31)}
    people = list(Member.objects.order_by("pk")[: measure.ORDERS])
    PremiumOrder.objects.bulk_create(
        PremiumOrder(
            payer=member, insured=member, region_id=files.BEIJING, amount=400, buckets=["historical"], ordered_at=now(),
            due_on=today(), state=OrderState.WAITING, **window,
        )
        for member in people
    )  # fmt: skip


def _bring_in(file: CatalogueFile) -> None:
    catalogue.bring_in(file_id=file.pk)
