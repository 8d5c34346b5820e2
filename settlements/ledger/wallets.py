"""Wallets and the money on its way between them: the same discipline as for accounts, one row and its entries in step.

A transfer that nobody accepted is back at its moment (06:00 of the next day), whatever Celery does: every read shows it
back, and whoever locks what it came from brings it back first. Locks are taken in this order: accounts, wallets,
transfers.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts import clock
from accounts.calls import Call, Moved, from_json, send
from settlements.domain.wallet import SHANGHAI

# The one condition under which money on its way counts as back.
OVERDUE = "t.state = 'pending' AND t.expires_at <= %(moment)s"

DUE = f"""
WITH due AS MATERIALIZED (
    SELECT t.id, t.amount, t.expires_at, (t.expires_at AT TIME ZONE 'Asia/Shanghai')::date AS day
    FROM settlements_wallettransfer t WHERE t.{{column}} = %(id)s AND t.source = '{{source}}' AND {OVERDUE}
    FOR UPDATE
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    SELECT 'wallet', day, %(now)s, {{holder}}.region_id, 'wallet-return', due.id, '', '{{{{}}}}', ''
    FROM due, {{table}} {{holder}} WHERE {{holder}}.id = %(id)s
    RETURNING id
), ended AS (
    UPDATE settlements_wallettransfer t SET state = 'returned', ended_at = due.expires_at, ending_id = cause.id
    FROM due, cause WHERE t.id = due.id
)
"""
# Back into the account, never dated before its last movement: days that were counted are not counted again.
ACCOUNT_BACK = (
    DUE.format(column="account_id", source="account", table="settlements_personalaccount", holder="a")
    + """, moved AS (
    UPDATE settlements_personalaccount a
    SET historical = a.historical + due.amount, version = a.version + 1,
        current_products = a.current_products + a.current * greatest(due.day - a.products_on, 0),
        historical_products = a.historical_products + a.historical * greatest(due.day - a.products_on, 0),
        products_on = greatest(a.products_on, due.day)
    FROM due WHERE a.id = %(id)s
    RETURNING a.id, a.version, a.benefit_year, a.current, a.historical, a.debt, a.products_on
)
INSERT INTO settlements_entry
    (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta, debt_delta,
     current_after, historical_after, debt_after, contra, contra_id)
SELECT m.id, m.version, cause.id, 'wallet', m.products_on, m.benefit_year, 0, due.amount, 0,
    m.current, m.historical, m.debt, 'wallet', due.id
FROM moved m, due, cause
"""
)
WALLET_BACK = (
    DUE.format(column="wallet_id", source="wallet", table="settlements_wallet", holder="w")
    + """, moved AS (
    UPDATE settlements_wallet w SET balance = w.balance + due.amount, version = w.version + 1
    FROM due WHERE w.id = %(id)s RETURNING w.id, w.version, w.balance
)
INSERT INTO settlements_walletentry
    (wallet_id, version, transaction_id, kind, business_date, delta, after, transfer_id)
SELECT m.id, m.version, cause.id, 'returned', due.day, due.amount, m.balance, due.id FROM moved m, due, cause
"""
)
OPEN = "wallet_open(%s, %s)"
MOVE = "wallet_move(%s, %s, %s, %s, %s, %s, %s)"
BALANCE = f"""
SELECT w.id, w.balance + coalesce((
    SELECT sum(t.amount) FROM settlements_wallettransfer t
    WHERE t.wallet_id = w.id AND t.source = 'wallet' AND {OVERDUE}
), 0)
FROM settlements_wallet w WHERE w.member_id = ANY(%(members)s)
"""

BACK_ON = f"""
SELECT min((t.expires_at AT TIME ZONE 'Asia/Shanghai')::date)
FROM settlements_wallettransfer t WHERE t.account_id = %(id)s AND t.source = 'account' AND {OVERDUE}
"""


@dataclass
class OpenWallet:
    """A locked wallet with what it holds, in yuan."""

    id: int
    version: int
    balance: Decimal


def moment(on: datetime.date) -> datetime.datetime:
    """The moment as of which a day is read: now, or the end of the day where that is over already."""
    end = datetime.datetime.combine(on + datetime.timedelta(days=1), datetime.time(0), SHANGHAI)
    return min(clock.now(), end - datetime.timedelta(microseconds=1))


def balances(member_ids: list[int], at: datetime.datetime) -> dict[int, Decimal]:
    """Wallet id -> yuan it holds at a moment, with what has come back by then; wallets that do not exist are missing."""
    with connection.cursor() as cursor:
        cursor.execute(BALANCE, {"members": member_ids, "moment": at})
        return dict(cursor.fetchall())


def lock(wallet_id: int, at: datetime.datetime) -> OpenWallet:
    """Lock a wallet after all accounts, and bring back first what is due to it at that moment."""
    return opened(_found(wallet_id, at), at)


def opened(found: Sequence[Any], at: datetime.datetime, locked: bool = True) -> OpenWallet:
    """The wallet out of what `wallet_open` gave as of the moment, for a caller who had it sent with something else.

    Raises Moved where it is not locked and something is due to it: that is written under its lock.
    """
    *purse, overdue = found
    if overdue and not locked:
        raise Moved
    if overdue:
        with connection.cursor() as cursor:
            cursor.execute(WALLET_BACK, {"id": purse[0], "moment": at, "now": clock.now()})
        *purse, _overdue = _found(purse[0], at)
    return OpenWallet(*purse)


def _found(wallet_id: int, at: datetime.datetime) -> Sequence[Any]:
    (text,) = send(Call(OPEN, [wallet_id, at]))
    found: Sequence[Any] = from_json(text)
    return found


def move(
    wallet: OpenWallet,
    delta: Decimal,
    *,
    transaction_id: int,
    kind: str,
    on: datetime.date,
    transfer_id: int | None = None,
) -> None:
    """Write one movement of a locked wallet: row and entry in one statement. Raises IntegrityError below zero."""
    send(moving(wallet, delta, transaction_id=transaction_id, kind=kind, on=on, transfer_id=transfer_id))


def moving(
    wallet: OpenWallet,
    delta: Decimal,
    *,
    transaction_id: int,
    kind: str,
    on: datetime.date,
    transfer_id: int | None = None,
) -> Call:
    """The same as a call, for a caller who sends it with others."""
    call = Call(MOVE, [wallet.id, wallet.version, transaction_id, kind, on, delta, transfer_id], last=True)
    wallet.version += 1
    wallet.balance += delta
    return call


def back_on(account_id: int, at: datetime.datetime) -> datetime.date | None:
    """The day on which what is due to a locked account at a moment was back; none where another has brought it back."""
    with connection.cursor() as cursor:
        cursor.execute(BACK_ON, {"id": account_id, "moment": at})
        day: datetime.date | None = cursor.fetchone()[0]
        return day


def bring_back(account_id: int, at: datetime.datetime) -> int:
    """Bring back into a locked account what is due to it at a moment; returns how many transfers that were (0 or 1)."""
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNT_BACK, {"id": account_id, "moment": at, "now": clock.now()})
        return int(cursor.rowcount)
