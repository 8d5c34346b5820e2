"""What a person may read of accounts, movements and settlements; everything goes through a `…visible_to(user)`."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from accounts.enums import Role
from accounts.models import Member, Region, User
from accounts.policies import is_member, regions_with_role
from accounts.queries import enrolment_on
from family.models import SharingGrant
from settlements.enums import AccountStatus, EntryKind
from settlements.ledger import Balance, balances
from settlements.models import (
    Credit,
    Entry,
    Payout,
    PersonalAccount,
    PremiumPayment,
    RolloverRun,
    Settlement,
    SettlementPayer,
    WalletTransfer,
)

SERVICE = (Role.CLERK, Role.SUPERVISOR)

# What can be asked for in the list of movements: name -> the entries it means, given whose account it is.
KINDS = ("credit", "care", "family", "reversal", "rollover", "interest", "other")
BILLS = (EntryKind.CARE, EntryKind.CLAIM)
ENTRY_KINDS = {
    "credit": (EntryKind.CREDIT, EntryKind.OPENING, EntryKind.CLEARING),
    "reversal": (EntryKind.REVERSAL,),
    "rollover": (EntryKind.ROLLOVER,),
    "interest": (EntryKind.INTEREST,),
    "other": (EntryKind.WALLET, EntryKind.WITHDRAWAL),
}


def accounts_visible_to(user: User) -> QuerySet[PersonalAccount]:
    """One's own accounts; for clerks and supervisors those of their regions."""
    accounts = PersonalAccount.objects.select_related("region")
    if is_member(user):
        return accounts.filter(member=user.member_id)
    return accounts.filter(region__in=regions_with_role(user, *SERVICE))


def entries_visible_to(user: User) -> QuerySet[Entry]:
    """The movements of the accounts one may see."""
    return Entry.objects.filter(account__in=accounts_visible_to(user))


def settlements_visible_to(user: User) -> QuerySet[Settlement]:
    """One's own bills and those that one's account paid for relatives; for clerks and supervisors their regions'.

    Of a relative's bill only institution, day and one's own leg may be shown: see `policies.may_see_whole`.
    """
    if not is_member(user):
        return Settlement.objects.filter(region__in=regions_with_role(user, *SERVICE))
    # Two index look-ups: written with OR the database reads the whole table.
    own = Settlement.objects.filter(patient=user.member_id).order_by().values("pk")
    paid = SettlementPayer.objects.filter(member=user.member_id).order_by().values("settlement")
    return Settlement.objects.filter(pk__in=own.union(paid, all=True))


def account_of(member: Member, on: datetime.date) -> PersonalAccount | None:
    """The account that counts on a day: in the region of the enrolment, else an open one, else the last; or None."""
    accounts = list(PersonalAccount.objects.filter(member=member).select_related("region"))
    if not accounts:
        return None
    enrolment = enrolment_on(member, on)
    here = enrolment.region_id if enrolment else None
    return max(
        accounts, key=lambda row: (row.region_id == here, row.status == AccountStatus.OPEN, row.opened_on, row.pk)
    )


def balance_of(account: PersonalAccount, on: datetime.date) -> Balance:
    """The account's balances on a day, by the one window of the ledger."""
    return balances([account.pk], on)[account.pk]


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Money of a closed account: the kind and number of its case, whose account it was and where."""

    kind: str
    number: str
    member: Member
    region: Region


@dataclass(frozen=True, kw_only=True)
class Line:
    """One movement of an account as its holder reads it; amounts in yuan, `…_after` the balances after it.

    `two_buckets`: whether the region keeps them apart. `settlement` is the bill that was paid or reversed;
    `relation` what its patient is to the holder ("" for himself).
    `closing`: what closed the account that the money left or came from. `periods`: the months ("2026-11") or benefit
    years ("2026") that a credit was for, or the year of interest that came later; `cause`: what a clearing was for (why
    and left_on, or what and period).
    `premium`: what was paid or given back; `transfer`: what left for a wallet or came back from it.
    `due`: what the balances show already and nobody has written yet (`queries.statement.due_lines`).
    """

    on: datetime.date
    kind: str
    current: Decimal
    historical: Decimal
    debt: Decimal
    current_after: Decimal
    historical_after: Decimal
    debt_after: Decimal
    benefit_year: int
    settlement: Settlement | None = None
    relation: str = ""
    two_buckets: bool = True
    closing: Closing | None = None
    periods: tuple[str, ...] = ()
    cause: Mapping[str, Any] = field(default_factory=dict)
    premium: PremiumPayment | None = None
    transfer: WalletTransfer | None = None
    due: bool = False

    @property
    def amount(self) -> Decimal:
        """Both buckets."""
        return self.current + self.historical

    @property
    def is_family(self) -> bool:
        """Money for a relative, or back from a relative's bill."""
        return bool(self.relation) or self.kind == EntryKind.PREMIUM


def movements(
    user: User,
    account: PersonalAccount,
    *,
    start: datetime.date | None = None,
    end: datetime.date | None = None,
    kind: str = "",
    person: UUID | str | None = None,
) -> QuerySet[Entry]:
    """The entries of an account between two days (both counted), newest first, with what their sentences need.

    `kind` is one of KINDS ("care" is the holder's own care, "family" what relatives used); `person` the public id of a
    relative whose bills were paid, or "self". Make them readable with `lines`.
    """
    entries = entries_visible_to(user).filter(account=account)
    if start:
        entries = entries.filter(business_date__gte=start)
    if end:
        entries = entries.filter(business_date__lte=end)
    own = Q(transaction__settlement__patient=account.member_id)
    if kind == "care":
        entries = entries.filter(own, kind__in=BILLS)
    elif kind == "family":
        entries = entries.filter((Q(kind__in=BILLS) & ~own) | Q(kind=EntryKind.PREMIUM))
    elif kind:
        entries = entries.filter(kind__in=ENTRY_KINDS[kind])
    if person == "self":
        entries = entries.filter(own | Q(transaction__reverses__settlement__patient=account.member_id))
    elif person:
        entries = entries.filter(
            Q(transaction__settlement__patient__public_id=person)
            | Q(transaction__reverses__settlement__patient__public_id=person)
        )
    told = ("transaction__settlement", "transaction__reverses__settlement")
    return entries.select_related(
        "transaction", *told, *(f"{path}__{what}" for path in told for what in ("institution", "patient"))
    ).order_by("-version")


def lines(account: PersonalAccount, entries: Iterable[Entry]) -> list[Line]:
    """Entries of one account as lines, in the order given; one statement more for what the relatives are."""
    rows = [(entry, _settlement(entry)) for entry in entries]
    others = [bill.pk for _, bill in rows if bill and bill.patient_id != account.member_id]
    relations = dict(
        SettlementPayer.objects.filter(settlement__in=others, account=account)
        .order_by()
        .values_list("settlement", "grant__relation")
    )
    periods = _periods(account, [entry.transaction_id for entry, _ in rows if entry.kind == EntryKind.CREDIT])
    periods |= _late_interest([entry for entry, _ in rows])
    closings = _closings([entry.transaction_id for entry, _ in rows if entry.kind == EntryKind.WITHDRAWAL])
    premiums = _premiums([entry for entry, _ in rows if entry.kind == EntryKind.PREMIUM])
    transfers = _transfers([entry.transaction_id for entry, _ in rows if entry.kind == EntryKind.WALLET])
    return [
        Line(
            on=entry.business_date,
            kind=entry.kind,
            current=entry.current_delta,
            historical=entry.historical_delta,
            debt=entry.debt_delta,
            current_after=entry.current_after,
            historical_after=entry.historical_after,
            debt_after=entry.debt_after,
            benefit_year=entry.benefit_year,
            settlement=bill,
            relation=relations.get(bill.pk) or "" if bill else "",
            two_buckets=account.region.two_buckets,
            closing=closings.get(entry.transaction_id),
            periods=periods.get(entry.transaction_id, ()),
            cause=(entry.transaction.answer or {}) if entry.kind == EntryKind.CLEARING else {},
            premium=premiums.get(entry.transaction_id),
            transfer=transfers.get(entry.transaction_id),
        )
        for entry, bill in rows
    ]


def _closings(transactions: list[int]) -> dict[int, Closing]:
    """By ledger transaction; one statement, none for accounts from which nothing was withdrawn."""
    if not transactions:
        return {}
    payouts = Payout.objects.filter(transaction__in=transactions).order_by()
    told = payouts.select_related("payee__application__case__applicant", "payee__application__case__region")
    return {
        payout.transaction_id: Closing(
            kind=payout.payee.application.case.kind,
            number=payout.payee.application.case.number,
            member=payout.payee.application.member,
            region=payout.payee.application.region,
        )
        for payout in told
    }


def _premiums(entries: Iterable[Entry]) -> dict[int, PremiumPayment]:
    """Transaction -> the premium that it paid or gave back; one statement, none without such movements."""
    causes = {entry.transaction_id: entry.transaction.reverses_id or entry.transaction_id for entry in entries}
    if not causes:
        return {}
    paid = PremiumPayment.objects.filter(transaction__in=set(causes.values())).order_by()
    found = {premium.transaction_id: premium for premium in paid.select_related("insured", "grant")}
    return {moved: found[cause] for moved, cause in causes.items() if cause in found}


def _transfers(transactions: list[int]) -> dict[int, WalletTransfer]:
    """Transaction -> the transfer that it sent or brought back; one statement, none without such movements."""
    if not transactions:
        return {}
    sent = WalletTransfer.objects.filter(Q(sending__in=transactions) | Q(ending__in=transactions)).order_by()
    found = list(sent.select_related("receiver"))
    moved = {transfer.sending_id: transfer for transfer in found}
    return moved | {transfer.ending_id: transfer for transfer in found if transfer.ending_id is not None}


def _periods(account: PersonalAccount, transactions: list[int]) -> dict[int, tuple[str, ...]]:
    """Transaction -> what its credit of the account was for, without the ".2" of a credit given twice."""
    found: dict[int, tuple[str, ...]] = {}
    if transactions:
        credits = Credit.objects.filter(account=account, transaction__in=transactions).order_by("period")
        for cause, period in credits.values_list("transaction_id", "period"):
            found[cause] = (*found.get(cause, ()), period.split(".")[0])
    return found


def _late_interest(entries: Iterable[Entry]) -> dict[int, tuple[str, ...]]:
    """Transaction -> the benefit year of interest that was posted after its rollover; none by itself says its year."""
    runs = {
        entry.transaction_id: entry.contra_id
        for entry in entries
        if entry.kind == EntryKind.INTEREST and entry.transaction.scope == "rollover-interest"
    }
    if not runs:
        return {}
    years = dict(RolloverRun.objects.filter(pk__in=set(runs.values())).values_list("pk", "year"))
    return {cause: (str(years[run]),) for cause, run in runs.items() if run in years}


def _settlement(entry: Entry) -> Settlement | None:
    cause = entry.transaction
    if entry.kind == EntryKind.REVERSAL:
        cause = cause.reverses
    return getattr(cause, "settlement", None) if cause else None


def settlements_of(user: User, whose: str = "") -> QuerySet[Settlement]:
    """The bills a citizen may see, newest first, each with `legs`, his account's part of it; two statements.

    `whose`: "" all, "own" his own bills, "family" those of relatives his account paid for.
    """
    bills = settlements_visible_to(user)
    if whose == "own":
        bills = bills.filter(patient=user.member_id)
    elif whose == "family":
        bills = bills.exclude(patient=user.member_id)
    legs = SettlementPayer.objects.filter(member=user.member_id).select_related("grant")
    return (
        bills.select_related("institution", "patient")
        .prefetch_related(Prefetch("payers", legs, to_attr="legs"))
        .order_by("-settled_on", "-pk")
    )


def settlement_visible_to(user: User, public_id: UUID) -> Settlement | None:
    """A bill with all that its page needs, or None if there is none or it is somebody else's; two statements."""
    payers = SettlementPayer.objects.select_related("grant", "member", "account__region")
    bills = settlements_visible_to(user).select_related(
        "institution", "patient", "region", "scheme", "transaction", "transaction__reversed_by"
    )
    return bills.prefetch_related(Prefetch("payers", payers)).filter(public_id=public_id).first()


def order_at(bill: Settlement) -> list[SharingGrant]:
    """The grants that stood ready for a bill, in the order frozen with it, each with its grantor; one statement."""
    ids = bill.order.get("grants", [])
    grants = SharingGrant.objects.select_related("grantor").in_bulk(ids)
    return [grants[pk] for pk in ids if pk in grants]


def people_paid_for(user: User, account: PersonalAccount) -> list[tuple[Member, str]]:
    """The relatives whose bills the account has ever paid, each with what they are to its holder; one statement."""
    legs = (
        SettlementPayer.objects.filter(account__in=accounts_visible_to(user), account=account, grant__isnull=False)
        .select_related("grant__beneficiary")
        .order_by("grant__beneficiary_id", "-settlement_id")
        .distinct("grant__beneficiary_id")
    )
    return [(leg.grant.beneficiary, leg.grant.relation) for leg in legs if leg.grant]
