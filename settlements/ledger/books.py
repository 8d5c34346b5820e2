"""The one door to accounts and counters: `open` locks, the caller decides on what is there, `post` rolls and writes."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.calls import Call, from_json, send, to_json
from accounts.money import ZERO
from settlements.ledger.balances import balances
from settlements.ledger.rolling import roll
from settlements.ledger.wallets import bring_back, moment

READ_ACCOUNT = """
SELECT id, benefit_year, version, current, historical, debt, current_products, historical_products, products_on
FROM settlements_personalaccount WHERE id = %s
"""
OPEN = "ledger_open(%s, %s::integer[], %s::bigint[], %s, %s)"
POST = "ledger_post(%s, %s, %s, %s::json, %s::json, %s::json)"

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

    @property
    def total(self) -> Decimal:
        """Both buckets, in yuan."""
        return self.current + self.historical

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
        send(self.posting(transaction_id, movements, usage))

    def posting(self, transaction_id: int, movements: Sequence[Movement], usage: UsageByYear | None = None) -> Call:
        """The same as a call, for a caller who sends it with others; accounts that are behind are rolled now."""
        moves = [self._move(movement) for movement in sorted(movements, key=lambda movement: movement.account_id)]
        counted = [(year, *one) for year, counters in (usage or {}).items() for one in counters.items()]
        filled = _counted(row for row in counted if row[2] > 0)
        given_back = _counted(row for row in counted if row[2] < 0)
        return Call(POST, [transaction_id, self.patient_id, self.on, to_json(moves), filled, given_back])

    def _move(self, movement: Movement) -> dict[str, Any]:
        if self.accounts[movement.account_id].behind:
            roll(movement.account_id, self.on)
            self.accounts[movement.account_id] = _read_account(movement.account_id)
        account = self.accounts[movement.account_id]
        account.carry(self.on)
        account.current += movement.current
        account.historical += movement.historical
        account.debt += movement.debt
        row = {
            "account": account.id,
            "version": account.version,
            "kind": movement.kind,
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
        account.version += 1
        return row


def open(*, patient_id: int, years: Iterable[int], account_ids: Iterable[int], on: datetime.date) -> Books:
    """Lock the patient's counters of some benefit years, then accounts in id order, each shown in the day's year.

    Call it inside a transaction; nothing may be decided on a balance read before. Amounts in yuan. An account that is
    behind is shown as it will be once rolled, and rolled by `post` if it moves.
    """
    wanted = sorted(set(years))
    at = moment(on)
    (text,) = send(Call(OPEN, [patient_id, wanted, sorted(set(account_ids)), on, at]))
    return opened(patient_id=patient_id, on=on, at=at, found=from_json(text))


def opened(*, patient_id: int, on: datetime.date, at: datetime.datetime, found: Mapping[str, Any]) -> Books:
    """The books out of what `ledger_open` gave as of the moment, for a caller who had it sent with something else."""
    books = Books(patient_id=patient_id, on=on)
    for year, counter, amount in found["counters"] or ():
        books.usage.setdefault(year, {})[counter] = amount
    for row in found["accounts"]:
        books.accounts[row[0]] = _shown(row, on, at)
    return books


def _counted(rows: Iterable[tuple[int, str, Decimal]]) -> str | None:
    found = [{"year": year, "counter": counter, "amount": amount} for year, counter, amount in rows]
    return to_json(found) if found else None


def _shown(row: list[Any], on: datetime.date, at: datetime.datetime) -> OpenAccount:
    """A locked account in the year of the day, with what is back by then."""
    account_id, year, version, current, historical, debt, current_products, historical_products, since, behind, due = (
        row
    )
    account = OpenAccount(
        id=account_id,
        benefit_year=year,
        version=version,
        current=current,
        historical=historical,
        debt=debt,
        current_products=current_products,
        historical_products=historical_products,
        products_on=datetime.date.fromisoformat(since),
        behind=behind,
        overdue=due,
    )
    if account.overdue:
        roll(account.id, on)
        bring_back(account.id, at)
        return _read_account(account.id)
    if account.behind:
        shown = balances([account.id], on)[account.id]
        account.benefit_year = shown.benefit_year
        account.current, account.historical, account.debt = shown.current, shown.historical, shown.debt
    return account


def _read_account(account_id: int) -> OpenAccount:
    with connection.cursor() as cursor:
        cursor.execute(READ_ACCOUNT, [account_id])
        return OpenAccount(*cursor.fetchone())
