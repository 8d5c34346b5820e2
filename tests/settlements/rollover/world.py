"""What the tests share: a region whose year ends on 30 June 2026, a released run, the way to the end."""

import datetime
from decimal import Decimal

from accounts.models import Region
from settlements.actions import rollover, rollover_work
from settlements.ledger import batch
from settlements.ledger.checks import Finding, run_checks
from settlements.models import PersonalAccount, RolloverRun

YEAR = 2025
FIRST_DAY = datetime.date(2025, 7, 1)
LAST_DAY = datetime.date(2026, 6, 30)
BOUNDARY = datetime.date(2026, 7, 1)
RATES = (Decimal("0.35"), Decimal("1.35"))


def yuan(text: str) -> Decimal:
    return Decimal(text)


def at(day: datetime.date, hour: int = 1) -> datetime.datetime:
    """A moment of a day in Shanghai."""
    return datetime.datetime.combine(day, datetime.time(hour), datetime.timezone(datetime.timedelta(hours=8)))


def release_run(
    region: Region,
    year: int = YEAR,
    rates: tuple[Decimal, Decimal] = RATES,
    on: datetime.date = LAST_DAY,
) -> RolloverRun:
    return RolloverRun.objects.create(
        region=region,
        year=year,
        state="released",
        current_rate=rates[0],
        historical_rate=rates[1],
        planned_at=at(on),
        released_at=at(on),
    )


def work_to_the_end(run: RolloverRun) -> list[batch.Visit]:
    """Begin if need be, and roll until nothing moves any more: the visits that did something."""
    run.refresh_from_db()
    if run.state == "released":
        rollover.begin(run=run, at=at(BOUNDARY))
    visits: list[batch.Visit] = []
    while isinstance(visit := rollover_work.roll_next(run_id=run.pk), batch.Visit):
        visits.append(visit)
        if not visit.done and not visit.accounts:
            break
    return visits


def state_of(account: PersonalAccount) -> tuple[int, Decimal, Decimal, Decimal]:
    account.refresh_from_db()
    return account.benefit_year, account.current, account.historical, account.debt


def faults(on: datetime.date = BOUNDARY) -> list[Finding]:
    """What check_ledger would complain about."""
    return [finding for finding in run_checks(on) if finding.count]
