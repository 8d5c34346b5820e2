"""Transfers between medical insurance wallets (医保钱包): limits, hours, and the return of what nobody accepted.

A transfer moves the money itself; family sharing moves none. The rules are national: domain.md 1.3, N9 and N10.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from accounts.money import ZERO

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
MOST = Decimal("2000.00")
TRANSFERS_A_DAY = 3
OPENS, CLOSES = datetime.time(6), datetime.time(22)
ACCOUNT, WALLET = "account", "wallet"


@dataclass(frozen=True, kw_only=True)
class Purse:
    """What a transfer is taken from, as it is under its lock; yuan. `sent_today`: transfers sent on the calendar day."""

    available: Decimal
    sent_today: int
    pending: bool


def in_hours(at: datetime.datetime) -> bool:
    """Whether a transfer may be sent at a moment: from 06:00:00 until before 22:00:00."""
    return OPENS <= at.astimezone(SHANGHAI).time() < CLOSES


def expires_at(sent_at: datetime.datetime) -> datetime.datetime:
    """The moment at which a transfer that nobody accepted is back: 06:00 of the next day. Accepting ends before it."""
    day = sent_at.astimezone(SHANGHAI).date() + datetime.timedelta(days=1)
    return datetime.datetime.combine(day, OPENS, SHANGHAI)


def refusal(amount: Decimal, at: datetime.datetime, purse: Purse) -> str | None:
    """Why a transfer cannot be sent, or None. Hours come before number, number before limit, limit before money.

    outside_hours, transfer_pending, over_transfer_limit, amount_too_small, insufficient_balance.
    """
    if not in_hours(at):
        return "outside_hours"
    if purse.pending:
        return "transfer_pending"
    if purse.sent_today >= TRANSFERS_A_DAY:
        return "over_transfer_limit"
    if amount <= ZERO:
        return "amount_too_small"
    if amount > MOST:
        return "over_transfer_limit"
    return "insufficient_balance" if amount > purse.available else None
