"""What the pooled fund pays of a bill and what is left to the patient: one fold over the stages of a scheme."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from accounts.domain.reading import HUNDRED
from accounts.money import ZERO, fen, is_fen, plain
from settlements.domain.parameters import Circumstances, Parameter, Person
from settlements.domain.scheme import (
    ITEM_CLASSES,
    AccountStage,
    DeductibleStage,
    Payer,
    RateStage,
    Scheme,
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
            if amount < 0 or not is_fen(amount):
                raise ValueError(f"{item_class} is no amount in yuan: {amount}")

    @property
    def total(self) -> Decimal:
        """The whole bill."""
        return self.in_scope + self.pre_self_pay + self.self_paid


@dataclass(frozen=True)
class Step:
    """One line of the working: a rule key, its amount in yuan and JSON-able parameters; sentences are made elsewhere.

    Keys: stage.account, stage.deductible, stage.rate, stage.cap, stage.supplement, suspended, frozen, share,
    pay.own_current, pay.own_historical, pay.shared, pay.cash. Amounts in `params` are texts with two decimals.
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
    Raises NoValue where the scheme has no parameter for the circumstances.
    """
    raise NotImplementedError


def counter_names(scheme: Scheme, claim: Claim, on: datetime.date) -> tuple[str, ...]:
    """The counters that assessing this bill reads and fills."""
    raise NotImplementedError
