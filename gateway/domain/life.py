"""The life of a visit, as one table: what may follow what. A visit is paid in charge batches; each has its own stage.

Source: the message order and the preconditions of the transactions (interface, 1.6 and 2203 to 2208).
"""

from collections.abc import Mapping
from enum import StrEnum

# A visit with nothing settled is given up after so many days, counted from its registration or its last reversal; so
# long, too, a charged batch keeps its patient's account from being closed. Ours: no source names a figure.
DAYS = 30


class Stage(StrEnum):
    """Where a visit, or one charge batch of it, stands."""

    REGISTERED = "registered"
    CHARGED = "charged"
    SETTLED = "settled"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Step(StrEnum):
    """What an institution, or time, does to it; a quote (2206) leaves everything as it is."""

    DIAGNOSE = "diagnose"
    CHARGE = "charge"
    UNCHARGE = "uncharge"
    QUOTE = "quote"
    SETTLE = "settle"
    REVERSE = "reverse"
    CANCEL = "cancel"
    EXPIRE = "expire"


ENDS = frozenset({Stage.CANCELLED, Stage.EXPIRED})
_UNPAID = {
    Step.DIAGNOSE: Stage.CHARGED,
    Step.CHARGE: Stage.CHARGED,
    Step.UNCHARGE: Stage.REGISTERED,
    Step.QUOTE: Stage.CHARGED,
    Step.SETTLE: Stage.SETTLED,
    Step.EXPIRE: Stage.EXPIRED,
}
FOLLOWS: Mapping[Stage, Mapping[Step, Stage]] = {
    Stage.REGISTERED: {
        Step.DIAGNOSE: Stage.REGISTERED,
        Step.CHARGE: Stage.CHARGED,
        Step.CANCEL: Stage.CANCELLED,
        Step.EXPIRE: Stage.EXPIRED,
    },
    Stage.CHARGED: _UNPAID,
    # The doctor may come after the registration fee was settled.
    Stage.SETTLED: {Step.DIAGNOSE: Stage.SETTLED, Step.REVERSE: Stage.REVERSED},
    # The lines stand again, and may be settled anew.
    Stage.REVERSED: _UNPAID,
    Stage.CANCELLED: {},
    Stage.EXPIRED: {},
}
_WHY: Mapping[Stage, str] = {
    Stage.REGISTERED: "batch_empty",
    Stage.CHARGED: "lines_uploaded",
    Stage.SETTLED: "batch_settled",
    Stage.REVERSED: "lines_uploaded",
    Stage.CANCELLED: "visit_cancelled",
    Stage.EXPIRED: "visit_expired",
}


def stage_of(ended: str, *, lines: bool, settled: bool, reversed_once: bool = False) -> Stage:
    """The stage out of what is stored. `ended`: "", cancelled or expired; `lines`: whether uncancelled ones are there;
    `settled`: whether a settlement stands; `reversed_once`: whether one was taken back."""
    if settled:
        return Stage.SETTLED
    if ended:
        return Stage(ended)
    if reversed_once:
        return Stage.REVERSED
    return Stage.CHARGED if lines else Stage.REGISTERED


def refusal(stage: Stage, step: Step) -> str | None:
    """Why a step cannot follow now, as a code of `gateway.texts`; None if it can."""
    if step in FOLLOWS[stage]:
        return None
    if step == Step.REVERSE and stage not in ENDS:
        return "duplicate" if stage == Stage.REVERSED else "settlement_unknown"
    return _WHY[stage]
