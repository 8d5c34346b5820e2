"""The one door to accounts and counters: `open` locks, the caller decides on what is there, `post` rolls and writes."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.money import ZERO
from settlements.ledger.balances import balances
from settlements.ledger.rolling import roll
from settlements.ledger.wallets import OVERDUE, bring_back, moment

LOCK_USAGE = """
SELECT 1 FROM settlements_usage
WHERE member_id = %s AND benefit_year = %s AND counter = 'fund' FOR NO KEY UPDATE
"""
# The counter "fund" stands for the whole sheet: a row must be there to be locked before anything was used.
FIRST_USAGE = """
INSERT INTO settlements_usage (member_id, benefit_year, counter, amount) VALUES (%s, %s, 'fund', 0)
ON CONFLICT DO NOTHING
"""
READ_USAGE = (
    "SELECT benefit_year, counter, amount FROM settlements_usage WHERE member_id = %s AND benefit_year = ANY(%s)"
)
# One account a statement, on the account table alone: an order after a join is no lock order.
LOCK_ACCOUNT = f"""
SELECT id, benefit_year, version, current, historical, debt, current_products, historical_products, products_on,
    benefit_year < (SELECT max(year) FROM accounts_benefityear y
                    WHERE y.region_id = settlements_personalaccount.region_id AND starts_on <= %(on)s) AS behind,
    EXISTS (SELECT 1 FROM settlements_wallettransfer t
            WHERE t.account_id = settlements_personalaccount.id AND {OVERDUE}) AS overdue
FROM settlements_personalaccount WHERE id = %(id)s FOR NO KEY UPDATE
"""
READ_ACCOUNT = """
SELECT id, benefit_year, version, current, historical, debt, current_products, historical_products, products_on
FROM settlements_personalaccount WHERE id = %s
"""
# Row and entry in one statement, so that they cannot part; it moves nothing if the version is not the one that was read.
MOVE = """
WITH moved AS (
    UPDATE settlements_personalaccount
    SET version = version + 1, current = %(current_after)s, historical = %(historical_after)s, debt = %(debt_after)s,
        current_products = %(current_products)s, historical_products = %(historical_products)s,
        products_on = %(products_on)s
    WHERE id = %(account)s AND version = %(version)s
    RETURNING version
)
INSERT INTO settlements_entry
    (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta, debt_delta,
     current_after, historical_after, debt_after, contra, contra_id)
SELECT %(account)s::bigint, version, %(transaction)s::bigint, %(kind)s, %(on)s::date, %(year)s::integer,
    %(current)s::numeric, %(historical)s::numeric, %(debt)s::numeric,
    %(current_after)s::numeric, %(historical_after)s::numeric, %(debt_after)s::numeric, %(contra)s, %(contra_id)s::bigint
FROM moved
"""
WRITE_USAGE = """
INSERT INTO settlements_usage (member_id, benefit_year, counter, amount)
SELECT %s::bigint, filled.* FROM unnest(%s::integer[], %s::text[], %s::numeric[]) AS filled
ON CONFLICT (member_id, benefit_year, counter) DO UPDATE SET amount = settlements_usage.amount + excluded.amount
"""
# A counter is given back where it was filled, so the row is there; an upsert would check the bare negative amount.
GIVE_BACK_USAGE = """
UPDATE settlements_usage u SET amount = u.amount + back.amount
FROM unnest(%s::integer[], %s::text[], %s::numeric[]) AS back(year, counter, amount)
WHERE u.member_id = %s AND u.benefit_year = back.year AND u.counter = back.counter
"""

# benefit year -> counter -> yuan
UsageByYear = Mapping[int, Mapping[str, Decimal]]


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A change of one account in yuan, with its other side; at most one an account in a posting."""

    account_id: int
    kind: str
    contra: str
    contra_id: int | None = None
    current: Decimal = ZERO
    historical: Decimal = ZERO
    debt: Decimal = ZERO


@dataclass
class OpenAccount:
    """A locked account in the benefit year of the day; amounts in yuan, products in yuan × days."""

    id: int
    benefit_year: int
    version: int
    current: Decimal
    historical: Decimal
    debt: Decimal
    current_products: Decimal
    historical_products: Decimal
    products_on: datetime.date
    # The row still holds an earlier year; a movement rolls it first, an account that only stood by is left to the batch.
    behind: bool = False
    # A transfer from it that nobody accepted in time, to be brought back before anything is decided.
    overdue: bool = False

    def carry(self, on: datetime.date) -> None:
        """Count the days that the balance before this movement lay here; a day already counted is not counted again."""
        days = max((on - self.products_on).days, 0)
        self.current_products += self.current * days
        self.historical_products += self.historical * days
        self.products_on = max(self.products_on, on)


@dataclass
class Books:
    """What `open` locked: the patient's counters and the accounts, as they really are on the day."""

    patient_id: int
    on: datetime.date
    usage: dict[int, dict[str, Decimal]] = field(default_factory=dict)
    accounts: dict[int, OpenAccount] = field(default_factory=dict)

    def post(self, transaction_id: int, movements: Sequence[Movement], usage: UsageByYear | None = None) -> None:
        """Write movements and counters of one transaction: account row and entry in step.

        Raises IntegrityError if an amount would go below zero: the database holds that, whatever the caller decided.
        """
        for movement in sorted(movements, key=lambda movement: movement.account_id):
            self._move(transaction_id, movement)
        self._count([(year, *counted) for year, counters in (usage or {}).items() for counted in counters.items()])

    def _count(self, counted: Sequence[tuple[int, str, Decimal]]) -> None:
        filled = [row for row in counted if row[2] > 0]
        given_back = [row for row in counted if row[2] < 0]
        with connection.cursor() as cursor:
            if filled:
                cursor.execute(WRITE_USAGE, [self.patient_id, *map(list, zip(*filled, strict=True))])
            if given_back:
                cursor.execute(GIVE_BACK_USAGE, [*map(list, zip(*given_back, strict=True)), self.patient_id])
                if cursor.rowcount != len(given_back):
                    raise RuntimeError(f"a counter of member {self.patient_id} that a bill filled is gone")

    def _move(self, transaction_id: int, movement: Movement) -> None:
        if self.accounts[movement.account_id].behind:
            roll(movement.account_id, self.on)
            self.accounts[movement.account_id] = _read_account(movement.account_id)
        account = self.accounts[movement.account_id]
        account.carry(self.on)
        account.current += movement.current
        account.historical += movement.historical
        account.debt += movement.debt
        with connection.cursor() as cursor:
            cursor.execute(MOVE, self._row(transaction_id, movement, account))
            if cursor.rowcount != 1:
                raise RuntimeError(f"account {account.id} changed under its lock")
        account.version += 1

    def _row(self, transaction_id: int, movement: Movement, account: OpenAccount) -> dict[str, Any]:
        return {
            "account": account.id,
            "version": account.version,
            "transaction": transaction_id,
            "kind": movement.kind,
            "on": self.on,
            "year": account.benefit_year,
            "current": movement.current,
            "historical": movement.historical,
            "debt": movement.debt,
            "current_after": account.current,
            "historical_after": account.historical,
            "debt_after": account.debt,
            "current_products": account.current_products,
            "historical_products": account.historical_products,
            "products_on": account.products_on,
            "contra": movement.contra,
            "contra_id": movement.contra_id,
        }


def open(*, patient_id: int, years: Iterable[int], account_ids: Iterable[int], on: datetime.date) -> Books:  # noqa: A001 - the books' own word
    """Lock the patient's counters of some benefit years, then accounts in id order, each shown in the day's year.

    Call it inside a transaction; nothing may be decided on a balance read before. Amounts in yuan. An account that is
    behind is shown as it will be once rolled, and rolled by `post` if it moves.
    """
    books = Books(patient_id=patient_id, on=on)
    wanted = sorted(set(years))
    with connection.cursor() as cursor:
        for year in wanted:
            _lock_usage(cursor, patient_id, year)
        if wanted:
            books.usage = {year: {} for year in wanted}
            cursor.execute(READ_USAGE, [patient_id, wanted])
            for year, counter, amount in cursor.fetchall():
                books.usage[year][counter] = amount
        for account_id in sorted(set(account_ids)):
            books.accounts[account_id] = _lock_account(cursor, account_id, on)
    return books


def _lock_usage(cursor, patient_id: int, year: int) -> None:  # type: ignore[no-untyped-def]
    cursor.execute(LOCK_USAGE, [patient_id, year])
    if cursor.fetchone() is None:
        cursor.execute(FIRST_USAGE, [patient_id, year])
        cursor.execute(LOCK_USAGE, [patient_id, year])


def _lock_account(cursor, account_id: int, on: datetime.date) -> OpenAccount:  # type: ignore[no-untyped-def]
    at = moment(on)
    cursor.execute(LOCK_ACCOUNT, {"on": on, "id": account_id, "moment": at})
    account = OpenAccount(*cursor.fetchone())
    if account.overdue:
        roll(account_id, on)
        bring_back(account_id, at)
        return _read_account(account_id)
    if account.behind:
        shown = balances([account_id], on)[account_id]
        account.benefit_year = shown.benefit_year
        account.current, account.historical, account.debt = shown.current, shown.historical, shown.debt
    return account


def _read_account(account_id: int) -> OpenAccount:
    with connection.cursor() as cursor:
        cursor.execute(READ_ACCOUNT, [account_id])
        return OpenAccount(*cursor.fetchone())
