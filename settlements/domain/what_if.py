"""A settled bill decided once more from the facts of its day: by the rules of that day, or by those of a draft."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from accounts.money import ZERO
from settlements.domain.allocation import OWN, Candidate, allocate, order_sources
from settlements.domain.assessment import Claim, assess
from settlements.domain.scheme import Scheme

Counters = Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How grantors' accounts are charged: the strategy of the order, and the yuan that stay with each."""

    order: str
    keep: Decimal


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bill with what was there before it: counters by benefit year, own buckets and grantors' balances in yuan.

    `sharing` None: no relative's account was asked. `candidates` hold their balances and what their limits had left.
    """

    claim: Claim
    service_on: datetime.date
    service_year: int
    settled_year: int
    used: Mapping[int, Counters]
    own: Mapping[str, Decimal]
    sharing: Sharing | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Who pays the bill, in yuan. `counted`: counter -> yuan in `year`; `shared`: grant -> yuan."""

    fund: Decimal
    supplement: Decimal
    own_current: Decimal
    own_historical: Decimal
    shared: Mapping[str, Decimal]
    cash: Decimal
    year: int
    counted: Counters

    @property
    def own(self) -> Decimal:
        """Both buckets of the patient's own account."""
        return self.own_current + self.own_historical

    @property
    def family(self) -> Decimal:
        """What relatives' accounts pay."""
        return sum(self.shared.values(), ZERO)

    @property
    def paid(self) -> Decimal:
        """What fund and supplement leave to people: accounts and cash."""
        return self.own + self.family + self.cash


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far things have moved apart by bills decided otherwise before: what to add to the facts of the day, in yuan.

    `used`: benefit year -> counter; `own`: bucket; `grants`: grant -> its account's balance; limits are in `used`.
    """

    used: Mapping[int, Counters]
    own: Mapping[str, Decimal]
    grants: Mapping[str, Decimal]


def play(scheme: Scheme, sharing: Sharing | None, case: Case) -> Outcome:
    """Decide a bill, as `actions.care` does, by a scheme and a way of sharing. Raises NoValue as `assess`."""
    year = case.settled_year if scheme.accumulate_by == "settlement" else case.service_year
    decision = assess(scheme, case.claim, case.used.get(year, {}), case.own, case.service_on)
    sources = order_sources(sharing.order, case.candidates, sharing.keep) if sharing else ()
    allocation = allocate(decision, case.own, sources)
    grants = dict.fromkeys(leg.payer for leg in allocation.legs if leg.payer != OWN)
    return Outcome(
        fund=decision.fund,
        supplement=decision.supplement,
        own_current=allocation.paid(OWN, "current"),
        own_historical=allocation.paid(OWN, "historical"),
        shared={grant: allocation.paid(grant) for grant in grants},
        cash=allocation.cash,
        year=year,
        counted={name: amount for name, amount in decision.counters.items() if amount},
    )


def drifted(case: Case, drift: Drift) -> Case:
    """The case as the draft would have found it; nothing falls below zero, for what went elsewhere stays as it went."""
    used = {year: _plus(case.used.get(year, {}), drift.used.get(year, {})) for year in {*case.used, *drift.used}}
    limits = used.get(case.settled_year, {})
    return replace(
        case,
        used=used,
        own=_plus(case.own, drift.own) if case.own else case.own,
        candidates=tuple(
            replace(
                one,
                balance=max(one.balance + drift.grants.get(one.grant, ZERO), ZERO),
                limit_used=limits.get(f"grant:{one.grant}", ZERO),
            )
            for one in case.candidates
        ),
    )


def _plus(amounts: Counters, more: Counters) -> dict[str, Decimal]:
    return {name: max(amounts.get(name, ZERO) + more.get(name, ZERO), ZERO) for name in {*amounts, *more}}
