"""A settled bill decided anew on other counters, with the money of those who paid it and nobody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.money import ZERO, plain
from settlements.domain.allocation import OWN, WALLET
from settlements.domain.assessment import Decision

# A stored step as `Step.as_data` makes it.
Stored = Mapping[str, Any]
IN_SCOPE = "in_scope"
ACCOUNT_STAGE = "stage.account"


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A bill as it comes out anew, in yuan. `paid`: who (own, wallet or the id of a grant) -> bucket -> amount."""

    decision: Decision
    paid: Mapping[str, Mapping[str, Decimal]]
    cash: Decimal
    steps: tuple[Stored, ...]


def staged(steps: Sequence[Stored]) -> dict[str, Decimal]:
    """Bucket -> what an account stage took of the bill; the balance to decide it on again, so that it takes as much."""
    return {
        step["params"]["bucket"]: Decimal(step["amount"])
        for step in steps
        if step["key"] == ACCOUNT_STAGE and Decimal(step["amount"])
    }


def replay(steps: Sequence[Stored], decision: Decision) -> Replayed:
    """Allocate a bill decided anew among those who paid it: nobody's account pays more than it did, the rest is cash.

    `steps`: the stored working of the bill; `decision`: by today's counters, its account stage on `staged(steps)`. The
    other classes of the bill stay as they were: no counter touches them. In the bill's own order of payers, so that what
    the fund takes over relieves cash first, and then the last relative.
    """
    left = decision.personal[IN_SCOPE]
    told: list[Stored] = []
    for step in steps:
        if not step["key"].startswith("pay."):
            continue
        if step["params"]["item_class"] != IN_SCOPE:
            told.append(step)
        elif step["key"] != "pay.cash":
            amount = min(Decimal(step["amount"]), left)
            left -= amount
            if amount:
                told.append({**step, "amount": plain(amount)})
    if left:
        told.append({"key": "pay.cash", "amount": plain(left), "params": {"item_class": IN_SCOPE}})
    paid = _paid(decision, told)
    cash = sum((Decimal(step["amount"]) for step in told if step["key"] == "pay.cash"), ZERO)
    return Replayed(
        decision=decision,
        paid=paid,
        cash=cash,
        steps=(*_stages(steps, decision), *told),
    )


def _stages(steps: Sequence[Stored], decision: Decision) -> list[Stored]:
    """The stages anew; what an account held is told as it was then."""
    held = {step["params"]["bucket"]: step["params"]["balance"] for step in steps if step["key"] == ACCOUNT_STAGE}
    anew: list[Stored] = []
    for step in (row.as_data() for row in decision.steps):
        if step["key"] == ACCOUNT_STAGE:
            step["params"]["balance"] = held.get(step["params"]["bucket"], step["params"]["balance"])
        anew.append(step)
    return anew


def _paid(decision: Decision, told: Sequence[Stored]) -> dict[str, dict[str, Decimal]]:
    paid: dict[str, dict[str, Decimal]] = {}

    def add(who: str, bucket: str, amount: Decimal) -> None:
        buckets = paid.setdefault(who, {})
        buckets[bucket] = buckets.get(bucket, ZERO) + amount

    for bucket, amount in decision.account.items():
        if amount:
            add(OWN, bucket, amount)
    for step in told:
        kind, amount = step["key"], Decimal(step["amount"])
        if kind.startswith("pay.own_"):
            add(OWN, kind.removeprefix("pay.own_"), amount)
        elif kind == "pay.wallet":
            add(WALLET, WALLET, amount)
        elif kind == "pay.shared":
            add(str(step["params"]["grant"]), "historical", amount)
    return paid
