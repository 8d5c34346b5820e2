"""Who pays the personal share of a bill: own account, then grantors in the region's order, then cash."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.money import ZERO
from settlements.domain.assessment import Decision, Step

OWN = "own"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A grant in force with what the grantor's account holds now. Amounts in yuan.

    `grant` and `account` are keys of the caller; `name` breaks ties of equal balances; `position` is the beneficiary's
    own order (None: not ordered yet, so after the ordered ones by binding); `bound_order` rises with binding.
    `limit` is the most for care in a benefit year, `limit_used` what of it is gone.
    """

    grant: str
    account: str
    name: str
    balance: Decimal
    bound_on: datetime.date
    bound_order: int
    position: int | None = None
    limit: Decimal | None = None
    limit_used: Decimal = ZERO
    uses_care: bool = True
    status: str = "normal"
    paused: bool = False


@dataclass(frozen=True)
class Source:
    """A grantor's account that may pay up to `available` yuan."""

    grant: str
    account: str
    available: Decimal


@dataclass(frozen=True)
class Leg:
    """One payment: `payer` is "own" or the key of a grant; `account` is empty for the own account."""

    payer: str
    account: str
    bucket: str
    item_class: str
    amount: Decimal


@dataclass(frozen=True)
class Allocation:
    """The legs in the order in which they were taken, the cash that is left, and the working."""

    legs: tuple[Leg, ...]
    cash: Decimal
    steps: tuple[Step, ...]

    def paid(self, payer: str, bucket: str | None = None) -> Decimal:
        """What one payer gives in all, or from one bucket."""
        wanted = [leg for leg in self.legs if leg.payer == payer and bucket in (None, leg.bucket)]
        return sum((leg.amount for leg in wanted), ZERO)


def passed_over(candidate: Candidate, keep: Decimal = ZERO) -> str | None:
    """Why a grant cannot pay now: not_permitted, paused, suspended (and other states), limit_reached, below_threshold,
    insufficient_balance; None if it can."""
    raise NotImplementedError


def order_sources(strategy: str, candidates: Iterable[Candidate], keep: Decimal = ZERO) -> tuple[Source, ...]:
    """The grantors that can pay, in the region's order (filed, last_bound, largest_balance or single).

    `keep` stays with each grantor.
    """
    raise NotImplementedError


def allocate(decision: Decision, own: Mapping[str, Decimal], sources: Iterable[Source]) -> Allocation:
    """Pay the personal share. `own`: bucket -> balance before this bill; the account stage's part is taken off here.

    The legs hold the account stage too, first. bill = fund + supplement + legs + cash.
    """
    raise NotImplementedError
