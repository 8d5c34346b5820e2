"""Who pays the personal share of a bill: own account, own wallet, then grantors in the region's order, then cash."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.money import ZERO, plain
from settlements.domain.assessment import Decision, Step
from settlements.domain.scheme import SHARED, Payer

OWN = "own"
# Payer and bucket: the patient's wallet beside his account.
WALLET = "wallet"
# The one bucket of a grantor that relatives may use; a current balance is never shared.
SHAREABLE = "historical"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A grant in force with what the grantor's account holds now. Amounts in yuan.

    `grant` and `account` are keys of the caller; `name` breaks ties of equal balances; `position` is the beneficiary's
    own order (None: not ordered yet, so after the ordered ones by binding); `bound_order` parts grants of one day.
    `limit` is the most for care in a benefit year, `limit_used` what of it is gone; `status` the grantor's enrolment.
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
    """One payment: `payer` is "own", "wallet" or the key of a grant; `account` is empty for the own account."""

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
    """Why a grant cannot pay now, or None if it can.

    not_permitted (not for care), paused, the grantor's enrolment (suspended, frozen, closed), over_limit,
    insufficient_balance or below_threshold (what he has stays with him).
    """
    if not candidate.uses_care:
        return "not_permitted"
    if candidate.paused:
        return "paused"
    if candidate.status != "normal":
        return candidate.status
    if candidate.limit is not None and candidate.limit <= candidate.limit_used:
        return "over_limit"
    if candidate.balance <= 0:
        return "insufficient_balance"
    return "below_threshold" if candidate.balance <= keep else None


def order_sources(strategy: str, candidates: Iterable[Candidate], keep: Decimal = ZERO) -> tuple[Source, ...]:
    """The grantors that can pay, in the region's order; `keep` yuan stay with each of them.

    filed: the beneficiary's own order, then by binding; last_bound: the youngest grant first; largest_balance: by
    what the accounts hold now, equal ones by name; single: there should be one, so as filed. KeyError for others.
    """
    usable = [candidate for candidate in candidates if passed_over(candidate, keep) is None]
    return tuple(
        Source(candidate.grant, candidate.account, _available(candidate, keep))
        for candidate in sorted(usable, key=_SORT_KEYS[strategy])
    )


def _bound(candidate: Candidate) -> tuple[int, int]:
    return candidate.bound_on.toordinal(), candidate.bound_order


def _filed(candidate: Candidate) -> tuple[bool, int, int, int]:
    return candidate.position is None, candidate.position or 0, *_bound(candidate)


def _last_bound(candidate: Candidate) -> tuple[int, int]:
    day, order = _bound(candidate)
    return -day, -order


def _largest_balance(candidate: Candidate) -> tuple[Decimal, str, int, int]:
    # A limit does not make a balance smaller: the source says the largest balance, not the largest permission.
    return -candidate.balance, candidate.name, *_bound(candidate)


_SORT_KEYS: dict[str, Callable[[Candidate], Any]] = {
    "filed": _filed,
    "single": _filed,
    "last_bound": _last_bound,
    "largest_balance": _largest_balance,
}


def room(strategy: str, candidate: Candidate, keep: Decimal, taken: Decimal) -> tuple[Decimal, Decimal | None]:
    """Between what balances of this grantor a bill that took `taken` yuan from him is allocated the same.

    (least, most) in yuan, most None for however much. So a bill that was decided on balances that have changed since, each
    within its room, is known to come out alike on those that are there now.
    """
    exactly = candidate.balance, candidate.balance
    if strategy == "largest_balance":
        return exactly
    why = passed_over(candidate, keep)
    if why in ("insufficient_balance", "below_threshold"):
        return ZERO, keep
    if why is not None or not taken:
        return ZERO, None
    at_his_limit = candidate.limit is not None and taken == candidate.limit - candidate.limit_used
    return (keep + taken, None) if at_his_limit or taken < _available(candidate, keep) else exactly


def _available(candidate: Candidate, keep: Decimal) -> Decimal:
    above = candidate.balance - keep
    return above if candidate.limit is None else min(above, candidate.limit - candidate.limit_used)


def allocate(
    decision: Decision, own: Mapping[str, Decimal], sources: Iterable[Source], wallet: Decimal = ZERO
) -> Allocation:
    """Pay the personal share, item class after item class, each by its row of payers, and the rest in cash.

    `own`: bucket -> balance before this bill. The legs begin with what the account stage took. `wallet`: what the
    patient's wallet may pay of it; it stands in the rows by itself (`_with_wallet`).
    The bill = fund + supplement + legs + cash, and nobody gives more than he has.
    """
    purse = _Purse(decision, own, sources, wallet)
    for item_class, share in decision.personal.items():
        row = decision.payers[item_class]
        for payer in _with_wallet(row) if wallet else row:
            share -= purse.pay(payer, item_class, share)
        purse.pay_cash(item_class, share)
    return Allocation(tuple(purse.legs), purse.cash, tuple(purse.steps))


def _with_wallet(row: tuple[Payer, ...]) -> tuple[Payer, ...]:
    """A row of payers with the wallet in it: own money comes before relatives' (decision 0026).

    It pays where some account may pay whatever it holds: not where cash alone pays, nor where accounts only pay from what
    lies above an amount.
    """
    if all(payer.above for payer in row):
        return row
    at = next((place for place, payer in enumerate(row) if payer.bucket == SHARED), len(row))
    return (*row[:at], Payer(WALLET), *row[at:])


class _Purse:
    """What is left in each account while a bill is being paid."""

    def __init__(
        self, decision: Decision, own: Mapping[str, Decimal], sources: Iterable[Source], wallet: Decimal
    ) -> None:
        self.wallet = wallet
        self.own = {bucket: balance - decision.account.get(bucket, ZERO) for bucket, balance in own.items()}
        self.sources = tuple(sources)
        self.available = {source.grant: source.available for source in self.sources}
        self.legs = [Leg(OWN, "", bucket, "in_scope", paid) for bucket, paid in decision.account.items() if paid]
        self.cash = ZERO
        self.steps: list[Step] = []

    def pay(self, payer: Payer, item_class: str, due: Decimal) -> Decimal:
        """Take as much of what is due as this payer can give."""
        if payer.bucket == SHARED:
            return self._pay_shared(item_class, due)
        if payer.bucket == WALLET:
            return self._pay_wallet(item_class, due)
        before = self.own.get(payer.bucket, ZERO)
        taken = max(ZERO, min(due, before - payer.above))
        if taken:
            self.own[payer.bucket] = before - taken
            self.legs.append(Leg(OWN, "", payer.bucket, item_class, taken))
            self._note(f"pay.own_{payer.bucket}", taken, item_class, before=before, above=payer.above)
        return taken

    def _pay_shared(self, item_class: str, due: Decimal) -> Decimal:
        rest = due
        for source in self.sources:
            before = self.available[source.grant]
            taken = max(ZERO, min(rest, before))
            if taken:
                rest -= taken
                self.available[source.grant] = before - taken
                self.legs.append(Leg(source.grant, source.account, SHAREABLE, item_class, taken))
                # Not what his account held: nobody is told it, and another relative's bill may have come between.
                self._note("pay.shared", taken, item_class, grant=source.grant, account=source.account)
        return due - rest

    def _pay_wallet(self, item_class: str, due: Decimal) -> Decimal:
        before = self.wallet
        taken = min(due, before)
        if taken:
            self.wallet -= taken
            self.legs.append(Leg(WALLET, "", WALLET, item_class, taken))
            self._note("pay.wallet", taken, item_class, before=before)
        return taken

    def pay_cash(self, item_class: str, due: Decimal) -> None:
        """What nobody has paid."""
        if due:
            self.cash += due
            self._note("pay.cash", due, item_class)

    def _note(self, key: str, amount: Decimal, item_class: str, **params: Decimal | str) -> None:
        shown = {name: plain(value) if isinstance(value, Decimal) else value for name, value in params.items()}
        self.steps.append(Step(key, amount, {"item_class": item_class, **shown}))
