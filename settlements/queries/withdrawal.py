"""Closing an account: the region's rule, what is so on the day, and what staff have to look after."""

import datetime
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from accounts import dates
from accounts.enums import EnrolmentStatus, Role
from accounts.models import Enrolment, Member, Region, User
from accounts.money import ZERO
from accounts.policies import is_member, regions_with_role
from casework import kinds
from casework.enums import OPEN_STATES, CaseState
from casework.models import Case
from casework.policies import staff_regions
from settlements.domain.withdrawal import INHERITANCE, KINDS, Open, WithdrawalRule
from settlements.enums import CLAIM_CASE, AccountStatus, TransferState, WalletEntryKind
from settlements.models import (
    Payee,
    Payout,
    PersonalAccount,
    Settlement,
    Wallet,
    WalletEntry,
    WalletTransfer,
    WithdrawalApplication,
)
from settlements.queries.parameters import region_rule

# What is closed or inherited; a wallet only where its member has no account that it could be inherited with.
Purse = PersonalAccount | Wallet
# What must be settled first, and whose: each is asked for the open things of a purse's member.
Probe = Callable[[Purse], Iterable[Open]]
_probes: list[Probe] = []


def register_open(probe: Probe) -> None:
    """An app above says what it keeps open for a member (`AppConfig.ready`)."""
    _probes.append(probe)


def rule_on(region_id: str, on: datetime.date) -> WithdrawalRule | None:
    """A region's rule on a day; None where it has none."""
    rule = region_rule(Region.objects.get(pk=region_id), "withdrawal", on)
    return None if rule is None else WithdrawalRule.from_data(rule)


def purse_for(member: Member, kind: str, account: PersonalAccount | None) -> Purse | None:
    """What an application of a kind would be about: the member's account, or, to be inherited, his wallet where that
    account is not open."""
    if kind == INHERITANCE and (account is None or account.status != AccountStatus.OPEN):
        return Wallet.objects.select_related("member", "region").filter(member=member).first() or account
    return account


def purse_of(application: WithdrawalApplication) -> Purse:
    """What an application is about: the account it names, or else the wallet."""
    return application.account or Wallet.objects.select_related("member", "region").get(member=application.member)


def has_open_account(member_id: int) -> bool:
    """Whether an account of the member is open, in any region."""
    return PersonalAccount.objects.filter(member=member_id, status=AccountStatus.OPEN).exists()


def was_inherited(member_id: int) -> bool:
    """Whether heirs have been given what there was."""
    granted = WithdrawalApplication.objects.filter(case__kind=INHERITANCE, case__state=CaseState.GRANTED)
    return granted.filter(case__applicant=member_id).exists()


def open_things(purse: Purse) -> tuple[Open, ...]:
    """Transfers under way, applications not decided, and what other apps keep open for the member."""
    found = [Open(what="transfer", name=dates.day(timezone.localdate(one.sent_at))) for one in _transfers(purse)]
    for case in Case.objects.filter(applicant=purse.member_id, state__in=OPEN_STATES).exclude(state=CaseState.DRAFT):
        if case.kind not in KINDS:
            what = "claim" if case.kind == CLAIM_CASE else "case"
            found.append(Open(what=what, name=f"{kinds.get(case.kind).title} {case.number}"))
    for probe in _probes:
        found += probe(purse)
    return tuple(found)


def _transfers(purse: Purse) -> QuerySet[WalletTransfer]:
    pending = WalletTransfer.objects.filter(state=TransferState.PENDING)
    return pending.filter(Q(sender=purse.member_id) | Q(receiver=purse.member_id))


def applied_for(purse: Purse, except_case: int | None = None) -> str:
    """The number of an application for the account, or for the wallet alone, that is not decided yet, or ""."""
    account = purse if isinstance(purse, PersonalAccount) else None
    waiting = WithdrawalApplication.objects.filter(
        case__applicant=purse.member_id, account=account, case__state__in=OPEN_STATES
    )
    return waiting.exclude(case=except_case).values_list("case__number", flat=True).first() or ""


def last_enrolment(purse: Purse) -> Enrolment | None:
    """How the member is or was insured in the purse's region, the latest row."""
    rows = Enrolment.objects.filter(member=purse.member_id, region=purse.region_id)
    return rows.select_related("region", "member").order_by("-valid_from").first()


def insured_until(purse: Purse, on: datetime.date) -> tuple[bool, datetime.date | None]:
    """Whether the insurance in the purse's region goes on on a day; and the first day without it (None: never was)."""
    row = last_enrolment(purse)
    if row is None:
        return False, None
    if row.status == EnrolmentStatus.NORMAL and (row.valid_to is None or row.valid_to > on):
        return True, None
    return False, row.valid_from if row.status != EnrolmentStatus.NORMAL else row.valid_to


def applications_visible_to(user: User) -> QuerySet[WithdrawalApplication]:
    """One's own and those of which one is a payee; for staff those of their regions."""
    mine = Q(case__applicant=user.member_id) | heirs_see(user.member_id, "case__")
    seen = mine if is_member(user) else Q(case__region__in=staff_regions(user))
    return WithdrawalApplication.objects.filter(seen).select_related(
        "case__applicant", "case__region", "case__centre", "case__opened_by", "account"
    )


def heirs_see(member_id: int | None, path: str = "") -> Q:
    """Cases in which a member is to get something; not while they are being written."""
    if member_id is None:
        return Q(pk__in=[])
    theirs = Payee.objects.filter(member=member_id).values("application__case")
    return Q(**{f"{path}pk__in": theirs}) & ~Q(**{f"{path}state": CaseState.DRAFT})


def late_applications() -> QuerySet[WithdrawalApplication]:
    """Those by whose shares money goes on that has come since: to an account they closed, or to the wallet of the dead."""
    granted = WithdrawalApplication.objects.filter(case__state=CaseState.GRANTED)
    late = granted.filter(account__status=AccountStatus.LATE).order_by("account_id", "-pk").distinct("account_id")
    # Whose accounts of two regions were inherited has one wallet: its money goes the way of the last.
    inherited = granted.filter(case__kind=INHERITANCE, case__applicant__wallet__balance__gt=0)
    inherited = inherited.exclude(account__status=AccountStatus.OPEN)
    last = inherited.order_by("case__applicant_id", "-pk").distinct("case__applicant_id")
    found = WithdrawalApplication.objects.filter(Q(pk__in=late.values("pk")) | Q(pk__in=last.values("pk")))
    return found.select_related("account", "case__applicant").order_by("pk")


def out_of_wallet(application: WithdrawalApplication) -> Decimal:
    """Yuan of what was paid out that lay in the wallet of the dead, late money too."""
    paid = Payout.objects.filter(payee__application=application).values("transaction")
    entries = WalletEntry.objects.filter(kind=WalletEntryKind.INHERITED, transaction__in=paid)
    return -(entries.aggregate(sum=Sum("delta"))["sum"] or ZERO)


def bills_after_death(user: User) -> QuerySet[Settlement]:
    """Bills that stand though the care was after the death of the patient or of somebody whose account paid.

    Of the regions an administrator, clerk or supervisor has; the newest first, each with `died_on` and `who`.
    """
    regions = regions_with_role(user, Role.REGION_ADMIN, Role.CLERK, Role.SUPERVISOR)
    late = Q(patient__died_on__lt=F("service_on")) | Q(payers__member__died_on__lt=F("service_on"))
    bills = Settlement.objects.filter(late, region__in=regions, reversed_on=None)
    return bills.select_related("institution", "patient").prefetch_related("payers__member").distinct()


def dead_of(bill: Settlement) -> list[Member]:
    """Who of a bill's people had died when the care was given."""
    people = {one.pk: one for one in (bill.patient, *(payer.member for payer in bill.payers.all()))}
    return [one for one in people.values() if one.died_on is not None and one.died_on < bill.service_on]


def shape_of(application: WithdrawalApplication) -> dict[str, Any]:
    """What an application says, for the line of the log; numbers masked."""
    return {
        "reason": application.reason,
        "since": application.since.isoformat(),
        "payees": [
            {"way": payee.way, "percent": str(payee.percent), "bank": payee.masked_bank_account}
            for payee in application.payees.all()
        ],
    }
