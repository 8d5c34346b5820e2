"""A region full of accounts whose benefit year has just ended, with a released run: the morning of the switch."""

import datetime
import random
from decimal import Decimal

from django.core.management import call_command
from django.db import connection

from accounts.clock import today
from accounts.models import BenefitYear, Region
from benchmarks import places
from portal.seeding import institutions, scale
from portal.seeding.cases import at
from settlements.actions import rehearsal, rollover, rollover_work
from settlements.models import PersonalAccount, RolloverRun

REGION = "310000"
RATES = (Decimal("0.3500"), Decimal("1.3500"))
DAY = datetime.timedelta(days=1)


def fresh(accounts: int) -> None:
    """A database with so many accounts, none rolled yet; made once, then cloned."""
    template = f"{places.NAME}_t{accounts}"
    if not places.exists(template):
        _fill(template, accounts)
    places.create(places.NAME, template)


def _fill(template: str, accounts: int) -> None:
    empty = f"{places.NAME}_t0"
    if not places.exists(empty):
        places.create(empty)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_regions", stdout=open("/dev/null", "w"))  # noqa: SIM115 - as long as the process
        institutions.make()
    places.create(template, empty)
    scale.copy(accounts, 1, boundary() - 300 * DAY, 4, lambda text: print(f"  {text}", flush=True), regions=[REGION])
    run = rollover.plan(
        region=region(), year=year(), current_rate=RATES[0], historical_rate=RATES[1], by=None, at=at(before(20), 9)
    )
    run = rehearsal.rehearse(run=run, by=None, at=at(before(20), 10))
    rollover.release(run=run, by=None, at=at(before(10), 9))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def before(days: int) -> datetime.date:
    """So many days before the boundary."""
    return boundary() - days * DAY


def region() -> Region:
    """The region whose year ends."""
    return Region.objects.get(pk=REGION)


def boundary() -> datetime.date:
    """The first day of the present benefit year."""
    return BenefitYear.objects.filter(region=REGION, starts_on__lte=today()).latest("starts_on").starts_on


def year() -> int:
    """The year that has ended."""
    return BenefitYear.objects.get(region=REGION, starts_on=boundary()).year - 1


def run() -> RolloverRun:
    """The released run."""
    return RolloverRun.objects.get(region=REGION, year=year())


def roll_all() -> None:
    """Let the batch do all its work here and now."""
    begun = rollover.begin(run=run())
    while rollover_work.work(run_id=begun.pk, seconds=600) != rollover_work.Outcome.FINISHED:
        pass


def some_accounts(count: int, seed: int = 1) -> list[PersonalAccount]:
    """Accounts by chance, with their members."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM settlements_personalaccount")
        first, last = cursor.fetchone()
    ids = random.Random(seed).sample(range(first, last + 1), min(count, last - first + 1))
    return list(PersonalAccount.objects.filter(pk__in=ids).select_related("member").order_by("pk"))
