"""An application to close an account in the reader's language: what is asked, who gets what, what to bring."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import dates, masks, reasons
from accounts.enums import Relation
from accounts.models import Member
from accounts.money import ZERO
from casework.kinds import AGENT
from family.domain.check import Finding
from settlements.domain.withdrawal import INHERITANCE, TRANSFER_OUT, WITHDRAWAL, split
from settlements.enums import PayeeWay
from settlements.models import Payee, WithdrawalApplication

SINCE: dict[str, Promise] = {
    WITHDRAWAL: gettext_lazy("Since when"),
    INHERITANCE: gettext_lazy("Day of death"),
    TRANSFER_OUT: gettext_lazy("Insured elsewhere since"),
}
SUBMITTED_FORM = gettext_lazy("Application form, signed; it is printed at the window")
# What is brought (LS, QZ, XA; C-5161762 for several heirs). What the register knows is not asked for.
MATERIALS: dict[str, tuple[Promise, ...]] = {
    WITHDRAWAL: (
        gettext_lazy("ID card, electronic certificate or social security card of the member"),
        gettext_lazy("Bank account in the member's own name"),
        gettext_lazy("Proof of the reason, or the member's written promise where there is none"),
        SUBMITTED_FORM,
        AGENT,
    ),
    INHERITANCE: (
        gettext_lazy("ID card of each heir, and the bank account of those who have no account here"),
        gettext_lazy("Death certificate only if the register does not show the death yet; otherwise nothing"),
        gettext_lazy("Several heirs: an agreement signed by all, or the court's or notary's paper with the shares"),
        SUBMITTED_FORM,
        AGENT,
    ),
    TRANSFER_OUT: (
        gettext_lazy("ID card, electronic certificate or social security card of the member"),
        gettext_lazy("Name of the office of the new region, if the portal does not keep its accounts"),
        SUBMITTED_FORM,
        AGENT,
    ),
}


@dataclass(frozen=True)
class PayeeRow:
    """A payee as a line of a table; `amount` in yuan, what was paid or what it would come to (None: not known)."""

    name: str
    small: str
    percent: Decimal
    where: str
    amount: Decimal | None


def answers(application: WithdrawalApplication, *, in_full: bool = False) -> list[dict[str, str]]:
    """What was asked, for components/check_answers.html; names masked but `in_full`."""
    case, named = application.case, _names(in_full)
    rows = [
        {
            "label": _("Account of") if application.account_id else _("Wallet of"),
            "value": named(application.member.name),
        },
        {"label": _("Region"), "value": application.region.local_name},
        {"label": _("Reason"), "value": str(application.get_reason_display())},
        {"label": str(SINCE[case.kind]), "value": dates.day(application.since)},
    ]
    if case.agent_name:
        rows.append({"label": _("Agent"), "value": named(case.agent_name)})
    return rows


def _names(in_full: bool) -> Callable[[str], str]:
    return str if in_full else masks.mask_name


def payee_rows(
    application: WithdrawalApplication,
    expected: Decimal | None = None,
    only: Member | None = None,
    *,
    in_full: bool = False,
) -> list[PayeeRow]:
    """The payees; before it is granted with what `expected` yuan would come to for each. `only`: one heir's own line.

    `in_full`: names and bank accounts, for the paper on which those who sign check them; ID numbers stay masked.
    """
    named = _names(in_full)
    payees = list(application.payees.annotate(paid=Sum("payouts__amount")).order_by("position"))
    would_be: Sequence[Decimal | None] = [None] * len(payees)
    if application.case.state == "granted":
        would_be = [payee.paid or ZERO for payee in payees]
    elif expected is not None:
        would_be = split(expected, [payee.percent for payee in payees])
    return [
        PayeeRow(
            name=named(payee.name) if payee.way != PayeeWay.REGION else payee.name,
            small=_small(payee),
            percent=payee.percent,
            where=where(payee, in_full=in_full),
            amount=amount,
        )
        for payee, amount in zip(payees, would_be, strict=True)
        if only is None or payee.member_id == only.pk
    ]


def _small(payee: Payee) -> str:
    told = [str(Relation(payee.relation).label)] if payee.relation else []
    if payee.id_number:
        told.append(masks.mask_id(payee.id_number))
    return " · ".join(told)


def where(payee: Payee, *, in_full: bool = False) -> str:
    """Where a payee's money goes; a bank account by its ends, or whole in fours as on a card."""
    if payee.way == PayeeWay.BANK and in_full:
        return f"{payee.bank} {' '.join(re.findall('.{1,4}', payee.bank_account or ''))}"
    if payee.way == PayeeWay.BANK:
        return f"{payee.bank} {payee.masked_bank_account}"
    if payee.way == PayeeWay.REGION and payee.region:
        return _("account in %(region)s") % {"region": payee.region.local_name}
    if payee.way == PayeeWay.REGION:
        return _("office of the new region")
    return str(payee.get_way_display())


def findings(found: Iterable[Finding]) -> list[reasons.Told]:
    """Each reason against it, with what helps."""
    return [reasons.tell(finding.code, finding.params) for finding in found]


def materials(kind: str) -> list[str]:
    """What is to be brought."""
    return [str(text) for text in MATERIALS[kind]]
