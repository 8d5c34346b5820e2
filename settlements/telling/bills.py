"""A bill paid in cash and a year settled anew, as pages show them."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from accounts import dates, masks
from accounts.amounts import yuan, yuan_unit
from settlements.actions.claims import PaidBill
from settlements.actions.quoting import Quote
from settlements.actions.recalculation import Line, Preview
from settlements.enums import CareKind
from settlements.models import Claim, Settlement
from settlements.telling.explaining import Explanation

# The columns of a recalculation, in the order of the table.
COLUMNS = ("deductible", "fund", "supplement", "own", "wallet", "shared", "cash")


def answers(bill: PaidBill | Claim, bank_account: str, url: str = "") -> list[dict[str, Any]]:
    """What was entered, for components/check_answers.html; `bank_account` as this reader may see it."""
    rows = [
        (_("Institution"), f"{bill.institution.name} · {bill.institution.get_level_display()}"),
        (_("Day of care"), dates.day(bill.service_on)),
        (_("Kind of care"), str(CareKind(bill.kind).label)),
        (_("In the catalogue"), yuan_unit(bill.in_scope)),
        (_("Pre-self-pay"), yuan_unit(bill.pre_self_pay)),
        (_("Outside the catalogue"), yuan_unit(bill.self_paid)),
        (_("Number of the invoice"), bill.invoice_number),
        (_("Paid to"), f"{bill.bank} {bank_account}"),
    ]
    return [{"label": label, "value": value, "url": url} for label, value in rows]


def settled(bill: Settlement) -> list[dict[str, Any]]:
    """A settled bill of an institution: where, when, under which number, how much."""
    rows = [
        (_("Institution"), f"{bill.institution.name} · {bill.institution.get_level_display()}"),
        (_("Day of care"), dates.day(bill.service_on)),
        (_("Kind of care"), str(CareKind(bill.kind).label)),
        (_("Total"), yuan_unit(bill.total)),
        (_("Settled by the institution"), _settled_as(bill)),
    ]
    return [{"label": label, "value": value} for label, value in rows]


def settled_anew(bill: Settlement) -> list[dict[str, Any]]:
    """The same of a bill that was settled anew since; `bill` as it was settled first."""
    return [*settled(bill), {"label": _("Settled anew"), "value": _settled_as(bill.last)}]


def _settled_as(bill: Settlement) -> str:
    return " · ".join(
        [bill.number, dates.day(bill.settled_on), _("cash %(amount)s") % {"amount": yuan_unit(bill.cash)}]
    )


def outcome(quoted: Quote, *, mine: bool = True) -> dict[str, Any]:
    """How the bill would be settled now, why, and what is paid back of it (yuan). `mine`: the reader is the patient."""
    told = Explanation(quoted, {}, mine=mine, two_buckets=quoted.facts.two_buckets)
    return {"quoted": quoted, "told": told, "back_amount": quoted.total - quoted.cash}


def next_steps(claim: Claim) -> list[str]:
    """What happens now, for the patient."""
    state = claim.case.state
    if state == "review":
        due = dates.day(claim.case.due_on) if claim.case.due_on else "—"
        return [
            _("A second person checks the bill by %(day)s. You need not send the invoice; keep it.") % {"day": due},
            _("Once it is granted, the bill is settled and you are told what is paid back."),
            _("The money goes to your bank account; you are told on that day."),
        ]
    return [_("Change it and hand it in again; the first day still counts.")] if state == "returned" else []


def table(found: Preview) -> dict[str, Any]:
    """The bills of a year one below the other, and what the member owes in sum (yuan; below zero: is owed)."""
    return {"columns": _columns(), "lines": _lines(found.lines), "owed": -found.to_member}


def _columns() -> list[str]:
    """Heads of the table of a recalculation."""
    names = {
        "deductible": _("Deductible"),
        "fund": _("Pooled fund"),
        "supplement": _("Supplementary fund"),
        "own": _("Own account"),
        "wallet": _("Wallet"),
        "shared": _("Relatives"),
        "cash": _("Cash"),
    }
    return [names[column] for column in COLUMNS]


def _lines(found: Iterable[Line]) -> list[dict[str, Any]]:
    """A row a bill: what it is, and for each column the amount as it stands, anew, and the difference."""
    rows = []
    for line in found:
        before = {name: getattr(line.bill, name) for name in COLUMNS if name != "own"}
        before["own"] = line.bill.own_current + line.bill.own_historical
        anew = line.amounts | {"own": line.amounts["own_current"] + line.amounts["own_historical"]}
        rows.append(
            {
                "bill": line.bill,
                "changed": bool(line.differences),
                "cells": [
                    {"before": before[name], "anew": anew[name], "difference": anew[name] - before[name]}
                    for name in COLUMNS
                ],
            }
        )
    return rows


def payers(line: Line) -> list[str]:
    """Whose account pays less than it did: name and amount, for staff."""
    told = []
    for payer in line.bill.payers.all():
        buckets = line.anew.paid.get(str(payer.grant_id) if payer.grant_id else "own", {})
        less = payer.current + payer.historical - sum(buckets.values())
        if less:
            told.append(
                _("%(name)s gets back %(amount)s") % {"name": masks.mask_name(payer.member.name), "amount": yuan(less)}
            )
    return told
