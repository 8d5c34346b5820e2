"""Bills of care: quote, settle, reverse. Load, decide (pure), apply."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import partial
from typing import Any

from accounts.actions import messages
from accounts.calls import Call, Moved
from accounts.clock import now
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import Institution, Member, User
from accounts.money import ZERO, plain
from settlements import ledger
from settlements.actions.recording import recorded, recording
from settlements.domain.allocation import OWN, WALLET, Allocation, Candidate, allocate, order_sources, room
from settlements.domain.assessment import Claim, Decision, assess
from settlements.domain.parameters import NoValue
from settlements.enums import Contra, EntryKind, WalletEntryKind
from settlements.ledger import wallets
from settlements.models import Settlement, SettlementPayer
from settlements.queries.care import BEGIN, CareFacts, GrantorAccount, decided_on, facts_of
from settlements.queries.wallet import paid_with

# Who is owed what accounts pay of a bill, by the kind of its transaction; also the scope of its key.
SCOPE: dict[str, str] = {EntryKind.CARE: Contra.INSTITUTION, EntryKind.CLAIM: Contra.CLAIM}


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


def quote(
    *,
    patient: Member,
    institution: Institution | None,
    bill: Bill,
    on: datetime.date,
    use_account: bool = True,
    use_family: bool = True,
    kind: str = EntryKind.CARE,
) -> Quote:
    """What settling the bill on a day would take, and from whom; writes and locks nothing. Arguments as of `settle`.

    Raises Refused: future_care, not_insured, closed, not_covered (no scheme on that day, no rate for the level).
    """
    _refuse_future(bill, on)
    facts, usage, accounts, wallet = decided_on(
        member_id=patient.pk,
        kind=bill.kind,
        on=on,
        service_on=bill.service_on or on,
        use_account=use_account,
        use_family=use_family,
        use_wallet=_uses_wallet(kind, use_account),
    )
    own_id = facts.account_id if use_account else None
    return _decide(facts, institution, bill, on, usage, accounts, own_id, wallet)


def settle(
    *,
    patient: Member,
    institution: Institution,
    bill: Bill,
    on: datetime.date,
    key: str,
    by: User | None = None,
    use_account: bool = True,
    use_family: bool = True,
    kind: str = EntryKind.CARE,
    unsent: list[Call] | None = None,
) -> Settlement:
    """Settle a bill against the family's accounts; idempotent by (institution, key): the first settlement is given again.

    `kind`: care, or claim where the patient has paid the bill in cash and is paid back (`actions.claims`); a wallet pays
    only the former. `use_account`: the patient's own money, account and wallet.
    Raises Refused: future_care (after `on`), not_insured, closed, not_covered (kept as the answer), and KeyReused for
    another bill with the key. The ledger transaction is the audit line: it names institution, key and who. `unsent`: see
    `ledger.once`; who gives it wraps his transaction into `ledger.again_locked`.
    """
    asked = _Asked(patient.pk, institution, bill, on, use_account, use_family, kind)
    work = partial(_settle_once, asked, key, by, unsent)
    return work() if unsent is not None else ledger.again_locked(work)


def reverse(
    *, settlement: Settlement, on: datetime.date, key: str, by: User | None = None
) -> dict[int, tuple[Decimal, Decimal]]:
    """Undo a settlement whole: each leg back to its payer, also after unbinding; account id -> (current, historical).
    What a wallet paid goes back into it, whether it still pays bills or not.

    After the payer's year has closed, what came from current goes to historical; the counters of the year in which the
    bill counted are given back. Amounts in yuan. Raises Refused("duplicate") for a settlement already reversed.
    Source: domain.md 5, numbers 9 and 10.
    """
    answer = ledger.once(
        scope=f"institution:{settlement.institution_id}",
        key=key,
        request={"reverse": settlement.pk},
        kind=EntryKind.REVERSAL,
        on=on,
        region_id=settlement.region_id,
        by_id=by.pk if by else None,
        work=partial(_reverse, settlement.pk, on),
        reverses_id=settlement.transaction_id,
    )
    return {
        int(account_id): (Decimal(current), Decimal(historical))
        for account_id, (current, historical) in answer["returned"].items()
    }


def _refuse_future(bill: Bill, on: datetime.date) -> None:
    if bill.service_on is not None and bill.service_on > on:
        raise Refused("future_care")


def _uses_wallet(kind: str, use_account: bool) -> bool:
    """A claim is paid out in money: what lies in a wallet must not become cash that way (decision 0026)."""
    return use_account and kind == EntryKind.CARE


def _decide(
    facts: CareFacts,
    institution: Institution | None,
    bill: Bill,
    on: datetime.date,
    usage: Mapping[int, Mapping[str, Decimal]],
    accounts: Mapping[int, Any],
    own_id: int | None,
    wallet: Decimal,
) -> Quote:
    service_on = bill.service_on or on
    signed = bill.signed
    if signed is None:
        signed = institution is not None and facts.signed_institution_id == institution.pk
    claim = Claim(
        person=facts.person,
        level=bill.level,
        in_scope=bill.in_scope,
        pre_self_pay=bill.pre_self_pay,
        self_paid=bill.self_paid,
        institution=institution.code if institution else "",
        signed=signed,
    )
    own = _own(facts, accounts, own_id)
    try:
        decision = assess(facts.scheme.scheme, claim, usage.get(facts.counted_year, {}), own, service_on)
    except NoValue as missing:
        raise Refused("not_covered", why=missing.why, level=bill.level) from None
    limits_used = usage.get(facts.settled_year, {})
    candidates = tuple(
        _candidate(place, grantor, accounts, limits_used) for place, grantor in enumerate(facts.grantors)
    )
    sources = order_sources(facts.rules.order, candidates, facts.rules.keep) if facts.rules else ()
    allocation = allocate(decision, own, sources, wallet)
    payers = _payers(facts, allocation)
    return Quote(
        facts=facts,
        bill=bill,
        service_on=service_on,
        signed=signed,
        decision=decision,
        allocation=allocation,
        candidates=candidates,
        payers=payers,
        counters=_counters(facts, decision, payers),
        own=own,
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


@dataclass(frozen=True)
class _Asked:
    """What `settle` was asked."""

    patient_id: int
    institution: Institution
    bill: Bill
    on: datetime.date
    use_account: bool
    use_family: bool
    kind: str

    @property
    def service_on(self) -> datetime.date:
        return self.bill.service_on or self.on

    def as_request(self) -> dict[str, Any]:
        return {
            "settle": self.bill.as_request(),
            "patient": self.patient_id,
            "account": self.use_account,
            "family": self.use_family,
        }


def _settle_once(asked: _Asked, key: str, by: User | None, unsent: list[Call] | None) -> Settlement:
    """Decided on what accounts held a moment ago, and held against them when it is written; or under their locks."""
    made: list[Settlement] = []
    at, locked, institution = ledger.moment(asked.on), ledger.locks_first(), asked.institution
    use_wallet = _uses_wallet(asked.kind, asked.use_account)
    facts = [
        asked.patient_id, asked.bill.kind, asked.service_on, asked.use_account, asked.use_family, use_wallet, at, locked,
    ]  # fmt: skip
    answer = ledger.once(
        scope=f"{SCOPE[asked.kind]}:{institution.pk}",
        key=key,
        request=asked.as_request(),
        kind=asked.kind,
        on=asked.on,
        region_id=institution.region_id,
        by_id=by.pk if by else None,
        work=partial(_settle, asked, at, locked, made),
        begin=lambda claimed: Call(BEGIN, [*claimed, *facts]),
        unsent=unsent,
    )
    return made[0] if made else Settlement.objects.get(pk=answer["settlement"])


def _settle(
    asked: _Asked,
    at: datetime.datetime,
    locked: bool,
    made: list[Settlement],
    transaction_id: int,
    settlement_id: int,
    found: list[Any] | None,
    opened: dict[str, Any],
    purse: list[Any] | None,
) -> ledger.Decided:
    institution, bill, on, kind = asked.institution, asked.bill, asked.on, asked.kind
    _refuse_future(bill, on)
    facts = facts_of(asked.patient_id, bill.kind, asked.service_on, found)
    own_id = facts.account_id if asked.use_account else None
    books = ledger.opened(patient_id=asked.patient_id, on=on, at=at, found=opened, locked=locked)
    wallet = wallets.opened(purse, at, locked) if purse else None
    held = wallet.balance if wallet else ZERO
    try:
        quoted = _decide(facts, institution, bill, on, books.usage, books.accounts, own_id, held)
    except Refused:
        if locked:
            raise
        # A refusal is kept for good, and there is nothing to hold it against when it is written.
        raise Moved from None
    movements = [
        ledger.Movement(
            account_id=payer.account_id,
            kind=kind,
            contra=SCOPE[kind],
            contra_id=institution.pk,
            current=-payer.current,
            historical=-payer.historical,
        )
        for payer in quoted.payers
    ]
    posting = books.posting(transaction_id, movements, quoted.counters, None if locked else _rooms(quoted))
    settlement = _settlement(settlement_id, quoted, institution, on, transaction_id)
    left = None if own_id is None else books.accounts[own_id]
    settlement.own_left = left and (left.current, left.historical)
    made.append(settlement)
    told = _told_to_grantors(quoted, settlement, institution)
    calls = [
        posting,
        recording(settlement, _charged(quoted, books)),
        *_spent(wallet, quoted.wallet, transaction_id, on),
        *([messages.telling(told, at=now())] if told else []),
    ]
    return ledger.Decided({"settlement": settlement_id}, calls, kept=True)


def _settlement(
    settlement_id: int, quoted: Quote, institution: Institution, on: datetime.date, transaction_id: int
) -> Settlement:
    facts = quoted.facts
    return recorded(
        institution=institution,
        id=settlement_id,
        public_id=uuid.uuid4(),
        transaction_id=transaction_id,
        region_id=facts.region_id,
        patient_id=facts.member_id,
        institution_id=institution.pk,
        insurance=facts.insurance,
        scheme_id=facts.scheme.id,
        kind=quoted.bill.kind,
        level=quoted.bill.level,
        signed=quoted.signed,
        service_on=quoted.service_on,
        settled_on=on,
        counted_year=facts.counted_year,
        in_scope=quoted.in_scope,
        pre_self_pay=quoted.pre_self_pay,
        self_paid=quoted.self_paid,
        deductible=quoted.deductible,
        fund=quoted.fund,
        supplement=quoted.supplement,
        own_current=quoted.own_current,
        own_historical=quoted.own_historical,
        shared=quoted.shared,
        wallet=quoted.wallet,
        cash=quoted.cash,
        counters={
            str(year): {name: plain(amount) for name, amount in names.items()}
            for year, names in quoted.counters.items()
        },
        steps=quoted.steps,
        order={
            "strategy": facts.rules.order if facts.rules else "",
            "grants": [grantor.grant_id for grantor in facts.grantors],
        },
        reversed_on=None,
    )


def _rooms(quoted: Quote) -> dict[int, ledger.Room]:
    """Relatives' accounts: between what balances the bill comes out the same. The own account has to be as it was read."""
    rules, paid = quoted.facts.rules, {payer.account_id: payer.historical for payer in quoted.payers}
    if rules is None:
        return {}
    return {
        int(one.account): room(rules.order, one, rules.keep, paid.get(int(one.account), ZERO))
        for one in quoted.candidates
    }


def _charged(quoted: Quote, books: ledger.Books) -> list[dict[str, Any]]:
    return [
        {
            "account_id": payer.account_id,
            "member_id": payer.member_id,
            "grant_id": payer.grant_id,
            "benefit_year": books.accounts[payer.account_id].benefit_year,
            "current": payer.current,
            "historical": payer.historical,
        }
        for payer in quoted.payers
    ]


def _spent(
    wallet: wallets.OpenWallet | None, amount: Decimal, transaction_id: int, on: datetime.date
) -> tuple[Call, ...]:
    if wallet is None or not amount:
        return ()
    return (wallets.moving(wallet, -amount, transaction_id=transaction_id, kind=WalletEntryKind.CARE, on=on),)


def _told_to_grantors(quoted: Quote, settlement: Settlement, institution: Institution) -> list[messages.Told]:
    """Who shares his account hears of every use: how much and where, never what for."""
    return [
        messages.Told(
            member_id=payer.member_id,
            kind="shared_use",
            params={
                "beneficiary": mask_name(quoted.facts.name),
                "amount": plain(payer.amount),
                "institution": institution.name,
                "used_on": settlement.settled_on.isoformat(),
            },
        )
        for payer in quoted.payers
        if payer.grant_id
    ]


def _reverse(settlement_id: int, on: datetime.date, transaction_id: int) -> dict[str, Any]:
    # The row lock makes a second reversal wait and then see the first.
    bills = Settlement.objects.select_related("transaction").select_for_update(no_key=True, of=("self",))
    settlement = bills.get(pk=settlement_id)
    if settlement.reversed_on is not None:
        raise Refused("duplicate", **({"why": "recalculated"} if hasattr(settlement, "replaced_by") else {}))
    payers = list(settlement.payers.all())
    counters = {
        int(year): {name: -Decimal(amount) for name, amount in names.items()}
        for year, names in settlement.counters.items()
    }
    books = ledger.open(
        patient_id=settlement.patient_id,
        years=counters,
        account_ids=[payer.account_id for payer in payers],
        on=on,
    )
    movements = [_back(payer, books.accounts[payer.account_id], settlement) for payer in payers]
    _give_back(settlement, transaction_id, on)
    books.post(transaction_id, movements, counters)
    Settlement.objects.filter(pk=settlement.pk).update(reversed_on=on)
    return {
        "returned": {
            movement.account_id: (plain(movement.current), plain(movement.historical)) for movement in movements
        }
    }


def _give_back(settlement: Settlement, transaction_id: int, on: datetime.date) -> None:
    """What a wallet paid, back into it; its lock comes after those of accounts."""
    if settlement.wallet:
        wallet = wallets.lock(paid_with(settlement).pk, ledger.moment(on))
        wallets.move(wallet, settlement.wallet, transaction_id=transaction_id, kind=WalletEntryKind.REVERSAL, on=on)


def _back(payer: SettlementPayer, account: ledger.OpenAccount, settlement: Settlement) -> ledger.Movement:
    """One leg back to its payer; the current of a closed year is historical by now."""
    year_closed = account.benefit_year > payer.benefit_year
    return ledger.Movement(
        account_id=payer.account_id,
        kind=EntryKind.REVERSAL,
        contra=SCOPE[settlement.transaction.kind],
        contra_id=settlement.institution_id,
        current=ZERO if year_closed else payer.current,
        historical=payer.historical + payer.current if year_closed else payer.historical,
    )
