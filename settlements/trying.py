"""A bill tried out: what it would take, and from whom, without telling what a relative's account holds.

Whoever may type amounts could find a relative's balance by typing until it no longer reaches. So of relatives' accounts an
example tells only that together they surely reach, in steps, and up to what a usual visit needs (decision 0021); what a
relative has told of himself, his limit and a pause, is used as it is.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Member
from accounts.money import ZERO, plain
from settlements.actions import care
from settlements.domain.allocation import Candidate, order_sources
from settlements.ledger import balances
from settlements.queries.care import GrantorAccount
from settlements.queries.usage import usage_of

# Decisions of the product, no rule: the mean payment from a relative's account was about 148 yuan (domain.md 1.4).
STEP = Decimal("100.00")
TOLD_UP_TO = Decimal("1000.00")
# What may be typed at all.
MOST = Decimal("100000.00")
SURE, UNSURE = "family", "family or cash"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How a bill would be paid, as its patient may see it; amounts in yuan, the names those of a settlement.

    `family`: what relatives' accounts pay if `sure`, and otherwise what they and cash pay together.
    """

    in_scope: Decimal
    pre_self_pay: Decimal
    self_paid: Decimal
    fund: Decimal
    supplement: Decimal
    own_current: Decimal
    own_historical: Decimal
    wallet: Decimal
    family: Decimal
    sure: bool
    cash: Decimal
    steps: list[dict[str, Any]]
    quoted: care.Quote

    @property
    def total(self) -> Decimal:
        """The bill."""
        return self.in_scope + self.pre_self_pay + self.self_paid


def family_names() -> dict[str, str]:
    """What relatives' accounts together are called in the working."""
    return {SURE: _("Your relatives' accounts"), UNSURE: _("Your relatives' accounts, and what they lack in cash")}


def try_bill(member: Member, bill: care.Bill, on: datetime.date, use_family: bool = True) -> Tried:
    """What settling the bill on a day would take; writes nothing. Raises Refused as `care.quote`."""
    quoted = care.quote(patient=member, institution=None, bill=bill, on=on, use_family=use_family)
    offered = _offered(quoted)
    need, room = _need(quoted) if offered else ZERO, _room(offered)
    known_cash = max(need - room, ZERO) if room is not None else ZERO
    family = need - known_cash
    sure = bool(family) and family <= TOLD_UP_TO and _reach(quoted, on) >= _step_up(family)
    steps = _guarded(quoted, known_cash, SURE if sure else UNSURE) if offered else quoted.steps
    return Tried(
        in_scope=quoted.in_scope,
        pre_self_pay=quoted.pre_self_pay,
        self_paid=quoted.self_paid,
        fund=quoted.fund,
        supplement=quoted.supplement,
        own_current=quoted.own_current,
        own_historical=quoted.own_historical,
        wallet=quoted.wallet,
        family=family,
        sure=sure,
        cash=quoted.cash + quoted.shared - family,
        steps=steps,
        quoted=quoted,
    )


def _offered(quoted: care.Quote) -> list[tuple[GrantorAccount, Decimal | None]]:
    """The grantors who may be asked as the patient can see for himself, each with what his limit leaves (None: no limit)."""
    facts = quoted.facts
    used = usage_of(facts.member_id, [facts.settled_year])[facts.settled_year]
    found = []
    for one in facts.grantors:
        left = None if one.limit is None else one.limit - used.get(f"grant:{one.grant_id}", ZERO)
        if one.uses_care and (left is None or left > 0):
            found.append((one, left))
    return found


def _room(offered: Sequence[tuple[GrantorAccount, Decimal | None]]) -> Decimal | None:
    """What the limits leave together; None where one has no limit."""
    lefts = [left for _one, left in offered]
    return None if None in lefts else sum((left for left in lefts if left is not None), ZERO)


def _shareable(quoted: care.Quote) -> set[str]:
    """The item classes that relatives' accounts may pay here."""
    return {name for name, row in quoted.decision.payers.items() if any(payer.bucket == "shared" for payer in row)}


def _need(quoted: care.Quote) -> Decimal:
    """What is left for relatives' accounts after the patient's own account and wallet."""
    classes = _shareable(quoted)
    found = [
        Decimal(step["amount"])
        for step in quoted.steps
        if step["key"] in ("pay.shared", "pay.cash") and step["params"]["item_class"] in classes
    ]
    return sum(found, ZERO)


def _reach(quoted: care.Quote, on: datetime.date) -> Decimal:
    """What relatives' accounts could pay together; never shown."""
    facts = quoted.facts
    if facts.rules is None or not facts.rules.pays_on(on):
        return ZERO
    used = usage_of(facts.member_id, [facts.settled_year])[facts.settled_year]
    held = balances([one.account_id for one in facts.grantors], on)
    candidates = [
        Candidate(
            grant=str(one.grant_id),
            account=str(one.account_id),
            name="",
            balance=held[one.account_id].historical,
            bound_on=one.bound_on,
            bound_order=one.grant_id,
            limit=one.limit,
            limit_used=used.get(f"grant:{one.grant_id}", ZERO),
            uses_care=one.uses_care,
            status=one.status,
        )
        for one in facts.grantors
    ]
    sources = order_sources(facts.rules.order, candidates, facts.rules.keep)
    return sum((source.available for source in sources), ZERO)


def _step_up(amount: Decimal) -> Decimal:
    """The next whole step: an answer about any amount is one about that step."""
    return (amount / STEP).to_integral_value(ROUND_CEILING) * STEP


def _guarded(quoted: care.Quote, known_cash: Decimal, who: str) -> list[dict[str, Any]]:
    """The working with relatives' legs, and the cash that might be theirs, told as one."""
    classes = _shareable(quoted)
    left = dict.fromkeys(classes, ZERO)
    kept = []
    for step in quoted.steps:
        item_class = step["params"].get("item_class", "")
        if step["key"] in ("pay.shared", "pay.cash") and item_class in classes:
            left[item_class] += Decimal(step["amount"])
        else:
            kept.append(step)
    # Money goes to the classes in their order, so what is surely cash lies in the last ones.
    for item_class in reversed([name for name in ("in_scope", "pre_self_pay", "self_paid") if name in classes]):
        cash = min(left[item_class], known_cash)
        known_cash -= cash
        if left[item_class] > cash:
            kept.append(_step("pay.shared", left[item_class] - cash, item_class, grant=who, account=""))
        if cash:
            kept.append(_step("pay.cash", cash, item_class))
    return kept


def _step(key: str, amount: Decimal, item_class: str, **params: str) -> dict[str, Any]:
    return {"key": key, "amount": plain(amount), "params": {"item_class": item_class, "before": "", **params}}
