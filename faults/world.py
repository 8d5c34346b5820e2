"""The world of the scenarios: an invented region (region.toml), families who all share with each other, many others."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction

from accounts.domain import id_number
from accounts.enums import InstitutionKind
from accounts.models import BenefitYear, Enrolment, Institution, Member, Region
from family.models import SharingGrant
from settlements.actions.opening import open_account
from settlements.actions.regions import load
from settlements.models import PersonalAccount, RolloverRun

FILE = Path(__file__).with_name("region.toml")
REGION = "999100"
YEAR = 2025
OPENED = datetime.date(2025, 9, 1)
LAST_DAY = datetime.date(2026, 6, 30)
BOUNDARY = datetime.date(2026, 7, 1)
RATES = (Decimal("0.3500"), Decimal("1.3500"))
BASE = Decimal("3333.33")
BEIJING = datetime.timezone(datetime.timedelta(hours=8))
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Insured:
    """A member with his enrolment and account."""

    member: Member
    enrolment: Enrolment
    account: PersonalAccount


def at(day: datetime.date, hour: int = 12) -> datetime.datetime:
    """A moment of a day in Beijing."""
    return datetime.datetime.combine(day, datetime.time(hour), BEIJING)


def region() -> Region:
    """The invented region, loaded."""
    if not Region.objects.filter(pk=REGION).exists():
        load([FILE])
    assert BenefitYear.objects.get(region=REGION, year=YEAR + 1).starts_on == BOUNDARY
    return Region.objects.get(pk=REGION)


def institution() -> Institution:
    """The hospital at which everything happens."""
    values = {"name": "试验医院", "region": region(), "kind": InstitutionKind.HOSPITAL, "level": "tertiary"}
    return Institution.objects.get_or_create(code="H99910000001", defaults=values)[0]


def pharmacy() -> Institution:
    """The pharmacy beside it."""
    values = {"name": "试验药店", "region": region(), "kind": InstitutionKind.PHARMACY, "level": "primary"}
    return Institution.objects.get_or_create(code="P99910000001", defaults=values)[0]


def insure(current: str, historical: str, debt: str = "0.00", *, number: int | None = None) -> Insured:
    """One more member with an account of these balances in yuan, opened on OPENED."""
    count = Member.objects.count() if number is None else number
    birth = datetime.date(1960, 1, 1) + datetime.timedelta(days=count // 900)
    member = Member.objects.create(
        name=f"试某{count}", id_number=id_number.make("999100", birth, count % 900), birth=birth, sex="F"
    )
    enrolment = Enrolment.objects.create(
        member=member,
        region=region(),
        insurance="employee",
        status="normal",
        personal_status="active",
        base=BASE,
        valid_from=datetime.date(2020, 1, 1),
    )
    amounts = {name: Decimal(text) for name, text in (("current", current), ("historical", historical), ("debt", debt))}
    account = open_account(member=member, region_id=REGION, on=OPENED, **amounts)
    return Insured(member, enrolment, account)


def share(grantor: Insured, beneficiary: Insured, limit: str | None = None) -> SharingGrant:
    """A grant in force since OPENED, without the application that leads to one."""
    return SharingGrant.objects.create(
        grantor=grantor.member,
        beneficiary=beneficiary.member,
        region=region(),
        relation="sibling",
        limit=limit and Decimal(limit),
        bound_at=at(OPENED),
        starts_on=OPENED,
    )


@transaction.atomic
def family(*balances: tuple[str, str]) -> list[Insured]:
    """People with (current, historical), each sharing with each other one: the hardest case for an order of locks."""
    people = [insure(*both) for both in balances]
    for one in people:
        for other in people:
            if one is not other:
                share(one, other)
    return people


def families(count: int) -> list[list[Insured]]:
    """Families of three with enough for some bills and not for all."""
    return [
        family((f"{60 + number}.37", "900.11"), ("0.00", f"{400 + number}.05"), ("15.50", "0.02"))
        for number in range(count)
    ]


def release_run(rates: Sequence[Decimal] = RATES) -> RolloverRun:
    """A run for the closing year, released in time."""
    return RolloverRun.objects.create(
        region=region(), year=YEAR, state="released", current_rate=rates[0], historical_rate=rates[1],
        planned_at=at(LAST_DAY, 8), released_at=at(LAST_DAY, 9),
    )  # fmt: skip


CROWD = """
WITH people AS (
    INSERT INTO accounts_member (public_id, name, id_number, id_number_index, birth, sex)
    SELECT gen_random_uuid(), 'n', '', 'crowd-' || n, '1980-01-01', 'F' FROM generate_series(1, %(count)s) AS n
    RETURNING id
), accounts AS (
    INSERT INTO settlements_personalaccount (member_id, region_id, benefit_year, current, historical, debt, version,
        current_products, historical_products, products_on, status, opened_on)
    SELECT id, %(region)s, %(year)s, (id * 7919 %% 500000) / 100.0, (id * 104729 %% 5000000) / 100.0,
        CASE WHEN id %% 50 = 0 THEN (id %% 100000) / 100.0 ELSE 0 END, 1, 0, 0, %(on)s, 'open', %(on)s
    FROM people RETURNING *
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    VALUES ('opening', %(on)s, now(), %(region)s, 'opening', 'crowd', '', '{}', '') RETURNING id
)
INSERT INTO settlements_entry (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta,
    historical_delta, debt_delta, current_after, historical_after, debt_after, contra)
SELECT a.id, 1, cause.id, 'opening', %(on)s, %(year)s, current, historical, debt, current, historical, debt, 'opening'
FROM accounts a, cause
"""


def crowd(count: int) -> None:
    """Many accounts that nobody touches but the rollover, some in debt; written at once, for the actions take long."""
    region()
    with connection.cursor() as cursor:
        cursor.execute(CROWD, {"region": REGION, "count": count, "year": YEAR, "on": OPENED})
