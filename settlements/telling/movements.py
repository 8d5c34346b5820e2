"""Movements and kinds of movement in the reader's language: one sentence each."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import dates, kinship, masks
from accounts.amounts import yuan
from accounts.models import Member
from settlements.domain.withdrawal import INHERITANCE, TRANSFER_OUT
from settlements.enums import CareKind, EntryKind, WalletEntryKind
from settlements.models import PremiumPayment
from settlements.queries.member import Closing, Line
from settlements.queries.wallet import WalletLine

CARE: dict[str, Promise] = {
    CareKind.OUTPATIENT: gettext_lazy("outpatient care"),
    CareKind.INPATIENT: gettext_lazy("a stay in hospital"),
    CareKind.PHARMACY: gettext_lazy("medicine"),
}
# Names of the sums of a statement and of the choices of the filter.
KIND_NAMES: dict[str, Promise] = {
    "credit": gettext_lazy("Paid in"),
    "opening": gettext_lazy("Opening balance"),
    "clearing": gettext_lazy("Clearing"),
    "care": gettext_lazy("Own care"),
    "claim": gettext_lazy("Bills paid in cash"),
    "family": gettext_lazy("Relatives' care"),
    "premium": gettext_lazy("Premiums for relatives"),
    "reversal": gettext_lazy("Refunds"),
    "rollover": gettext_lazy("Year-end rollover"),
    "interest": gettext_lazy("Interest"),
    "wallet": gettext_lazy("Wallet transfers"),
    "withdrawal": gettext_lazy("Withdrawals"),
    "other": gettext_lazy("Transfers and withdrawals"),
}

WALLET_ENTRIES: dict[WalletEntryKind, Promise] = {
    WalletEntryKind.RECEIVED: gettext_lazy("Transfer from %(who)s"),
    WalletEntryKind.SENT: gettext_lazy("Transfer to %(who)s"),
    WalletEntryKind.RETURNED: gettext_lazy("Transfer to %(who)s came back"),
    WalletEntryKind.CARE: gettext_lazy("Care, %(who)s"),
    WalletEntryKind.REVERSAL: gettext_lazy("Refund of care, %(who)s"),
    WalletEntryKind.INHERITED: gettext_lazy("Paid to the heirs"),
}


@dataclass(frozen=True)
class Told:
    """A movement in words: what it was, when and where, and which bucket it touched."""

    what: str
    small: str
    where: str
    amount: Decimal
    family: bool
    line: Line

    @property
    def place(self) -> str:
        """Where, without the day."""
        return place(self.line)

    @property
    def balance(self) -> Decimal:
        """Both buckets after it."""
        return self.line.current_after + self.line.historical_after

    @property
    def url(self) -> str:
        """The holder's page of the bill, the premium or the transfer; empty for any other movement."""
        pages = {"bill": self.line.settlement, "premium": self.line.premium, "transfer": self.line.transfer}
        return next((reverse(f"settlements:{page}", args=[one.public_id]) for page, one in pages.items() if one), "")


def tell_line(line: Line, on: datetime.date) -> Told:
    """One movement as its row; days of the calendar year of `on` without the year."""
    day = dates.day_short(line.on) if line.on.year == on.year else dates.day(line.on)
    return Told(
        what=what(line),
        small=" · ".join(filter(None, [day, place(line)])),
        where=buckets(line),
        amount=line.amount,
        family=line.is_family,
        line=line,
    )


def tell_lines(lines: Iterable[Line], on: datetime.date) -> list[Told]:
    """`tell_line` for each."""
    return [tell_line(line, on) for line in lines]


def what(line: Line) -> str:
    """The sentence: "Father: outpatient care", "Rollover of the benefit year 2025"."""
    if line.kind in (EntryKind.CARE, EntryKind.CLAIM, EntryKind.REVERSAL) and line.settlement:
        who = person(line.settlement.patient, line.relation)
        care = CARE[line.settlement.kind]
        if line.kind == EntryKind.REVERSAL:
            return _("Refund: %(who)s, %(care)s") % {"who": who, "care": care}
        return capfirst(_("%(who)s: %(care)s") % {"who": who, "care": care})
    if line.kind == EntryKind.ROLLOVER:
        return _("Rollover of the benefit year %(year)s") % {"year": line.benefit_year}
    if line.closing:
        return _closed(line, line.closing)
    if line.kind == EntryKind.CREDIT and line.periods:
        return _credited(line)
    if line.kind == EntryKind.INTEREST and line.periods:
        return _("Interest of the benefit year %(year)s") % {"year": line.periods[0]}
    if line.kind == EntryKind.CLEARING and line.cause:
        return _cleared(line.cause)
    if line.premium:
        return _premium(line.premium, back=line.amount > 0)
    if line.transfer:
        back = line.amount > 0
        told = _("Transfer to %(who)s came back") if back else _("Transferred to the wallet of %(who)s")
        return told % {"who": masks.mask_name(line.transfer.receiver.name)}
    sentences = {
        EntryKind.OPENING: _("Balance when the account was opened"),
        EntryKind.CREDIT: _("Contribution paid into the account"),
        EntryKind.INTEREST: _("Interest"),
        EntryKind.CLEARING: _("Clearing of contributions"),
        EntryKind.PREMIUM: _("Premium of the residents' insurance"),
        EntryKind.WALLET: _("Transferred to a wallet"),
        EntryKind.WITHDRAWAL: _("Withdrawal"),
        EntryKind.REVERSAL: _("Refund"),
        EntryKind.CARE: _("Care"),
        EntryKind.CLAIM: _("Bill paid in cash"),
    }
    return sentences[EntryKind(line.kind)]


def _credited(line: Line) -> str:
    """What a credit was for: a month, a year, or months that were paid late."""
    last_month = (line.on.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    years = [period for period in line.periods if "-" not in period]
    months = [datetime.date.fromisoformat(f"{period}-01") for period in line.periods if "-" in period]
    told = [_("Credit for the benefit year %(year)s") % {"year": year} for year in years]
    now = [dates.month(month) for month in months if month >= last_month]
    late = [dates.month(month) for month in months if month < last_month]
    if now:
        told.append(_("Credit for %(months)s") % {"months": " · ".join(now)})
    if late:
        told.append(_("Contribution paid late, for %(months)s") % {"months": " · ".join(late)})
    return " · ".join(told)


def _cleared(cause: Mapping[str, Any]) -> str:
    """Why a clearing moved money: somebody left, or a closed year was counted again."""
    if "left_on" in cause:
        left = dates.day(datetime.date.fromisoformat(cause["left_on"]))
        return _("Credit for the months after %(day)s, when the contributions ended") % {"day": left}
    return _("Clearing of the benefit year %(year)s by the contributions that arrived") % {"year": cause["period"]}


def _closed(line: Line, closing: Closing) -> str:
    """Money out of a closed account, as its holder reads it, or into one's own, as the heir or the mover does."""
    inherited, carried = closing.kind == INHERITANCE, closing.kind == TRANSFER_OUT
    if line.amount > 0:
        if inherited:
            return _("Inherited from %(who)s") % {"who": masks.mask_name(closing.member.name)}
        return _("Carried over from %(region)s") % {"region": closing.region.local_name}
    if inherited:
        return _("Paid to the heirs, the account is closed")
    if carried:
        return _("Carried to the new region, the account is closed")
    return _("Paid out, the account is closed")


def person(member: Member, relation: str) -> str:
    """Himself, or what the relative is to the holder."""
    return kinship.term(relation, member.sex) if relation else _("Yourself")


def place(line: Line) -> str:
    """The institution; what a rollover moved; what a movement did to a debt."""
    told = []
    if line.closing:
        told.append(_("case %(number)s") % {"number": line.closing.number})
    if line.settlement and line.settlement.institution:
        told.append(line.settlement.institution.name)
    if line.kind == EntryKind.ROLLOVER and line.two_buckets and line.current:
        moved = yuan(-line.current)
        told.append(_("%(amount)s yuan moved from this year's balance to earlier years'") % {"amount": moved})
    if line.debt < 0:
        told.append(_("%(amount)s yuan of it repaid a debt") % {"amount": yuan(-line.debt)})
    elif line.debt > 0:
        told.append(_("%(amount)s yuan could not be taken back and are owed") % {"amount": yuan(line.debt)})
    return " · ".join(told)


def buckets(line: Line) -> str:
    """Which balance the money came from or went to."""
    if not line.two_buckets:
        return ""
    if line.kind == EntryKind.ROLLOVER:
        return _("This year's to earlier years'")
    names = [
        name for name, amount in ((_("this year's"), line.current), (_("earlier years'"), line.historical)) if amount
    ]
    return _(" and ").join(names)


def tell_wallet(lines: Iterable[WalletLine]) -> list[dict[str, Any]]:
    """Each movement of a wallet with its sentence: line, what."""
    return [{"line": line, "what": wallet_what(line)} for line in lines]


def wallet_what(line: WalletLine) -> str:
    """The sentence: "Transfer from 沈*宁", "Care, 浦江中心医院", "Premium for 2027: Child 沈*禾"."""
    if line.premium:
        return _premium(line.premium, back=line.amount > 0)
    who = ""
    if line.bill:
        who = line.bill.institution.name
    elif line.transfer:
        received = line.kind == WalletEntryKind.RECEIVED
        who = masks.mask_name((line.transfer.sender if received else line.transfer.receiver).name)
    return str(WALLET_ENTRIES[WalletEntryKind(line.kind)]) % {"who": who}


def _premium(premium: PremiumPayment, *, back: bool) -> str:
    relation = premium.grant.relation if premium.grant else ""
    who = named(premium.insured, relation) if relation else _("Yourself")
    told = _("Premium for %(year)s given back: %(who)s") if back else _("Premium for %(year)s: %(who)s")
    return told % {"year": premium.year, "who": who}


def kind_name(kind: str) -> str:
    """What a kind of entry is called in sums and filters."""
    return str(KIND_NAMES[kind])


def named(member: Member, relation: str) -> str:
    """父亲 沈*梁; it stands at the beginning of a line."""
    return capfirst(f"{kinship.term(relation, member.sex)} {masks.mask_name(member.name)}")
