"""The life of a stay in hospital, as one table: what may follow what.

Source: the message order of the interface (1.6): admission, lines, pre-settlement, discharge, settlement; undone in the
opposite order. That the discharge precedes the settlement is not stated there: here it does, but for a settlement in
the middle of a stay (mid_setl_flag 1), which pays the lines so far.
"""

import datetime
from collections.abc import Mapping
from enum import StrEnum

from settlements.domain.scheme import DeductibleStage, RateStage, Scheme


class Where(StrEnum):
    """Where a stay stands."""

    ADMITTED = "admitted"
    DISCHARGED = "discharged"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What an institution does to it; a quote (2303) leaves everything as it is."""

    CHANGE = "change"
    CHARGE = "charge"
    UNCHARGE = "uncharge"
    QUOTE = "quote"
    DISCHARGE = "discharge"
    SETTLE = "settle"
    SETTLE_PART = "settle_part"
    REVERSE = "reverse"
    READMIT = "readmit"
    CANCEL = "cancel"


_UNPAID = (Step.CHANGE, Step.CHARGE, Step.UNCHARGE, Step.QUOTE)
FOLLOWS: Mapping[Where, Mapping[Step, Where]] = {
    Where.ADMITTED: {
        **dict.fromkeys((*_UNPAID, Step.SETTLE_PART, Step.REVERSE), Where.ADMITTED),
        Step.DISCHARGE: Where.DISCHARGED,
        Step.CANCEL: Where.CANCELLED,
    },
    # Lines come in after the patient has gone: laboratories, drugs to take home.
    Where.DISCHARGED: {
        **dict.fromkeys((*_UNPAID, Step.REVERSE), Where.DISCHARGED),
        Step.SETTLE: Where.SETTLED,
        Step.READMIT: Where.ADMITTED,
    },
    Where.SETTLED: {Step.REVERSE: Where.DISCHARGED},
    Where.CANCELLED: {},
}
_WHY: Mapping[tuple[Where, Step], str] = {
    (Where.ADMITTED, Step.SETTLE): "not_discharged",
    (Where.ADMITTED, Step.READMIT): "discharge_unknown",
    (Where.DISCHARGED, Step.SETTLE_PART): "mid_after_discharge",
    (Where.DISCHARGED, Step.DISCHARGE): "stay_discharged",
    (Where.DISCHARGED, Step.CANCEL): "stay_discharged",
}
_WHY_EVER = {Where.SETTLED: "stay_settled", Where.CANCELLED: "stay_cancelled"}


def refusal(where: Where, step: Step) -> str | None:
    """Why a step cannot follow now, as a code of `gateway.texts`; None if it can."""
    if step in FOLLOWS[where]:
        return None
    return _WHY_EVER.get(where) or _WHY[where, step]


def is_within(day: datetime.date, first: datetime.date, last: datetime.date | None) -> bool:
    """Whether a day is one of the stay, the days of admission and discharge included; `last` None: not discharged."""
    return first <= day and (last is None or day <= last)


def days_of(first: datetime.date, last: datetime.date) -> int:
    """Days in hospital as they are charged: the day of discharge does not count, but one day always does."""
    return max((last - first).days, 1)


def goes_in_parts(scheme: Scheme) -> bool:
    """Whether a stay that is settled part by part comes to the same as settled whole: nothing in the scheme counts by
    the stay (a deductible of each) or by the bill (bands)."""
    for stage in scheme.stages:
        if isinstance(stage, DeductibleStage) and stage.scope == "stay":
            return False
        if isinstance(stage, RateStage) and stage.axis == "bill" and len(stage.bands) > 1:
            return False
    return True
