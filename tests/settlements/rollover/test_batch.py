"""One chunk: what it does to a population in use."""

import datetime
from decimal import Decimal

import pytest

from settlements.actions import rollover, rollover_work
from settlements.ledger import balances, batch
from settlements.ledger.rolling import roll
from settlements.models import Entry, LedgerTransaction, PersonalAccount, RolloverRun
from tests.people import make_member, make_region
from tests.support.ledger import move, open_account

pytestmark = pytest.mark.django_db
AFTER = datetime.date(2026, 7, 1)


def D(text):  # noqa: N802 - short, for tables of amounts
    return Decimal(text)


def at(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(9), datetime.UTC)


def released(region, year=2025, rates=("0.35", "1.35"), state="released") -> RolloverRun:
    return RolloverRun.objects.create(
        region=region, year=year, state=state, current_rate=rates[0], historical_rate=rates[1],
        planned_at=at(AFTER), released_at=at(datetime.date(2026, 6, 30)),
    )  # fmt: skip


def run_to_the_end(run) -> None:
    rollover.begin(run=run, at=at(AFTER))
    while isinstance(rollover_work.roll_next(run_id=run.pk), batch.Visit):
        pass


def test_smoke():
    region = make_region()
    account = open_account(make_member(), region, 2025, "100.00", "50.00")
    run = released(region)
    shown = balances([account.pk], AFTER)[account.pk]
    run_to_the_end(run)
    account.refresh_from_db()
    print(Entry.objects.values(), LedgerTransaction.objects.values(), run.chunks.values(), shown)
    assert (account.current, account.historical) == (0, D("151.04"))
    assert (shown.current, shown.historical) == (0, D("151.04"))
    run = rollover.finish(run=run, at=at(AFTER))
    assert run.state == "reconciled", run.totals
