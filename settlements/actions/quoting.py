"""What a bill comes to, decided from facts that are loaded: nothing here reads, locks or writes."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from accounts.errors import Refused
from accounts.models import Institution
from accounts.money import ZERO, plain
from settlements import ledger
from settlements.domain.allocation import OWN, WALLET, Allocation, Candidate, allocate, order_sources, room
from settlements.domain.assessment import Claim, Decision, assess
from settlements.domain.parameters import NoValue
from settlements.queries.care import CareFacts, GrantorAccount


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A bill as an institution sends it; amounts in yuan, in classes that do not overlap.

    `kind`: outpatient, inpatient, pharmacy; `level`: of the institution; `service_on`: day of care (discharge for a
    stay), the day of settlement if None; `signed`: at the patient's signed institution, looked up if None.
    """

    kind: str
    level: str
    in_scope: Decimal
    pre_self_pay: Decimal = ZERO
    self_paid: Decimal = ZERO
    service_on: datetime.date | None = None
    signed: bool | None = None

    def as_request(self) -> dict[str, Any]:
        """What counts when a key comes again: the same bill is the same request."""
        said = {name: getattr(self, name) for name in _BILL}
        return {name: plain(value) if isinstance(value, Decimal) else value for name, value in said.items()}


_BILL = [field.name for field in fields(Bill)]


@dataclass(frozen=True, kw_only=True)
class Payer:
    """What one account pays of a bill, in yuan; `grant_id` is None for the patient's own account."""

    member_id: int
    account_id: int
    grant_id: int | None
    current: Decimal
    historical: Decimal

    @property
    def amount(self) -> Decimal:
        """Both buckets."""
        return self.current + self.historical


@dataclass(frozen=True, kw_only=True)
class Quote:
    """How a bill is shared out; amounts in yuan. in_scope + pre_self_pay + self_paid = all the others.

    `own`: what the patient's own account held before it, current and historical; empty where it may not pay.
    """

    facts: CareFacts
    bill: Bill
    service_on: datetime.date
    signed: bool
    decision: Decision
    allocation: Allocation
    candidates: tuple[Candidate, ...]
    payers: tuple[Payer, ...]
    counters: Mapping[int, Mapping[str, Decimal]]
    own: Mapping[str, Decimal]

    @property
    def in_scope(self) -> Decimal:
        return self.bill.in_scope

    @property
    def pre_self_pay(self) -> Decimal:
        return self.bill.pre_self_pay

    @property
    def self_paid(self) -> Decimal:
        return self.bill.self_paid

    @property
    def total(self) -> Decimal:
        return self.in_scope + self.pre_self_pay + self.self_paid

    @property
    def fund(self) -> Decimal:
        return self.decision.fund

    @property
    def supplement(self) -> Decimal:
        return self.decision.supplement

    @property
    def deductible(self) -> Decimal:
        return self.decision.deductible

    @property
    def own_current(self) -> Decimal:
        return self.allocation.paid(OWN, "current")

    @property
    def own_historical(self) -> Decimal:
        return self.allocation.paid(OWN, "historical")

    @property
    def shared(self) -> Decimal:
        return sum((payer.amount for payer in self.payers if payer.grant_id), ZERO)

    @property
    def wallet(self) -> Decimal:
        return self.allocation.paid(WALLET)

    @property
    def cash(self) -> Decimal:
        return self.allocation.cash

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The working as stored: rule keys, amounts and parameters."""
        return [step.as_data() for step in (*self.decision.steps, *self.allocation.steps)]


def decide(
    facts: CareFacts,
    institution: Institution | None,
    bill: Bill,
    on: datetime.date,
    usage: Mapping[int, Mapping[str, Decimal]],
    accounts: Mapping[int, Any],
    own_id: int | None,
    wallet: Decimal,
) -> Quote:
    """Share a bill out. `usage`: year -> counter -> yuan; `accounts`: id -> what it holds on the day, with `current` and
    `historical`; `own_id`: the patient's own, None where it may not pay; `wallet`: yuan that his wallet may pay.

    Raises Refused: not_covered (no rate for the level).
    """
    service_on, claim = bill.service_on or on, _claim(facts, institution, bill)
    own = _own(facts, accounts, own_id)
    try:
        decision = assess(facts.scheme.scheme, claim, usage.get(facts.counted_year, {}), own, service_on)
    except NoValue as missing:
        raise Refused("not_covered", why=missing.why, level=bill.level) from None
    limits_used = usage.get(facts.settled_year, {})
    candidates = tuple(
        _candidate(place, grantor, accounts, limits_used) for place, grantor in enumerate(facts.grantors)
    )
    rules = facts.rules
    sources = order_sources(rules.order, candidates, rules.keep) if rules and rules.pays_on(on) else ()
    allocation = allocate(decision, own, sources, wallet)
    payers = _payers(facts, allocation)
    return Quote(
        facts=facts,
        bill=bill,
        service_on=service_on,
        signed=claim.signed,
        decision=decision,
        allocation=allocation,
        candidates=candidates,
        payers=payers,
        counters=_counters(facts, decision, payers),
        own=own,
    )


def rooms(quoted: Quote) -> dict[int, ledger.Room]:
    """Relatives' accounts: between what balances the bill comes out the same. The own account has to be as it was read."""
    rules, paid = quoted.facts.rules, {payer.account_id: payer.historical for payer in quoted.payers}
    if rules is None:
        return {}
    return {
        int(one.account): room(rules.order, one, rules.keep, paid.get(int(one.account), ZERO))
        for one in quoted.candidates
    }


def _claim(facts: CareFacts, institution: Institution | None, bill: Bill) -> Claim:
    signed = bill.signed
    if signed is None:
        signed = institution is not None and facts.signed_institution_id == institution.pk
    return Claim(
        person=facts.person,
        level=bill.level,
        in_scope=bill.in_scope,
        pre_self_pay=bill.pre_self_pay,
        self_paid=bill.self_paid,
        institution=institution.code if institution else "",
        signed=signed,
    )


def _own(facts: CareFacts, accounts: Mapping[int, Any], own_id: int | None) -> dict[str, Decimal]:
    if own_id is None:
        return {}
    return {"current": accounts[own_id].current, "historical": accounts[own_id].historical}


def _candidate(
    place: int, grantor: GrantorAccount, accounts: Mapping[int, Any], limits_used: Mapping[str, Decimal]
) -> Candidate:
    return Candidate(
        grant=str(grantor.grant_id),
        account=str(grantor.account_id),
        name=grantor.grantor_name,
        balance=accounts[grantor.account_id].historical,
        bound_on=grantor.bound_on,
        bound_order=grantor.grant_id,
        position=place,
        limit=grantor.limit,
        limit_used=limits_used.get(f"grant:{grantor.grant_id}", ZERO),
        uses_care=grantor.uses_care,
        status=grantor.status,
    )


def _payers(facts: CareFacts, allocation: Allocation) -> tuple[Payer, ...]:
    """One payer an account, in the order in which each was first charged."""
    grantors = {str(grantor.grant_id): grantor for grantor in facts.grantors}
    order = dict.fromkeys(leg.payer for leg in allocation.legs if leg.payer != WALLET)
    payers = []
    for payer in order:
        grantor = grantors.get(payer)
        account_id = grantor.account_id if grantor else facts.account_id
        assert account_id is not None
        payers.append(
            Payer(
                member_id=grantor.grantor_id if grantor else facts.member_id,
                account_id=account_id,
                grant_id=grantor.grant_id if grantor else None,
                current=allocation.paid(payer, "current"),
                historical=allocation.paid(payer, "historical"),
            )
        )
    return tuple(payers)


def _counters(facts: CareFacts, decision: Decision, payers: tuple[Payer, ...]) -> dict[int, dict[str, Decimal]]:
    counters = {facts.counted_year: {name: amount for name, amount in decision.counters.items() if amount}}
    for payer in payers:
        if payer.grant_id:
            counters.setdefault(facts.settled_year, {})[f"grant:{payer.grant_id}"] = payer.amount
    return counters
