"""What the pooled fund pays of a bill and what is left to the patient: one fold over the stages of a scheme."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from accounts.money import ZERO, fen, is_fen, plain
from settlements.domain.parameters import Circumstances, NotKnown, Person
from settlements.domain.scheme import (
    ITEM_CLASSES,
    AccountStage,
    DeductibleStage,
    Payer,
    RateStage,
    Scheme,
    Stage,
    SupplementStage,
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A bill in yuan, split into classes that do not overlap, and where it comes from. ValueError for bad amounts."""

    person: Person
    level: str
    in_scope: Decimal
    pre_self_pay: Decimal = ZERO
    self_paid: Decimal = ZERO
    institution: str = ""
    signed: bool = False

    def __post_init__(self) -> None:
        for item_class in ITEM_CLASSES:
            amount: Decimal = getattr(self, item_class)
            if not is_fen(amount) or amount < 0:
                raise ValueError(f"{item_class} is no amount in yuan: {amount}")

    @property
    def total(self) -> Decimal:
        """The whole bill."""
        return self.in_scope + self.pre_self_pay + self.self_paid


@dataclass(frozen=True)
class Step:
    """One line of the working: a rule key, its amount in yuan and JSON-able parameters; sentences are made elsewhere.

    Keys: stage.account, stage.deductible, stage.rate, stage.cap, stage.supplement, suspended, frozen,
    pay.own_current, pay.own_historical, pay.wallet, pay.shared, pay.cash. Amounts in `params` are texts with two decimals.
    """

    key: str
    amount: Decimal
    params: Mapping[str, Any]

    def as_data(self) -> dict[str, Any]:
        """For storing with the settlement."""
        return {"key": self.key, "amount": plain(self.amount), "params": dict(self.params)}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How a bill is shared out before the personal share is allocated; all amounts in yuan.

    `account`: bucket -> what an account stage takes; `personal`: item class -> what is left to the patient, of which
    `deductible` is a part; `payers`: item class -> who pays it, in order; `counters`: counter -> what to add.
    fund + supplement + account + personal = the bill.
    """

    fund: Decimal
    supplement: Decimal
    deductible: Decimal
    account: Mapping[str, Decimal]
    personal: Mapping[str, Decimal]
    payers: Mapping[str, tuple[Payer, ...]]
    counters: Mapping[str, Decimal]
    steps: tuple[Step, ...]

    @property
    def total(self) -> Decimal:
        """The whole bill again."""
        return self.fund + self.supplement + sum(self.account.values(), ZERO) + sum(self.personal.values(), ZERO)


def assess(
    scheme: Scheme, claim: Claim, used: Mapping[str, Decimal], own: Mapping[str, Decimal], on: datetime.date
) -> Decision:
    """Share out a bill.

    `used`: counter -> yuan in the benefit year in which the bill counts (one that is missing is zero);
    `own`: bucket -> balance of the patient's own account (empty without one); `on`: the day of care.
    A suspended patient gets nothing from the fund and bears no deductible, but an account stage still pays; a frozen
    one gets and pays nothing but cash. Raises NoValue where the scheme has no parameter for the circumstances (NotKnown
    where it says itself that no source has one).
    """
    bill = _Bill(_counted(claim, scheme), used, own, on)
    if not scheme.known:
        raise NotKnown(bill.at)
    enrolment = claim.person.enrolment
    insured, uses_account = enrolment == "normal", enrolment in ("normal", "suspended")
    if not insured:
        bill.note(enrolment, ZERO)
    for stage in scheme.stages:
        if insured or (uses_account and isinstance(stage, AccountStage)):
            bill.apply(stage)
    return bill.decision(scheme.payers if uses_account else {})


def _counted(claim: Claim, scheme: Scheme) -> Claim:
    level = scheme.level_of(claim.level)
    return claim if level == claim.level else replace(claim, level=level)


def _deductible_key(stage: DeductibleStage, claim: Claim, on: datetime.date) -> str:
    """The counter of a deductible; by day and institution another one each time, such as deductible:2025-09-10:H1."""
    match stage.scope:
        case "level":
            return f"{stage.counter}:{claim.level}"
        case "institution":
            return f"{stage.counter}:{claim.institution}"
        case "day_institution":
            return f"{stage.counter}:{on.isoformat()}:{claim.institution}"
        case _:
            return stage.counter


@dataclass(frozen=True)
class _Slice:
    """A piece of the in-scope cost, in yuan, that lies in one band, and the fund's rate there."""

    cost: Fraction
    percent: Decimal

    @property
    def pays(self) -> Fraction:
        return self.cost * Fraction(self.percent) / 100


class _Bill:
    """A bill on its way through the stages; `rest` is the in-scope cost that no stage has taken yet."""

    def __init__(
        self, claim: Claim, used: Mapping[str, Decimal], own: Mapping[str, Decimal], on: datetime.date
    ) -> None:
        self.claim, self.used, self.own, self.on = claim, used, own, on
        self.at = Circumstances(person=claim.person, on=on, level=claim.level, signed=claim.signed)
        self.rest = claim.in_scope
        self.account: dict[str, Decimal] = {}
        self.fund = self.supplement = self.deductible = ZERO
        self.beyond: list[_Slice] = []
        self.counters: dict[str, Decimal] = {}
        self.steps: list[Step] = []

    def note(self, key: str, amount: Decimal, **params: Any) -> None:
        """Put a line under the working; amounts become texts."""
        shown = {name: plain(value) if isinstance(value, Decimal) else value for name, value in params.items()}
        self.steps.append(Step(key, amount, shown))

    def count(self, counter: str, amount: Decimal) -> None:
        """Add to a counter."""
        if counter and amount:
            self.counters[counter] = self.counters.get(counter, ZERO) + amount

    def left(self, limit: Decimal, counter: str) -> Decimal:
        """What a counter leaves of a limit; never below zero, for a limit may have been higher once."""
        return max(ZERO, limit - self.used.get(counter, ZERO) - self.counters.get(counter, ZERO))

    def apply(self, stage: Stage) -> None:
        """Let one stage take its part."""
        match stage:
            case AccountStage():
                self._account(stage)
            case DeductibleStage():
                self._deductible(stage)
            case RateStage():
                self._rate(stage)
            case SupplementStage():
                self._supplement(stage)

    def _account(self, stage: AccountStage) -> None:
        balance = self.own.get(stage.bucket, ZERO) - self.account.get(stage.bucket, ZERO)
        taken = min(self.rest, max(ZERO, balance))
        self.rest -= taken
        self.account[stage.bucket] = self.account.get(stage.bucket, ZERO) + taken
        self.note("stage.account", taken, bucket=stage.bucket, balance=balance, source=stage.source)

    def _deductible(self, stage: DeductibleStage) -> None:
        """The patient bears the rest of the deductible; a lower one than was borne already asks for nothing."""
        amount, key = stage.amount.at(self.at), _deductible_key(stage, self.claim, self.on)
        borne = min(self.rest, self.left(amount, key))
        self.note(
            "stage.deductible",
            borne,
            deductible=amount,
            used_before=self.used.get(key, ZERO),
            remaining=self.left(amount, key) - borne,
            scope=stage.scope,
            source=stage.source,
        )
        self.rest -= borne
        self.deductible += borne
        self.count(key, borne)

    def _rate(self, stage: RateStage) -> None:
        """The fund's entitlement on the rest, rounded once, as far as the cap has room."""
        slices = self._slices(stage)
        entitlement = fen(sum((piece.pays for piece in slices), Fraction(0)))
        self.note("stage.rate", entitlement, base=self.rest, bands=_shown(slices), axis=stage.axis, source=stage.source)
        self.fund = entitlement
        if stage.cap is not None:
            self._cap(stage, stage.counter, stage.cap.at(self.at))
        for sub in stage.within:
            self._cap(stage, sub.counter, sub.cap.at(self.at))
        if self.fund < entitlement:
            self.beyond = _after(slices, self.fund)
        for counter in (stage.counter, *(sub.counter for sub in stage.within)):
            self.count(counter, self.fund)
        self.count(stage.axis_counter, self.claim.in_scope)

    def _cap(self, stage: RateStage, counter: str, cap: Decimal) -> None:
        """One cap of the stage: the year's, or one within it, which has a counter of its own."""
        room = self.left(cap, counter)
        before, self.fund = self.fund, min(self.fund, room)
        within = {} if counter == stage.counter else {"within": counter}
        self.note(
            "stage.cap",
            self.fund,
            limit=cap,
            used_before=self.used.get(counter, ZERO),
            remaining=room - self.fund,
            reached=self.fund < before,
            source=stage.source,
            **within,
        )

    def _supplement(self, stage: SupplementStage) -> None:
        """A second fund on what lies beyond the cap."""
        if not self.beyond:
            return
        percent = None if stage.rate is None else stage.rate.at(self.at)
        slices = self.beyond if percent is None else [_Slice(piece.cost, percent) for piece in self.beyond]
        amount = fen(sum((piece.pays for piece in slices), Fraction(0)))
        limit = None if stage.limit is None else stage.limit.at(self.at)
        if limit is not None:
            amount = min(amount, self.left(limit, stage.counter))
        self.supplement = amount
        self.note(
            "stage.supplement",
            amount,
            base=fen(sum((piece.cost for piece in slices), Fraction(0))),
            bands=_shown(slices),
            limit=limit,
            used_before=self.used.get(stage.counter, ZERO),
            source=stage.source,
        )
        self.count(stage.counter, amount)

    def _slices(self, stage: RateStage) -> list[_Slice]:
        """The rest cut at the bands' ends, exactly."""
        slices: list[_Slice] = []
        rest, at = Fraction(self.rest), self._position(stage)
        for band in stage.bands:
            room = rest if band.up_to is None else max(Fraction(0), Fraction(band.up_to) - at)
            if band.rate is None:
                if min(rest, room):
                    raise NotKnown(self.at)
                continue
            percent = band.rate.at(self.at)
            if stage.axis == "fund" and band.up_to is not None:
                # The axis counts what the fund pays, so a yuan of it is more than a yuan of cost.
                room = room * 100 / Fraction(percent) if percent else rest
            cost = min(rest, room)
            if cost:
                slices.append(_Slice(cost, percent))
                rest -= cost
                at += slices[-1].pays if stage.axis == "fund" else cost
        return slices

    def _position(self, stage: RateStage) -> Fraction:
        """Where on the axis the rest begins."""
        if stage.axis == "fund":
            return Fraction(self.used.get(stage.counter, ZERO))
        borne_first = Fraction(self.claim.in_scope - self.rest)
        return borne_first + Fraction(self.used.get(stage.axis_counter, ZERO) if stage.axis == "in_scope" else ZERO)

    def decision(self, payers: Mapping[str, tuple[Payer, ...]]) -> Decision:
        """What has come out. ValueError if a fen was lost, which would be a fault of a stage."""
        claim = self.claim
        taken = self.fund + self.supplement + sum(self.account.values(), ZERO)
        personal = {
            "in_scope": claim.in_scope - taken,
            "pre_self_pay": claim.pre_self_pay,
            "self_paid": claim.self_paid,
        }
        if personal["in_scope"] < self.deductible:
            raise ValueError(f"the stages took {taken} of {claim.in_scope}, more than there was")
        return Decision(
            fund=self.fund,
            supplement=self.supplement,
            deductible=self.deductible,
            account=self.account,
            personal=personal,
            payers={item_class: payers.get(item_class, ()) for item_class in ITEM_CLASSES},
            counters=self.counters,
            steps=tuple(self.steps),
        )


def _after(slices: list[_Slice], fund: Decimal) -> list[_Slice]:
    """The slices that lie beyond what the fund still pays."""
    paid, beyond = Fraction(fund), []
    for piece in slices:
        here = min(paid, piece.pays)
        paid -= here
        left = piece.cost - here * 100 / Fraction(piece.percent) if piece.percent else Fraction(0)
        if left:
            beyond.append(_Slice(left, piece.percent))
    return beyond


def _shown(slices: list[_Slice]) -> list[dict[str, str]]:
    """The bands that the bill touches, for the working."""
    return [{"base": plain(piece.cost), "rate_percent": f"{piece.percent.normalize():f}"} for piece in slices]
