"""The one door to accounts and counters: `open` locks, the caller decides on what is there, `post` rolls and writes."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection

from accounts.calls import Call, Moved, from_json, send, to_json
from accounts.money import ZERO
from settlements.ledger.balances import balances
from settlements.ledger.rolling import roll
from settlements.ledger.wallets import back_on, bring_back, moment

READ_ACCOUNT = """
SELECT id, benefit_year, version, current, historical, debt, current_products, historical_products, products_on
FROM settlements_personalaccount WHERE id = %s
"""
OPEN = "ledger_open(%s, %s::integer[], %s::bigint[], %s, %s)"
POST = "ledger_post(%s, %s, %s, %s::json, %s::json, %s::json)"

# benefit year -> counter -> yuan
UsageByYear = Mapping[int, Mapping[str, Decimal]]
# Least and most historical balance in yuan (None: however much).
Room = tuple[Decimal, Decimal | None]
ANY: Room = (ZERO, None)
T = TypeVar("T")
_LOCKS_FIRST: ContextVar[bool] = ContextVar("locks_first", default=False)


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

    def move(self, movement: Movement, on: datetime.date) -> None:
        """As `ledger_post` moves the row. A day that was counted already is not counted again."""
        days = max((on - self.products_on).days, 0)
        self.current_products += self.current * days
        self.historical_products += self.historical * days
        self.products_on = max(self.products_on, on)
        self.current += movement.current
        self.historical += movement.historical
        self.debt += movement.debt
        self.version += 1


@dataclass
class Books:
    """The patient's counters, locked, and the accounts, as they really are on the day.

    `locked`: the accounts too. If not, `post` locks them, and writes if they still are as they were read.
    """

    patient_id: int
    on: datetime.date
    locked: bool = True
    usage: dict[int, dict[str, Decimal]] = field(default_factory=dict)
    accounts: dict[int, OpenAccount] = field(default_factory=dict)

    def post(self, transaction_id: int, movements: Sequence[Movement], usage: UsageByYear | None = None) -> None:
        """Write movements and counters of one transaction: account row and entry in step.

        Raises IntegrityError if an amount would go below zero: the database holds that, whatever the caller decided.
        """
        send(self.posting(transaction_id, movements, usage))

    def posting(
        self,
        transaction_id: int,
        movements: Sequence[Movement],
        usage: UsageByYear | None = None,
        rooms: Mapping[int, Room] | None = None,
    ) -> Call:
        """The same as a call, for a caller who sends it with others; accounts that are behind are rolled now.

        `rooms`: account id -> between what the decision is the same, where accounts are not locked; the others must be
        of the version that was read. Sent, it raises Moved where one is not so.
        """
        by_account = {movement.account_id: movement for movement in movements}
        seen = by_account if self.locked else {**self.accounts, **by_account}
        moves = [self._move(account, by_account.get(account), (rooms or {}).get(account)) for account in sorted(seen)]
        counted = [(year, *one) for year, counters in (usage or {}).items() for one in counters.items()]
        filled = _counted(row for row in counted if row[2] > 0)
        given_back = _counted(row for row in counted if row[2] < 0)
        sent = to_json([move for move in moves if move])
        return Call(POST, [transaction_id, self.patient_id, self.on, sent, filled, given_back], last=True)

    def _move(self, account_id: int, movement: Movement | None, room: Room | None) -> dict[str, Any] | None:
        """A row for `ledger_post`; None for an account that neither moves nor matters."""
        if movement is None and room == ANY:
            return None
        if self.accounts[account_id].behind:
            roll(account_id, self.on)
            self.accounts[account_id] = _read_account(account_id)
        account = self.accounts[account_id]
        row: dict[str, Any] = {"account": account_id, "year": account.benefit_year}
        if room is None or self.locked:
            row["version"] = account.version
        else:
            row["least"], row["most"] = room
        if movement is None:
            return row
        account.move(movement, self.on)
        return row | {
            "kind": movement.kind,
            "current": movement.current,
            "historical": movement.historical,
            "debt": movement.debt,
            "contra": movement.contra,
            "contra_id": movement.contra_id,
        }


def open(*, patient_id: int, years: Iterable[int], account_ids: Iterable[int], on: datetime.date) -> Books:
    """Lock the patient's counters of some benefit years, then accounts in id order, each shown in the day's year.

    Call it inside a transaction; nothing may be decided on a balance read before. Amounts in yuan. An account that is
    behind is shown as it will be once rolled, and rolled by `post` if it moves.
    """
    wanted = sorted(set(years))
    at = moment(on)
    (text,) = send(Call(OPEN, [patient_id, wanted, sorted(set(account_ids)), on, at]))
    return opened(patient_id=patient_id, on=on, at=at, found=from_json(text))


def opened(
    *, patient_id: int, on: datetime.date, at: datetime.datetime, found: Mapping[str, Any], locked: bool = True
) -> Books:
    """The books out of what `ledger_open` gave as of the moment, for a caller who had it sent with something else.

    Raises Moved where accounts are not locked and one is behind or has something due: that is written under its lock.
    """
    books = Books(patient_id=patient_id, on=on, locked=locked)
    for year, counter, amount in found["counters"] or ():
        books.usage.setdefault(year, {})[counter] = amount
    for row in found["accounts"]:
        if not locked and (row[-1] or row[-2]):
            raise Moved
        books.accounts[row[0]] = _shown(row, on, at)
    return books


def locks_first() -> bool:
    """Whether a bill that is settled now locks accounts before it decides; see `again_locked`."""
    return _LOCKS_FIRST.get()


def again_locked(work: Callable[[], T]) -> T:
    """What the work gives; where what it read without locks has moved, done once more with the locks taken first.

    The work is a whole transaction (or savepoint), for Moved takes back all that it did.
    """
    try:
        return work()
    except Moved:
        if locks_first():
            raise
    token = _LOCKS_FIRST.set(True)
    try:
        return work()
    finally:
        _LOCKS_FIRST.reset(token)


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
        # Into the year of the day it came back, however late that is written: it bore interest from then on.
        roll(account.id, back_on(account.id, at) or on)
        bring_back(account.id, at)
        roll(account.id, on)
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
