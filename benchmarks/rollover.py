"""1 and 5: the year end of very many accounts by the product, Celery included, against bare SQL."""

import datetime
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import psycopg
from django.conf import settings
from django.db import connection, transaction

from accounts.clock import now
from accounts.money import fen
from benchmarks import measure, places, processes, world
from benchmarks.measure import Line
from settlements import tasks
from settlements.actions import rollover, rollover_work
from settlements.enums import RunState
from settlements.models import Entry, LedgerTransaction, PersonalAccount, RolloverRun

PATIENCE = 1800.0
# The rows that the product writes, by the shortest way: arithmetic written out, one statement a chunk, nobody asks
# who holds a row, nothing is claimed, summed or reported.
BARE = """
WITH moved AS (
    UPDATE settlements_personalaccount SET
        benefit_year = benefit_year + 1, current = 0,
        historical = historical + current + round((
            (current_products + current * (%(boundary)s - products_on)) * %(current_rate)s
            + (historical_products + historical * (%(boundary)s - products_on)) * %(historical_rate)s) / 36000, 2),
        version = version + 2, current_products = 0, historical_products = 0, products_on = %(boundary)s
    WHERE region_id = %(region)s AND id BETWEEN %(first)s AND %(last)s AND benefit_year = %(year)s
    RETURNING id, old.version, old.current, old.historical, new.historical AS after,
        old.current_products + old.current * (%(boundary)s - old.products_on) AS current_products,
        old.historical_products + old.historical * (%(boundary)s - old.products_on) AS historical_products
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    VALUES ('rollover', %(boundary)s, now(), %(region)s, 'bare', %(first)s, '', '{}', '') RETURNING id
)
INSERT INTO settlements_entry
    (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta,
     debt_delta, current_after, historical_after, debt_after, contra, contra_id, current_products, historical_products)
SELECT moved.id, version + 1, cause.id, 'rollover', %(boundary)s, %(year)s, -current, current, 0,
    0, historical + current, 0, '', NULL::bigint, current_products, historical_products FROM moved, cause
UNION ALL
SELECT moved.id, version + 2, cause.id, 'interest', %(boundary)s, %(year)s + 1, 0, after - historical - current, 0,
    0, after, 0, 'interest', %(run)s, NULL, NULL FROM moved, cause
"""


@dataclass(frozen=True)
class Pass:
    """One year end by the product: seconds to the last account, to the agreed count, and of a second run of the batch
    after that; the largest worker's MB."""

    rolled: float
    reconciled: float
    again: float
    memory: float


def measure_rollover() -> Iterator[Line]:
    """The product against bare SQL, turn by turn, and against a loop over the ORM."""
    ours, bare = [], []
    for _round in range(measure.ROUNDS):
        ours.append(by_product(measure.MANY))
        books = _sum()
        bare.append(by_bare_sql(measure.MANY))
        if books != _sum():
            raise RuntimeError("bare SQL and the product do not come to the same books")
    rolled, plain = measure.median([one.rolled for one in ours]), measure.median(bare)
    yield Line("rollover", f"product, {measure.MANY:,} accounts", rolled, "s")
    yield Line("rollover", "  until counted twice and agreed", measure.median([one.reconciled for one in ours]), "s")
    yield Line("rollover", "bare SQL, same rows, same connections", plain, "s")
    ratios = [theirs / one.rolled for one, theirs in zip(ours, bare, strict=True)]
    yield Line("rollover", "bare SQL / product", measure.median(ratios), "", least=0.9)
    again = measure.median([one.again for one in ours]) / rolled
    yield Line("rollover", "a second run of the batch / the first", again, "", most=0.01)
    loop = by_orm()
    yield Line("rollover", "product", measure.MANY / rolled, "accounts/s")
    yield Line("rollover", f"ORM loop, {measure.ORM_ACCOUNTS:,} accounts", loop, "accounts/s")


def measure_memory() -> Iterator[Line]:
    """The largest worker process at two sizes."""
    few = by_product(measure.ACCOUNTS).memory
    many = by_product(measure.MANY).memory
    yield Line("memory", f"largest worker, {measure.ACCOUNTS:,} accounts", few, "MB")
    yield Line("memory", f"largest worker, {measure.MANY:,} accounts", many, "MB")
    yield Line("memory", f"{measure.MANY:,} accounts against {measure.ACCOUNTS:,}", many / few, "x", most=measure.FLAT)


def by_product(accounts: int) -> Pass:
    """Begin a run and let Celery work until it has agreed with the books."""
    world.fresh(accounts)
    with processes.celery(settings.ROLLOVER_WORKERS) as worker, processes.peak_memory(worker) as peak:
        begun = time.monotonic()
        run = rollover.begin(run=world.run())
        tasks.ring(run.pk)
        processes.until(lambda: not run.chunks.filter(done=False).exists(), PATIENCE, 0.02)
        rolled = time.monotonic() - begun
        processes.until(lambda: RolloverRun.objects.get(pk=run.pk).state == RunState.RECONCILED, PATIENCE, 0.02)
        return Pass(rolled, time.monotonic() - begun, _again(run), peak())


def _again(run: RolloverRun) -> float:
    """Seconds of all that the batch does when it is run once more, as after a bell that rang twice or a count undone."""
    RolloverRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING)
    begun = time.monotonic()
    rollover.begin(run=run)
    outcome = rollover_work.work(run_id=run.pk, seconds=PATIENCE)
    taken = time.monotonic() - begun
    if outcome != rollover_work.Outcome.FINISHED:
        raise RuntimeError(f"the second run found something to do: {outcome}")
    return taken


def by_bare_sql(accounts: int) -> float:
    """The same chunks in as many connections; seconds."""
    world.fresh(accounts)
    run = rollover.begin(run=world.run())
    todo: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    for first, last in run.chunks.values_list("first_id", "last_id"):
        todo.put((first, last))
    known = {
        "region": run.region_id, "year": run.year, "boundary": world.boundary(), "run": run.pk,
        "current_rate": run.current_rate, "historical_rate": run.historical_rate,
    }  # fmt: skip

    def work() -> None:
        with psycopg.connect(places.address(places.NAME), autocommit=True) as own:
            while True:
                try:
                    first, last = todo.get_nowait()
                except queue.Empty:
                    return
                own.execute(BARE, known | {"first": first, "last": last})

    threads = [threading.Thread(target=work) for _ in range(settings.ROLLOVER_WORKERS)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun


def _sum() -> tuple[Decimal, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT sum(historical) FROM settlements_personalaccount), (SELECT count(*) FROM settlements_entry)"
        )
        return cursor.fetchone()


def by_orm() -> float:
    """One account after the other, as it is usually written; accounts a second."""
    world.fresh(measure.ACCOUNTS)
    run, boundary = world.run(), world.boundary()
    ids = list(PersonalAccount.objects.order_by("pk").values_list("pk", flat=True)[: measure.ORM_ACCOUNTS])
    begun = time.monotonic()
    for pk in ids:
        with transaction.atomic():
            _roll_one(PersonalAccount.objects.select_for_update().get(pk=pk), run, boundary)
    return len(ids) / (time.monotonic() - begun)


def _roll_one(account: PersonalAccount, run: RolloverRun, boundary: datetime.date) -> None:
    days = (boundary - account.products_on).days
    products = (
        account.current_products + account.current * days,
        account.historical_products + account.historical * days,
    )
    gain = fen((products[0] * run.current_rate + products[1] * run.historical_rate) / 36000)
    moved, year = account.current, account.benefit_year
    account.current, account.historical, account.benefit_year = Decimal(0), account.historical + moved, year + 1
    account.current_products = account.historical_products = Decimal(0)
    account.products_on = boundary
    cause = LedgerTransaction.objects.create(
        kind="rollover", business_date=boundary, recorded_at=now(), region=run.region, scope="orm", key=account.pk,
        answer={},
    )  # fmt: skip
    steps = [("rollover", year, -moved, moved, "", products), ("interest", year + 1, 0, gain, "interest", (None, None))]
    for kind, of, current, historical, contra, (current_products, historical_products) in steps:
        account.version += 1
        account.historical += gain if kind == "interest" else 0
        Entry.objects.create(
            account=account, version=account.version, transaction=cause, kind=kind, business_date=boundary,
            benefit_year=of, current_delta=current, historical_delta=historical, current_after=0,
            historical_after=account.historical, contra=contra, current_products=current_products,
            historical_products=historical_products,
        )  # fmt: skip
    account.save()
