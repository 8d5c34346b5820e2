"""The stored working of a bill in the reader's language: each step with a name, a sentence and its rule.

The domain keeps rule keys with amounts and parameters, never sentences. `step` covers every key it writes; a test
reads the keys from the domain and fails on one that is missing here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.amounts import yuan
from accounts.money import ZERO

Names = Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """One step: what it is called, what happened, and by which rule ("" for none). Where the rule comes from is told to
    administrators beside it: to others the key of a source says nothing."""

    name: str
    sentence: str
    rule: str


def step(stored: Mapping[str, Any], names: Names | None = None) -> Told:
    """Tell one stored step ({"key", "amount", "params"}). `names`: id of a grant -> whose account it is.

    KeyError for a key that nobody can tell.
    """
    params, amount = stored["params"], Decimal(stored["amount"])
    return TELLERS[stored["key"]](amount, params, names or {})


def _account(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {"balance": yuan(params["balance"]), "amount": yuan(amount)}
    if params["bucket"] == "current":
        name = _("This year's balance first")
        has = _("This year's balance held %(balance)s; it paid %(amount)s first.") % facts
        rule = _("This year's balance pays before anything else; once it is used up, the next step begins")
    else:
        name = _("The account first")
        has = _("The account held %(balance)s; it paid %(amount)s first.") % facts
        rule = _("The account pays before anything else; once it is used up, the next step begins")
    if not amount:
        has = _("Nothing was taken from it, so the next step begins at once.")
    return Told(name, has, rule)


def _deductible(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {
        "amount": yuan(amount),
        "before": yuan(params["used_before"]),
        "whole": yuan(params["deductible"]),
        "left": yuan(params["remaining"]),
    }
    scope = params["scope"]
    if scope == "year":
        sentence = _year_deductible(amount, params, facts)
        rule = _("The patient bears %(whole)s himself in a benefit year, and no more once that is full") % facts
    elif scope in ("level", "institution"):
        sentence = _year_deductible(amount, params, facts)
        rule = (
            _("The patient bears %(whole)s himself in a benefit year at each level of institutions") % facts
            if scope == "level"
            else _("The patient bears %(whole)s himself in a benefit year at each institution") % facts
        )
    elif scope == "day_institution":
        sentence = (
            _("%(amount)s of the first %(whole)s of this day at this institution was borne by the patient.") % facts
        )
        rule = _("The patient bears %(whole)s himself on each day at each institution") % facts
    else:
        sentence = _("%(amount)s of the first %(whole)s of this stay was borne by the patient.") % facts
        rule = _("The patient bears %(whole)s himself in each stay") % facts
    return Told(_("Deductible"), sentence, rule)


def _year_deductible(amount: Decimal, params: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    if not amount and not Decimal(params["remaining"]):
        return _("The %(whole)s of this year were full already, so nothing was borne this time.") % facts
    if not Decimal(params["remaining"]):
        return _("%(before)s was borne this year before; this time %(amount)s, which fills the %(whole)s.") % facts
    return _("%(before)s was borne this year before; this time %(amount)s. %(left)s of the %(whole)s are left.") % facts


def _rate(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    bands = params["bands"]
    name = _("Shared with the pooled fund")
    if len(bands) == 1:
        percent = bands[0]["rate_percent"]
        base = Decimal(bands[0]["base"])
        facts = {
            "base": yuan(base),
            "percent": percent,
            "rest_percent": f"{(100 - Decimal(percent)).normalize():f}",
            "amount": yuan(amount),
            "rest": yuan(base - amount),
        }
        sentence = _(
            "Of %(base)s the fund takes %(percent)s%%, which is %(amount)s; "
            "the patient %(rest_percent)s%%, which is %(rest)s."
        )
        return Told(name, sentence % facts, _("The fund pays %(percent)s%% in this case") % facts)
    pieces = [
        _("%(percent)s%% of %(base)s") % {"base": yuan(band["base"]), "percent": band["rate_percent"]} for band in bands
    ]
    if not pieces:
        return Told(name, _("Nothing was left for the fund to pay."), "")
    facts = {"pieces": _(" + ").join(pieces), "amount": yuan(amount)}
    return Told(name, _("The fund takes %(pieces)s, which is %(amount)s.") % facts, _("The fund pays by bands of cost"))


def _cap(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {
        "limit": yuan(params["limit"]),
        "before": yuan(params["used_before"]),
        "amount": yuan(amount),
        "left": yuan(params["remaining"]),
    }
    rule = _("The fund pays at most %(limit)s in a benefit year") % facts
    if params.get("within"):
        rule = _("For care of this kind the fund pays at most %(limit)s in a benefit year") % facts
        name = _("The fund's yearly limit for this kind of care")
    else:
        name = _("The fund's yearly limit")
    if params["reached"]:
        sentence = _(
            "The fund had paid %(before)s of at most %(limit)s this year, so it paid only %(amount)s this time."
        )
    else:
        sentence = _("After this bill the fund can still pay %(left)s this year.")
    return Told(name, sentence % facts, rule)


def _supplement(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {"base": yuan(params["base"]), "amount": yuan(amount)}
    return Told(
        _("Supplementary fund"),
        _("%(base)s lay beyond the fund's limit; the supplementary fund paid %(amount)s of it.") % facts,
        _("A second fund pays beyond the yearly limit of the first"),
    )


def _suspended(_amount: Decimal, _params: Mapping[str, Any], _names: Names) -> Told:
    return Told(
        _("Insurance suspended"),
        _("Contributions had stopped on that day, so the fund paid nothing; one's own account could still pay."),
        _("From the month after contributions stop the fund does not pay; the account stays usable"),
    )


def _frozen(_amount: Decimal, _params: Mapping[str, Any], _names: Names) -> Told:
    return Told(
        _("Insurance frozen"),
        _("Account and fund were frozen on that day, so everything was paid in cash."),
        _("A frozen insurance pays nothing"),
    )


# Who pays what is left to the patient


def _own_current(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {"before": yuan(params["before"]), "amount": yuan(amount)}
    return Told(_("From this year's balance"), _("It held %(before)s and paid %(amount)s.") % facts, "")


def _own_historical(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {"before": yuan(params["before"]), "amount": yuan(amount), "above": yuan(params.get("above") or ZERO)}
    sentence = _("It held %(before)s and paid %(amount)s.") % facts
    rule = (
        _("It pays this kind of cost only from what lies above %(above)s") % facts
        if Decimal(params.get("above") or 0)
        else ""
    )
    return Told(_("From earlier years' balance"), sentence, rule)


def _wallet(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    facts = {"before": yuan(params["before"]), "amount": yuan(amount)}
    sentence = _("It held %(before)s and paid %(amount)s.") % facts
    rule = _("The wallet is one's own money: it pays after the account, before relatives")
    return Told(_("From the wallet"), sentence, rule)


def _shared(amount: Decimal, params: Mapping[str, Any], names: Names) -> Told:
    who = names.get(str(params["grant"])) or _("A relative's account")
    return Told(
        who, _("%(amount)s was paid from it.") % {"amount": yuan(amount)}, _("One's own account first, then relatives'")
    )


def _cash(amount: Decimal, params: Mapping[str, Any], _names: Names) -> Told:
    sentence = {
        "self_paid": _("%(amount)s lay outside the catalogue and was paid in cash."),
        "pre_self_pay": _("%(amount)s of pre-self-pay was paid in cash."),
        "in_scope": _("What was left, %(amount)s, was paid in cash."),
    }[params["item_class"]]
    return Told(_("Cash"), sentence % {"amount": yuan(amount)}, "")


TELLERS: dict[str, Callable[[Decimal, Mapping[str, Any], Names], Told]] = {
    "stage.account": _account,
    "stage.deductible": _deductible,
    "stage.rate": _rate,
    "stage.cap": _cap,
    "stage.supplement": _supplement,
    "suspended": _suspended,
    "frozen": _frozen,
    "pay.own_current": _own_current,
    "pay.own_historical": _own_historical,
    "pay.wallet": _wallet,
    "pay.shared": _shared,
    "pay.cash": _cash,
}
