"""A settled bill explained: who paid how much and why, step by step, and the table of steps and payers.

Works on a `Settlement` and on a quote alike: both have the amounts of the bill and the stored steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import kinship, masks
from accounts.amounts import yuan
from accounts.language import is_chinese
from accounts.money import ZERO
from accounts.wording import comma
from settlements.models import Settlement
from settlements.telling import working

# Columns of the table and order of the payers; relatives stand between own money and cash.
FUND, SUPPLEMENT, CURRENT, HISTORICAL, WALLET, CASH = "fund", "supplement", "current", "historical", "wallet", "cash"
BAR_KIND = {
    FUND: "fund",
    SUPPLEMENT: "fund",
    CURRENT: "current",
    HISTORICAL: "history",
    WALLET: "wallet",
    CASH: "cash",
}


@dataclass
class Part:
    """A piece of the bill, in yuan, and who paid it: payer -> yuan. `stored` is the step that made it, if one did."""

    name: str
    amount: Decimal
    pays: dict[str, Decimal] = field(default_factory=dict)
    stored: Mapping[str, Any] | None = None


def grant_names(bill: Settlement) -> dict[str, str]:
    """Id of a grant -> "daughter's account", as the patient says it; two of a kind are told apart by name.

    Needs `bill.payers` with grant and member.
    """
    terms = {
        str(leg.grant_id): (kinship.term(kinship.inverse(leg.grant.relation), leg.member.sex), leg.member.name)
        for leg in bill.payers.all()
        if leg.grant
    }
    said = [term for term, _name in terms.values()]
    return {
        grant: _("%(who)s's account") % {"who": term if said.count(term) == 1 else f"{term} {masks.mask_name(name)}"}
        for grant, (term, name) in terms.items()
    }


@dataclass
class Explanation:
    """A bill in words and figures. `names`: id of a grant -> whose account; `mine`: the reader is the patient.

    `two_buckets`: whether the bill's region keeps the two balances apart.
    """

    bill: Any
    names: Mapping[str, str]
    mine: bool = True
    two_buckets: bool = True

    @cached_property
    def flow(self) -> list[Part]:
        """The bill cut into the pieces that the stages made, each with its payers; the pieces add up to the bill."""
        return _Flow(self.bill).parts()

    @cached_property
    def paid(self) -> dict[str, Decimal]:
        """Payer -> yuan, in the order of the bar."""
        sums: dict[str, Decimal] = {}
        for part in self.flow:
            for payer, amount in part.pays.items():
                sums[payer] = sums.get(payer, ZERO) + amount
        relatives = [payer for payer in sums if payer not in BAR_KIND]
        order = (FUND, SUPPLEMENT, CURRENT, HISTORICAL, WALLET, *relatives, CASH)
        return {payer: sums[payer] for payer in order if sums.get(payer)}

    def label(self, payer: str) -> str:
        """Who a payer is, to this reader."""
        if payer == CURRENT:
            return _("Your balance of this year") if self.mine else _("Own balance of this year")
        if payer == HISTORICAL and not self.two_buckets:
            return _("Your own account") if self.mine else _("Own account")
        if payer == HISTORICAL:
            return _("Your balance of earlier years") if self.mine else _("Own balance of earlier years")
        if payer == WALLET:
            return _("Your wallet") if self.mine else _("Own wallet")
        general = {FUND: _("Pooled fund"), SUPPLEMENT: _("Supplementary fund"), CASH: _("Cash")}
        return general.get(payer) or self.names.get(payer) or _("A relative's account")

    @property
    def payers(self) -> list[dict[str, Any]]:
        """For the bar and its legend: kind, label, amount, why."""
        return [
            {
                "kind": BAR_KIND.get(payer, "family"),
                "label": capfirst(self.label(payer)),
                "amount": amount,
                "why": self.why(payer),
            }
            for payer, amount in self.paid.items()
        ]

    def why(self, payer: str) -> str:
        """One sentence for one payer's amount."""
        stages = {"stage.account": CURRENT, "stage.rate": FUND, "stage.supplement": SUPPLEMENT}
        for stored in self.bill.steps:
            if stages.get(stored["key"]) == payer and Decimal(stored["amount"]) and payer != SUPPLEMENT:
                return self._why_fund(stored) if payer == FUND else working.step(stored).sentence
            if stored["key"] == "stage.supplement" and payer == SUPPLEMENT:
                return working.step(stored).sentence
        return self._why_personal(payer)

    def _why_fund(self, stored: Mapping[str, Any]) -> str:
        pieces = " + ".join(f"{yuan(band['base'])} × {band['rate_percent']}%" for band in stored["params"]["bands"])
        capped = next((row for row in self.bill.steps if row["key"] == "stage.cap" and row["params"]["reached"]), None)
        if capped:
            return working.step(capped).sentence
        return _("What lies beyond the deductible, by the fund's rate: %(pieces)s.") % {"pieces": pieces}

    def _why_personal(self, payer: str) -> str:
        if payer in (CURRENT, HISTORICAL):
            steps = [row for row in self.bill.steps if row["key"] == f"pay.own_{payer}"]
            if not steps:
                return ""
            before = Decimal(steps[0]["params"]["before"])
            left = before - sum(Decimal(row["amount"]) for row in steps)
            facts = {"left": yuan(left)}
            return _("What is left to the patient is paid from his own account first; %(left)s stayed in it.") % facts
        if payer == WALLET:
            return _("It is your own money: it pays after your account and before relatives' accounts.")
        if payer == CASH:
            steps = [row for row in self.bill.steps if row["key"] == "pay.cash"]
            return _sentences(*(working.step(row).sentence for row in steps))
        return _("After the own account, relatives' accounts are used in the region's order.")

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The numbered working: name, amount, sentence and rule."""
        rows = [self._split()] if self.bill.pre_self_pay or self.bill.self_paid else []
        for stored in self.bill.steps:
            key = stored["key"]
            silent = key == "stage.cap" and not stored["params"]["reached"]
            if key.startswith("pay.") or silent or (key == "stage.rate" and not Decimal(stored["params"]["base"])):
                continue
            told = working.step(stored, self.names)
            part = next((part for part in self.flow if part.stored is stored), None)
            rows.append(
                {
                    "name": told.name,
                    "amount": part.amount if part else Decimal(stored["amount"]),
                    "sentence": _sentences(told.sentence, self._paid_by(part)),
                    "rule": told.rule,
                }
            )
        rows += [
            {"name": part.name, "amount": part.amount, "sentence": self._paid_by(part), "rule": ""}
            for part in self.flow
            if part.stored is None and part.name == _rest_name()
        ]
        return rows

    def _split(self) -> dict[str, Any]:
        bill = self.bill
        facts = {
            "self_paid": yuan(bill.self_paid),
            "pre": yuan(bill.pre_self_pay),
            "in_scope": yuan(bill.in_scope),
        }
        told = []
        if bill.self_paid:
            told.append(_("%(self_paid)s lies outside the catalogue.") % facts)
        if bill.pre_self_pay:
            told.append(_("%(pre)s is borne by the patient beforehand (pre-self-pay).") % facts)
        told.append(_("%(in_scope)s goes on by the rules of the insurance.") % facts)
        return {
            "name": _("What the catalogue covers"),
            "amount": bill.total,
            "sentence": _sentences(*told),
            "rule": _("Fund and accounts pay only for what the catalogue of the region allows them"),
        }

    def _paid_by(self, part: Part | None) -> str:
        """Who paid the patient's part of a piece."""
        if part is None:
            return ""
        personal = [
            (payer, amount) for payer, amount in part.pays.items() if payer not in (FUND, SUPPLEMENT) and amount
        ]
        if not personal or (part.stored and part.stored["key"] == "stage.account"):
            return ""
        said = [
            _("%(who)s %(amount)s") % {"who": self.label(payer), "amount": yuan(amount)} for payer, amount in personal
        ]
        return _("Paid by: %(list)s.") % {"list": comma().join(said)}

    @property
    def cross(self) -> dict[str, Any]:
        """For components/cross_table.html: heads, steps with cells, sums, total."""
        payers = list(self.paid)
        parts = [part for part in self.flow if part.amount]
        return {
            "heads": [capfirst(self.label(payer)) for payer in payers],
            "steps": [
                {"name": part.name, "amount": part.amount, "cells": [part.pays.get(payer) for payer in payers]}
                for part in parts
            ],
            "sums": list(self.paid.values()),
            "total": sum((part.amount for part in parts), ZERO),
        }

    @property
    def verdict(self) -> SafeString:
        """The answer in one sentence, before the working."""
        own = self.paid.get(CURRENT, ZERO) + self.paid.get(HISTORICAL, ZERO)
        phrases = [(self.label(payer), self.paid[payer], False) for payer in (FUND, SUPPLEMENT) if payer in self.paid]
        if own:
            phrases.append((_("your account") if self.mine else _("the own account"), own, False))
        if wallet := self.paid.get(WALLET):
            phrases.append((_("your wallet") if self.mine else _("the own wallet"), wallet, False))
        phrases += [(self.label(payer), amount, True) for payer, amount in self.paid.items() if payer not in BAR_KIND]
        head = format_html(_("The bill was {total}"), total=_amount(self.bill.total))
        if not phrases:
            return format_html("{}{}", head, _(", all of it paid in cash."))
        told = format_html_join(
            comma(),
            "{}",
            [
                (format_html('<span class="portal-note-warm">{}</span>' if warm else "{}", _phrase(who, amount)),)
                for who, amount, warm in phrases
            ],
        )
        tail = _(", the rest in cash.") if self.bill.cash else _("; nothing was left to pay in cash.")
        return format_html("{}{}{}{}", head, _(": "), told, tail)


def _phrase(who: str, amount: Decimal) -> SafeString:
    return format_html(_("{who} paid {amount}"), who=who, amount=_amount(amount))


def _amount(amount: Decimal) -> SafeString:
    text = _("%(amount)s yuan") % {"amount": yuan(amount)}
    return format_html('<span class="portal-money">{}</span>', text)


def _sentences(*told: str) -> str:
    """One after the other: with a space between them in English, without one in Chinese."""
    return ("" if is_chinese() else " ").join(filter(None, told))


def _rest_name() -> str:
    return _("Borne by the patient")


class _Flow:
    """Follows the money: the stages cut the bill, and the legs go to the pieces in the order they were taken."""

    def __init__(self, bill: Any) -> None:
        self.bill = bill
        self.legs = self._queues()

    def _queues(self) -> dict[str, list[list[Any]]]:
        """Item class -> the payments on it in order, each [payer, yuan]."""
        queues: dict[str, list[list[Any]]] = {"in_scope": [], "pre_self_pay": [], "self_paid": []}
        for stored in self.bill.steps:
            kind, _dot, name = stored["key"].partition(".")
            if kind != "pay":
                continue
            payer = {"own_current": CURRENT, "own_historical": HISTORICAL, "wallet": WALLET, "cash": CASH}.get(name)
            queue = queues[stored["params"]["item_class"]]
            queue.append([payer or str(stored["params"]["grant"]), Decimal(stored["amount"])])
        return queues

    def take(self, item_class: str, amount: Decimal) -> dict[str, Decimal]:
        """Who pays the next so many yuan of a class."""
        paid: dict[str, Decimal] = {}
        for leg in self.legs[item_class]:
            here = min(leg[1], amount)
            if here:
                paid[leg[0]] = paid.get(leg[0], ZERO) + here
                leg[1] -= here
                amount -= here
        return paid

    def parts(self) -> list[Part]:
        """The pieces, in the order of the working."""
        found = [part for stored in self.bill.steps if (part := self._part(stored))]
        names = {
            "in_scope": _rest_name(),
            "pre_self_pay": _("Pre-self-pay"),
            "self_paid": _("Outside the catalogue"),
        }
        for item_class, name in names.items():
            rest = sum((leg[1] for leg in self.legs[item_class]), ZERO)
            if rest:
                found.append(Part(name, rest, self.take(item_class, rest)))
        return found

    def _part(self, stored: Mapping[str, Any]) -> Part | None:
        amount, key = Decimal(stored["amount"]), stored["key"]
        if key == "stage.account":
            return Part(working.step(stored).name, amount, {stored["params"]["bucket"]: amount}, stored)
        if key == "stage.deductible":
            return Part(working.step(stored).name, amount, self.take("in_scope", amount), stored)
        if key == "stage.rate":
            base = Decimal(stored["params"]["base"])
            funds = {FUND: self.bill.fund, SUPPLEMENT: self.bill.supplement}
            personal = self.take("in_scope", base - sum(funds.values()))
            return Part(working.step(stored).name, base, {**{k: v for k, v in funds.items() if v}, **personal}, stored)
        return None
