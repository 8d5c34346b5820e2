"""Bills of care: quote, settle, reverse. Load, decide (`quoting`, pure), apply."""

import datetime
import uuid
from dataclasses import dataclass
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
from settlements.actions.quoting import Bill, Quote, decide, rooms
from settlements.actions.recording import recorded, recording
from settlements.enums import Contra, EntryKind, WalletEntryKind
from settlements.ledger import wallets
from settlements.models import Settlement, SettlementPayer
from settlements.queries.care import BEGIN, decided_on, facts_of
from settlements.queries.wallet import paid_with

# Who is owed what accounts pay of a bill, by the kind of its transaction; also the scope of its key.
SCOPE: dict[str, str] = {EntryKind.CARE: Contra.INSTITUTION, EntryKind.CLAIM: Contra.CLAIM}


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
    return decide(facts, institution, bill, on, usage, accounts, own_id, wallet)


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
        quoted = decide(facts, institution, bill, on, books.usage, books.accounts, own_id, held)
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
    posting = books.posting(transaction_id, movements, quoted.counters, None if locked else rooms(quoted))
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
