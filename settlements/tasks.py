"""Celery rings the bell; what is to do, and how far it is, stands in the database. A task may be lost or come twice."""

import logging
import time

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts import clock
from accounts.errors import Refused
from accounts.models import Region
from settlements.actions import (
    adjusting,
    catalogue,
    contributions,
    credit_runs,
    payouts,
    premiums,
    rehearsal,
    rollover,
    rollover_watch,
    rollover_work,
    trials,
    wallet,
)
from settlements.actions.rollover_work import Outcome
from settlements.enums import CreditState, FileState, RunState, TrialState
from settlements.ledger.checks import CHECKS, run_checks
from settlements.models import CatalogueFile, ContributionFile, CreditRun, PersonalAccount, RolloverRun, Trial
from settlements.queries import rollover as rollover_queries

log = logging.getLogger(__name__)

# Seconds until the next knock where movements hold what is left.
WAIT = 2


def ring(run_id: int) -> None:
    """Call as many workers to a run as may work on it; too many go home at once. A bell out of order is no error."""
    for _ in range(settings.ROLLOVER_WORKERS):
        _call(work_rollover, run_id)


def ring_rehearsal(run_id: int) -> None:
    """Call a worker to a rehearsal; the sweeper calls again if nobody came."""
    _call(rehearse_rollover, run_id)


def ring_adjustment(adjustment_id: int) -> None:
    """Call workers to the correction of a run."""
    for _ in range(settings.ROLLOVER_WORKERS):
        _call(work_adjustment, adjustment_id)


def _call(task: Task, pk: int) -> None:
    try:
        task.delay(pk)
    except OperationalError:
        log.warning("%s %s: nobody could be called; the sweeper rings again within a minute", task.name, pk)


@shared_task(ignore_result=True)
def rehearse_rollover(run_id: int) -> None:
    """Go on with a rehearsal for a while, then ring again. Two at once take turns: each step holds the run."""
    end = time.monotonic() + settings.ROLLOVER_SECONDS
    while rehearsal.step(run_id=run_id):
        if time.monotonic() > end:
            rehearse_rollover.delay(run_id)
            return


@shared_task(ignore_result=True)
def work_adjustment(adjustment_id: int) -> None:
    """Count or post the correction of a run for a while, then ring again."""
    if adjusting.work(adjustment_id=adjustment_id, seconds=settings.ROLLOVER_SECONDS):
        work_adjustment.delay(adjustment_id)


@shared_task(ignore_result=True)
def work_rollover(run_id: int) -> None:
    """Work on a run for a while, then ring again: a task stays far below the broker's visibility timeout."""
    outcome = rollover_work.work(run_id=run_id, seconds=settings.ROLLOVER_SECONDS)
    if outcome == Outcome.AGAIN:
        work_rollover.delay(run_id)
    elif outcome == Outcome.WAIT:
        work_rollover.apply_async([run_id], countdown=WAIT)
    elif outcome == Outcome.FINISHED:
        finish_rollover.delay(run_id)


@shared_task(ignore_result=True)
def finish_rollover(run_id: int) -> None:
    """Count a run whose last chunk is done; while another worker counts it, go home."""
    with rollover_work.to_count(run_id) as free:
        if not free:
            return
        try:
            run = rollover.finish(run=RolloverRun.objects.get(pk=run_id))
        except Refused as refusal:
            # The worker of another last chunk was here first, or somebody pressed pause.
            log.info("run %s not finished: %s", run_id, refusal.code)
            return
    if run.state == RunState.RUNNING:
        ring(run_id)


@shared_task(ignore_result=True)
def open_due_runs() -> None:
    """Begin released runs whose boundary has come, and ring for the running ones: the sweeper for every lost bell."""
    now = clock.now()
    for run in rollover_queries.due_runs(rollover.clock_day(now)):
        rollover.begin(run=run, at=now)
    for run in RolloverRun.objects.filter(state=RunState.RUNNING):
        ring(run.pk)
    for run in rollover_queries.rehearsals_under_way():
        ring_rehearsal(run.pk)
    for adjustment in adjusting.at_work():
        ring_adjustment(adjustment.pk)


@shared_task(ignore_result=True)
def open_coming_runs() -> None:
    """Open rollovers a month ahead; they wait for rates and release by people."""
    for run in rollover_watch.open_coming(at=clock.now()):
        log.info("rollover %s opened: it waits for its rates", run)


@shared_task(ignore_result=True)
def watch_runs() -> None:
    """The alarm when a rollover stands still, once, and its end when it moves again."""
    for run in rollover_queries.runs_to_watch():
        changed = rollover_watch.watch(run_id=run.pk, at=clock.now())
        if changed and changed.stalled_at:
            log.error("rollover %s: no chunk done for %s minutes", changed, settings.ROLLOVER_STALL_MINUTES)
        elif changed:
            log.warning("rollover %s: it moves again", changed)


@shared_task(ignore_result=True)
def warn_of_missing_runs() -> None:
    """The alarm: a year has ended, or ends within a week, and nobody released a run for it."""
    for region_id, year, boundary in rollover_queries.years_without_run(clock.today()):
        log.error("region %s: no run released for %s, which ends before %s", region_id, year, boundary)


@shared_task(ignore_result=True)
def return_wallet_transfers() -> None:
    """Write down what is back at six; balances show it from the moment itself."""
    wallet.return_overdue(at=clock.now())


@shared_task(ignore_result=True)
def pay_on_late_money() -> None:
    """What has come to closed accounts goes on to their payees; what cannot is an alarm in the log."""
    _, stuck = payouts.pay_on_all(on=clock.today())
    if stuck:
        log.error("late money of closed accounts cannot be paid on: cases %s", stuck)


@shared_task(ignore_result=True)
def collect_premiums() -> None:
    """Debit the premiums that are due on the month's last day, where the region collects so."""
    paid, failed = premiums.collect(at=clock.now())
    if paid or failed:
        log.info("premiums: %s debited, %s passed on to the tax office", paid, failed)


@shared_task(ignore_result=True)
def check_ledger() -> None:
    """Count the same money two ways, every night: a task for each check, so that none lasts long."""
    for number in range(len(CHECKS)):
        check_one.delay(number)


@shared_task(ignore_result=True)
def check_one(number: int) -> None:
    """One check of the ledger; what it finds is an alarm in the log."""
    with transaction.atomic():
        for finding in run_checks(clock.today(), [CHECKS[number]]):
            if finding.count:
                log.error("ledger: %s %s: %s rows", finding.check.code, finding.check.name, finding.count)


def ring_credits(run_id: int) -> None:
    """Call workers to a crediting run; too many go home at once."""
    for _ in range(credit_runs.WORKERS):
        _call(work_credits, run_id)


@shared_task(ignore_result=True)
def work_credits(run_id: int) -> None:
    """Work on a crediting run for a while, then ring again."""
    outcome = credit_runs.work(run_id=run_id, seconds=settings.ROLLOVER_SECONDS)
    if outcome == credit_runs.Outcome.AGAIN:
        work_credits.delay(run_id)
    elif outcome == credit_runs.Outcome.WAIT:
        work_credits.apply_async([run_id], countdown=WAIT)


def ring_file(file_id: int) -> None:
    """Have an uploaded file of contributions read."""
    _call(read_contributions, file_id)


@shared_task(ignore_result=True)
def read_contributions(file_id: int) -> None:
    """Read and check an uploaded file; one that somebody is reading, or that was read, is left alone."""
    contributions.read(file_id=file_id)


@shared_task(ignore_result=True)
def sweep_credits() -> None:
    """Ring for running crediting runs and for files that wait to be read: the sweeper for every lost bell."""
    for run in CreditRun.objects.filter(state=CreditState.RUNNING):
        ring_credits(run.pk)
    for file_id in ContributionFile.objects.filter(state=FileState.READING).values_list("pk", flat=True):
        ring_file(file_id)


@shared_task(ignore_result=True)
def credit_what_is_due() -> None:
    """Every night: begin each region's credit of the month (from its day on) or of the year, for whoever lacks it."""
    today = clock.today()
    for region in Region.objects.filter(pk__in=PersonalAccount.objects.values("region").distinct()):
        try:
            run = credit_runs.begin_due(region=region, on=today)
        except Refused as refusal:
            log.warning("region %s: no credit was begun: %s", region.pk, refusal.code)
            continue
        if run is not None:
            ring_credits(run.pk)


def ring_trial(trial_id: int) -> None:
    """Call a worker to a what-if; the sweeper calls again if nobody came."""
    _call(work_trial, trial_id)


@shared_task(ignore_result=True)
def work_trial(trial_id: int) -> None:
    """Work on a what-if for a while, then ring again. Of two at once one goes home."""
    if trials.work(trial_id=trial_id, seconds=settings.ROLLOVER_SECONDS) == trials.Stopped.AGAIN:
        work_trial.delay(trial_id)


@shared_task(ignore_result=True)
def sweep_trials() -> None:
    """Ring for what-ifs that run, catalogues to be read and to be brought in: the sweeper for every lost bell."""
    for file_id in CatalogueFile.objects.filter(state=FileState.READING).values_list("pk", flat=True):
        ring_catalogue(file_id)
    for file_id in CatalogueFile.objects.filter(state=FileState.RELEASING).values_list("pk", flat=True):
        ring_release(file_id)
    for trial_id in Trial.objects.filter(state=TrialState.RUNNING).values_list("pk", flat=True):
        ring_trial(trial_id)


def ring_release(file_id: int) -> None:
    """Have a released catalogue brought in."""
    _call(bring_in_catalogue, file_id)


@shared_task(ignore_result=True)
def bring_in_catalogue(file_id: int) -> None:
    """Bring a released catalogue in; one that somebody is bringing in, or that was, is left alone."""
    file = catalogue.bring_in(file_id=file_id)
    if file is not None and file.refused:
        log.warning("catalogue %s was not brought in: %s", file_id, file.refused["code"])


def ring_catalogue(file_id: int) -> None:
    """Have an uploaded catalogue read."""
    _call(read_catalogue, file_id)


@shared_task(ignore_result=True)
def read_catalogue(file_id: int) -> None:
    """Read and compare an uploaded catalogue; one that somebody is reading, or that was read, is left alone."""
    catalogue.read(file_id=file_id)
