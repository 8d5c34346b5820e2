"""Accounts for tests, opened the way a real one is: the row and its opening entry in step."""

import datetime
import itertools
from decimal import Decimal

from django.db import connection

from accounts.clock import now
from accounts.models import BenefitYear, Member, Region
from accounts.money import ZERO
from settlements.enums import Contra, EntryKind
from settlements.ledger.books import Books, Movement, OpenAccount
from settlements.models import Clearing, Credit, LedgerTransaction, PersonalAccount

_keys = itertools.count(1)


def open_account(
    member: Member,
    region: Region,
    year: int,
    current: Decimal | str = ZERO,
    historical: Decimal | str = ZERO,
    debt: Decimal | str = ZERO,
    on: datetime.date | None = None,
) -> PersonalAccount:
    """An account in a benefit year with these balances in yuan, opened on a day of it (its first, if none is given)."""
    on = on or BenefitYear.objects.get(region=region, year=year).starts_on
    account = PersonalAccount.objects.create(
        member=member, region=region, benefit_year=year, opened_on=on, products_on=on
    )
    move(account, on, current=Decimal(current), historical=Decimal(historical), debt=Decimal(debt), kind="opening")
    account.refresh_from_db()
    return account


def move(
    account: PersonalAccount,
    on: datetime.date,
    *,
    current: Decimal = ZERO,
    historical: Decimal = ZERO,
    debt: Decimal = ZERO,
    kind: str = EntryKind.CREDIT,
) -> None:
    """One movement of an account that is in the year of the day, with its transaction."""
    contra = {"opening": Contra.OPENING, "credit": Contra.CONTRIBUTION}.get(kind, Contra.CLEARING)
    transaction = LedgerTransaction.objects.create(
        kind=kind,
        business_date=on,
        recorded_at=now(),
        region_id=account.region_id,
        scope=f"test:{kind}",
        key=str(next(_keys)),
        answer={},
    )
    fields = [
        "id", "benefit_year", "version", "current", "historical", "debt", "current_products", "historical_products",
        "products_on",
    ]  # fmt: skip
    row = PersonalAccount.objects.filter(pk=account.pk).values(*fields).get()
    books = Books(patient_id=account.member_id, on=on, accounts={account.pk: OpenAccount(**row)})
    if kind == EntryKind.CREDIT:
        amount = current + historical - debt
        Credit.objects.create(
            account=account, period=f"t{transaction.key}", amount=amount, transaction_id=transaction.pk
        )
    if kind == EntryKind.CLEARING:
        amount = current + historical - debt
        Clearing.objects.create(
            account=account, year=row["benefit_year"], transaction=transaction, months=0, due=amount, credited=ZERO,
            amount=amount,
        )  # fmt: skip
    books.post(
        transaction.pk,
        [Movement(account_id=account.pk, kind=kind, contra=contra, current=current, historical=historical, debt=debt)],
    )


POPULATION = """
WITH people AS (
    INSERT INTO accounts_member (public_id, name, id_number, id_number_index, birth, sex)
    SELECT gen_random_uuid(), 'n', '', 'bulk-' || %(region)s || '-' || n, '1980-01-01', 'F'
    FROM generate_series(1, %(count)s) AS n RETURNING id
), accounts AS (
    INSERT INTO settlements_personalaccount (member_id, region_id, benefit_year, current, historical, debt, version,
        current_products, historical_products, products_on, status, opened_on)
    SELECT id, %(region)s, %(year)s, (id * 7919 %% 500000) / 100.0, (id * 104729 %% 5000000) / 100.0,
        CASE WHEN id %% 50 = 0 THEN (id %% 100000) / 100.0 ELSE 0 END, 1, 0, 0, %(on)s, 'open', %(on)s
    FROM people RETURNING *
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    VALUES ('opening', %(on)s, now(), %(region)s, 'population', %(region)s || %(year)s, '', '{}', '') RETURNING id
)
INSERT INTO settlements_entry (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta,
    historical_delta, debt_delta, current_after, historical_after, debt_after, contra)
SELECT a.id, 1, cause.id, 'opening', %(on)s, %(year)s, current, historical, debt, current, historical, debt, 'opening'
FROM accounts a, cause
"""


def open_many(region: Region, year: int, count: int, on: datetime.date) -> None:
    """Many accounts at once, with all sorts of balances, some in debt; their members are names without a number."""
    with connection.cursor() as cursor:
        cursor.execute(POPULATION, {"region": region.pk, "count": count, "year": year, "on": on})
