"""A region full of accounts whose benefit year has just ended, with a released run: the morning of the switch."""

import datetime
import io
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import psycopg
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
# Encrypting the numbers of five million people takes longer than all else: from here on the same ones come again.
REAL = 200_000
AGAIN = [
    """
    INSERT INTO accounts_member (id, public_id, name, id_number, id_number_index, card_number, card_number_index, phone,
        birth, sex)
    SELECT id + step, gen_random_uuid(), name, id_number, md5(id_number_index || step), card_number,
        md5(card_number_index || step), phone, birth, sex
    FROM accounts_member, generate_series(%(first)s, %(last)s, %(real)s) step
    WHERE id >= %(members)s AND id < %(members)s + %(real)s ORDER BY step, id
    """,
    """
    INSERT INTO accounts_enrolment (member_id, region_id, insurance, status, personal_status, retired_on, base, employer,
        valid_from)
    SELECT member_id + step, region_id, insurance, status, personal_status, retired_on, base, employer, valid_from
    FROM accounts_enrolment, generate_series(%(first)s, %(last)s, %(real)s) step
    WHERE member_id >= %(members)s AND member_id < %(members)s + %(real)s ORDER BY step, member_id
    """,
    """
    INSERT INTO settlements_personalaccount (id, member_id, region_id, benefit_year, current, historical, debt, version,
        current_products, historical_products, products_on, status, opened_on)
    SELECT id + step, member_id + step, region_id, benefit_year, current, historical, debt, version, current_products,
        historical_products, products_on, status, opened_on
    FROM settlements_personalaccount, generate_series(%(first)s, %(last)s, %(real)s) step
    WHERE id >= %(accounts)s AND id < %(accounts)s + %(real)s ORDER BY step, id
    """,
    """
    INSERT INTO settlements_entry (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta,
        historical_delta, debt_delta, current_after, historical_after, debt_after, contra)
    SELECT account_id + step, version, transaction_id, kind, business_date, benefit_year, current_delta,
        historical_delta, debt_delta, current_after, historical_after, debt_after, contra
    FROM settlements_entry, generate_series(%(first)s, %(last)s, %(real)s) step
    WHERE account_id >= %(accounts)s AND account_id < %(accounts)s + %(real)s ORDER BY step, account_id
    """,
]
TABLES = ["accounts_member", "accounts_enrolment", "settlements_personalaccount", "settlements_entry"]
# What a row is held against when it is written: keys to other tables, unique and exclusion, and indexes that are no
# constraint. Primary keys stay: others point to them, and in order they cost little.
HELD_AGAINST = """
SELECT conrelid::regclass::text, format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = ANY(%(tables)s::regclass[]) AND contype IN ('f', 'u', 'x')
UNION ALL
SELECT indrelid::regclass::text, format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid = ANY(%(tables)s::regclass[])
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
"""
RATES = (Decimal("0.3500"), Decimal("1.3500"))
DAY = datetime.timedelta(days=1)


def fresh(accounts: int) -> None:
    """A database with so many accounts, none rolled yet; made once, then cloned."""
    template = f"{places.NAME}_t{accounts}"
    if not places.exists(template):
        _fill(template, accounts)
    places.create(places.NAME, template)


def people(count: int, code: str, opened: datetime.date) -> None:
    """A database with so many people of a region, each with a number of his own and an account opened on a day."""
    template = f"{places.NAME}_t{code}{count}"
    if not places.exists(template):
        _empty()
        places.create(template, f"{places.NAME}_t0")
        scale.copy(count, 1, opened, 4, lambda text: print(f"  {text}", flush=True), regions=[code])
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    places.create(places.NAME, template)


def _fill(template: str, accounts: int) -> None:
    _empty()
    places.create(template, f"{places.NAME}_t0")
    real = accounts if accounts % REAL else min(accounts, REAL)
    scale.copy(real, 1, boundary() - 300 * DAY, 4, lambda text: print(f"  {text}", flush=True), regions=[REGION])
    _multiply(real, accounts // real)
    run = rollover.plan(
        region=region(), year=year(), current_rate=RATES[0], historical_rate=RATES[1], by=None, at=at(before(20), 9)
    )
    run = rehearsal.rehearse(run=run, by=None, at=at(before(20), 10))
    rollover.release(run=run, by=None, at=at(before(10), 9))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _empty() -> None:
    """The database with the rules of all regions and nobody in it."""
    empty = f"{places.NAME}_t0"
    if not places.exists(empty):
        places.create(empty)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_regions", stdout=io.StringIO())
        institutions.make()


def _multiply(real: int, times: int) -> None:
    """The same people and accounts again under new numbers, until there are so many times as many.

    The template is nobody's yet: its rules are taken away meanwhile and added again, which looks at all rows at once. Row
    by row the rule that enrolments do not overlap costs more an enrolment than all else.
    """
    if times == 1:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT min(id) FROM accounts_member), min(id) FROM settlements_personalaccount")
        members, accounts = cursor.fetchone()
        cursor.execute(HELD_AGAINST, {"tables": TABLES})
        rules = cursor.fetchall()
        for _table, drop, _add in rules:
            cursor.execute(drop)
    known = {"real": real, "first": real, "last": real * (times - 1), "members": members, "accounts": accounts}
    with ThreadPoolExecutor(len(TABLES)) as executor:
        list(executor.map(_run, [[statement] for statement in AGAIN], [known] * len(TABLES)))
        print(f"  copied: {real * times} in all", flush=True)
        # A table is altered by one at a time; keys to others come last, for they lock those too.
        parts = [[add for table, _drop, add in rules if table == own and "FOREIGN KEY" not in add] for own in TABLES]
        list(executor.map(_run, parts))
    _run([add for _table, _drop, add in rules if "FOREIGN KEY" in add])
    print("  rules added again", flush=True)
    with connection.cursor() as cursor:
        for table in ("accounts_member", "settlements_personalaccount"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _run(statements: Sequence[str], known: dict[str, int] | None = None) -> None:
    """One statement after the other in a connection of its own, with room to sort."""
    with psycopg.connect(places.address(connection.settings_dict["NAME"]), autocommit=True) as own:
        own.execute("SET maintenance_work_mem = '512MB'")
        for statement in statements:
            own.execute(statement, known)


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
