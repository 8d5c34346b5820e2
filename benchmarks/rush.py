"""6: the night of the year end at full size. Workers roll while several clients settle bills as fast as they can.

How long the slowest settlement took, and whether anything is wrong: each client keeps its own log of what it was told,
the end of every account it touched is worked out by hand from before the rollover, and the ledger is checked.
"""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction

from accounts.clock import today
from accounts.models import Institution, Member
from benchmarks import measure, processes, world
from benchmarks.measure import Line
from benchmarks.switch import by_hand
from portal.seeding import workers
from settlements import tasks
from settlements.actions import care, rollover
from settlements.enums import RunState
from settlements.ledger.checks import CHECKS, run_checks
from settlements.models import PersonalAccount, RolloverRun, Settlement

PRICES = [Decimal("38.50"), Decimal("126.00"), Decimal("860.00"), Decimal("1430.00")]
SLOW_MS = 250
# A statement takes 65,535 parameters at most.
PATIENTS = 60_000
# Those of a check of the ledger that a rollover or a settlement beside it could break.
CHECKED = {
    "money is conserved: accounts = sum by contra",
    "an account's row is its last entry",
    "a year of an account is closed once",
    "chunks add up with their entries",
    "a chunk that is done left nobody behind",
}
# What the clients are to do. Without a lock: one that dies must not hold it.
WAIT, SETTLE, OVER = range(3)
_stage = multiprocessing.RawValue("b", WAIT)


@dataclass(frozen=True)
class Told:
    """What a client was answered: whose bill, by which key, what the account paid, how long it took."""

    account: int
    key: str
    paid: Decimal
    milliseconds: float


def measure_rush() -> Iterator[Line]:
    """One year end with settlements beside it."""
    world.fresh(measure.RUSH)
    parts, expected = _patients()
    _stage.value = WAIT
    workers.close_connections()
    # Clients are forked first, from a process without threads.
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("fork")) as executor:
        clients = [executor.submit(_settle, number, part) for number, part in enumerate(parts)]
        try:
            with processes.celery(settings.ROLLOVER_WORKERS) as worker, processes.peak_memory(worker) as peak:
                rolled, reconciled = _roll()
                memory = peak()
        finally:
            _stage.value = OVER
        logs = [client.result() for client in clients]
    told = [answer for log in logs for answer in log]
    took = sorted(answer.milliseconds for answer in told)
    yield Line("rush", f"{measure.RUSH:,} accounts rolled", rolled, "s")
    yield Line("rush", "  until counted twice and agreed", reconciled, "s")
    yield Line("rush", "largest worker", memory, "MB")
    yield Line(
        "rush", f"settlements by {len(parts)} clients", len(told) / (processes.HEAD_START + reconciled), "a second"
    )
    yield Line("rush", "settlement, median", took[len(took) // 2], "ms")
    yield Line("rush", "settlement, p99", took[int(len(took) * 0.99)], "ms")
    yield Line("rush", "settlement, slowest", took[-1], "ms", most=SLOW_MS)
    yield Line("rush", f"settlements above {SLOW_MS} ms", sum(one > SLOW_MS for one in took), "of them")
    yield Line("rush", "wrong", _wrong(told, expected), "", most=0)


def _patients() -> tuple[list[list[tuple[int, int]]], dict[int, Decimal]]:
    """(account, member) for each client, nobody twice; and what each account holds once rolled, worked out by hand."""
    run, boundary = world.run(), world.boundary()
    chosen = world.some_accounts(min(measure.RUSH // 2, PATIENTS), seed=2)
    expected = {account.pk: by_hand(account, run, boundary) for account in chosen}
    pairs = [(account.pk, account.member_id) for account in chosen]
    return [pairs[number :: measure.RUSH_CLIENTS] for number in range(measure.RUSH_CLIENTS)], expected


def _settle(number: int, patients: Sequence[tuple[int, int]]) -> list[Told]:
    """One client: a bill for one patient after the other, until the rollover is over."""
    institution = Institution.objects.get(code="H31010100001")
    on, log = today(), []
    while _stage.value == WAIT:
        time.sleep(0.05)
    while _stage.value == SETTLE:
        account, member = patients[len(log) % len(patients)]
        bill = care.Bill(kind="outpatient", level=institution.level, in_scope=PRICES[len(log) % len(PRICES)])
        key = f"rush-{number}-{len(log)}"
        begun = time.perf_counter()
        settled = care.settle(patient=Member(pk=member), institution=institution, bill=bill, on=on, key=key)
        taken = (time.perf_counter() - begun) * 1000
        log.append(Told(account, key, settled.own_current + settled.own_historical, taken))
    return log


def _roll() -> tuple[float, float]:
    """Seconds until the last account is rolled, and until both counts agree."""
    _stage.value = SETTLE
    time.sleep(processes.HEAD_START)
    begun = time.monotonic()
    run = rollover.begin(run=world.run())
    tasks.ring(run.pk)
    processes.until(lambda: not run.chunks.filter(done=False).exists(), measure.RUSH_PATIENCE)
    rolled = time.monotonic() - begun
    processes.until(lambda: RolloverRun.objects.get(pk=run.pk).state == RunState.RECONCILED, measure.RUSH_PATIENCE)
    return rolled, time.monotonic() - begun


def _wrong(told: Sequence[Told], expected: dict[int, Decimal]) -> int:
    """Answers that are not in the books, accounts that do not hold what they should, checks that complain."""
    left = dict(expected)
    for answer in told:
        left[answer.account] -= answer.paid
    touched = {answer.account for answer in told}
    rows = PersonalAccount.objects.filter(pk__in=touched).values_list("pk", "current", "historical")
    accounts = sum((current, historical) != (0, left[pk]) for pk, current, historical in rows)
    found = set(
        Settlement.objects.filter(transaction__key__startswith="rush-").values_list("transaction__key", flat=True)
    )
    answers = len(found ^ {answer.key for answer in told})
    with transaction.atomic():
        checks = sum(
            finding.count for finding in run_checks(today(), [check for check in CHECKS if check.name in CHECKED])
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlements_personalaccount WHERE benefit_year <= %s", [world.year()])
        behind = cursor.fetchone()[0]
    return accounts + answers + checks + behind
