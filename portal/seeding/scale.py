"""Very many people with an account and an opening balance each, by COPY; their numbers are encrypted by the workers.

They have no history: their accounts are opened on the first day of the present month, a batch a ledger transaction.
"""

import datetime
import random
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts.clock import now
from accounts.crypto import blind_index, encrypt
from accounts.domain import id_number
from accounts.models import BenefitYear, Region
from portal.seeding import workers
from portal.seeding.families import SHARES, yuan
from portal.seeding.people import Names
from settlements.ledger.once import request_hash

BATCH = 10_000
# Counties that the families of the year do not use, so that no number is given twice.
AREAS = {
    "310000": ["310106", "310107", "310109", "310113", "310114"],
    "110000": ["110107", "110109", "110111", "110113", "110114"],
    "210100": ["210106", "210111", "210113", "210114", "210115"],
    "410100": ["410106", "410108", "410181", "410182", "410183"],
}
YOUNGEST, BIRTHDAYS = 22 * 366, 20_000
RETIRED_AT = 60 * 365

MEMBERS = (
    "accounts_member (id, public_id, name, id_number, id_number_index, card_number, card_number_index, phone, birth,"
    " sex)"
)
ENROLMENTS = (
    "accounts_enrolment (member_id, region_id, insurance, status, personal_status, retired_on, base, employer,"
    " valid_from)"
)
ACCOUNTS = (
    "settlements_personalaccount (id, member_id, region_id, benefit_year, current, historical, debt, version,"
    " current_products, historical_products, products_on, status, opened_on)"
)
ENTRIES = (
    "settlements_entry (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta,"
    " historical_delta, debt_delta, current_after, historical_after, debt_after, contra)"
)
CAUSE = """
INSERT INTO settlements_ledgertransaction
    (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
VALUES ('opening', %s, %s, %s, 'opening-batch', %s, %s, %s, '') RETURNING id
"""
# Takes a range of ids out of a sequence at once; the first of them.
RESERVE = """
SELECT setval(name, nextval(name) + %s) - %s
FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name) AS sequence
"""

# Per region: benefit year and whether its accounts have two buckets. Known to the workers.
_years: dict[str, tuple[int, bool]] = {}


def copy(
    count: int,
    seed: int,
    on: datetime.date,
    processes: int,
    say: Any,
    regions: Sequence[str] = tuple(SHARES),
    opening: tuple[Decimal, Decimal] | None = None,
) -> None:
    """So many people with accounts opened on a day; `opening` in yuan for all of them, by chance if None."""
    _years.clear()
    for region in Region.objects.filter(code__in=regions):
        year = BenefitYear.objects.filter(region=region, starts_on__lte=on).latest("starts_on").year
        _years[region.code] = year, region.two_buckets
    first = _reserve("accounts_member", count), _reserve("settlements_personalaccount", count)
    parts = [(number, min(BATCH, count - number)) for number in range(0, count, BATCH)]
    done = 0
    with workers.pool(processes) as executor:
        for written in workers.run(executor, _batch, parts, seed, on, first, tuple(regions), opening):
            done += written
            if done == count or done // 100_000 > (done - written) // 100_000:
                say(f"copied: {done} of {count} people with accounts")


def _reserve(table: str, count: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(RESERVE, [count, count, table])
        return cursor.fetchone()[0]


@transaction.atomic
def _batch(
    part: tuple[int, int],
    seed: int,
    on: datetime.date,
    first: tuple[int, int],
    regions: Sequence[str],
    opening: tuple[Decimal, Decimal] | None,
) -> int:
    """People of a batch all live in one region: one transaction is the cause of their opening entries."""
    number, size = part
    rng = random.Random(f"{seed}:{number}")
    region = rng.choices(regions, [SHARES.get(code, 1) for code in regions])[0]
    year, two_buckets = _years[region]
    ids = [(number + place, first[0] + number + place, first[1] + number + place) for place in range(size)]
    balances = [opening or _opening(rng, two_buckets) for _ in ids]
    _copy(MEMBERS, (_member(rng, order, member, region, on) for order, member, _account in ids))
    _copy(ENROLMENTS, (_enrolment(rng, order, member, region, on) for order, member, _account in ids))
    _copy(
        ACCOUNTS,
        (
            (account, member, region, year, *balance, 0, 1, 0, 0, on, "open", on)
            for (_order, member, account), balance in zip(ids, balances, strict=True)
        ),
    )
    with connection.cursor() as cursor:
        key = f"{ids[0][2]}-{ids[-1][2]}"
        cursor.execute(CAUSE, [on, now(), region, key, request_hash({"opening": key}), f'{{"accounts": {size}}}'])
        cause = cursor.fetchone()[0]
    _copy(
        ENTRIES,
        (
            (account, 1, cause, "opening", on, year, *balance, 0, *balance, 0, "opening")
            for (_order, _member, account), balance in zip(ids, balances, strict=True)
        ),
    )
    return size


def _copy(target: str, rows: Iterator[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copying:
        for row in rows:
            copying.write_row(row)


def _opening(rng: random.Random, two_buckets: bool) -> tuple[Decimal, Decimal]:
    return (yuan(0, 3000, rng) if two_buckets else Decimal(0)), yuan(0, 9000, rng)


def _born(order: int, on: datetime.date) -> tuple[datetime.date, int]:
    """Day of birth and the number among those born on it: no two people of an area have the same pair."""
    among, day = divmod(order // 5, BIRTHDAYS)
    return on - datetime.timedelta(days=YOUNGEST + day * 7919 % BIRTHDAYS), among


def id_number_of(order: int, region: str, on: datetime.date) -> str:
    """The ID number of the person with so many before him, where all live in one region."""
    birth, among = _born(order, on)
    return id_number.make(AREAS[region][order % 5], birth, among)


def _member(rng: random.Random, order: int, member: int, region: str, on: datetime.date) -> tuple[Any, ...]:
    birth, _among = _born(order, on)
    number = id_number_of(order, region, on)
    sex = id_number.sex_of(number)
    card = f"{region[:2]}S{order:08d}"
    return (
        member,
        uuid.uuid4(),
        Names(rng).name(sex),
        encrypt(number, "accounts_member.id_number"),
        blind_index(number),
        encrypt(card, "accounts_member.card_number"),
        blind_index(card),
        encrypt(f"137{order % 10**8:08d}", "accounts_member.phone"),
        birth,
        sex,
    )


def _enrolment(rng: random.Random, order: int, member: int, region: str, on: datetime.date) -> tuple[Any, ...]:
    birth, _among = _born(order, on)
    retires = birth + datetime.timedelta(days=RETIRED_AT)
    since = on.replace(year=on.year - 3)
    if retires < since:
        return member, region, "employee", "normal", "retired", retires, None, "", since
    return member, region, "employee", "normal", "active", None, Decimal(rng.randrange(5000, 30000, 50)), "", since
