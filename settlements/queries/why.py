"""Why a balance is what it is: what the records say of it, in the order in which it should be read."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from accounts.enums import EnrolmentStatus, Insurance
from accounts.errors import Refused
from accounts.models import Enrolment, Member, User
from accounts.money import ZERO
from accounts.queries import enrolment_on
from settlements.enums import AccountStatus, EntryKind, TransferState
from settlements.models import Credit, Entry, PersonalAccount, PremiumPayment, WalletTransfer
from settlements.queries import member as read
from settlements.queries.member import Line
from settlements.queries.parameters import credit_rule_on
from settlements.queries.statement import due_lines
from settlements.queries.wallet import on_its_way
from settlements.queries.year import Year, year_on

# Shown of each kind of use; the rest is in the list of movements.
SHOWN = 5


@dataclass(frozen=True)
class Fact:
    """One thing that explains the balance: a code, its facts (yuan, days, names), and the movements behind it."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()


def why_balance(user: User, at: datetime.datetime, on: datetime.date) -> list[Fact]:
    """What explains the balance of a citizen, or that there is none; the first is the most important.

    Codes: uninsured, resident, no_account (there is nothing to have a balance); closed, insured_again,
    other_region, resident_left, suspended, frozen, not_credited, pending, relatives, own, premiums, wallet, clawback,
    cleared, paid_out, debt, repaid, rolled, nothing.
    Source: domain.md 5, number 5.
    """
    member: Member = user.member
    enrolment = enrolment_on(member, on)
    account = read.account_of(member, on)
    if account is None:
        return [_none(enrolment)]
    facts = [*_state(member, account, enrolment, on), *_moves(user, account, at, on)]
    return facts or [Fact("nothing")]


def _none(enrolment: Enrolment | None) -> Fact:
    if enrolment is None:
        return Fact("uninsured")
    return Fact("resident" if enrolment.insurance == Insurance.RESIDENT else "no_account")


def _state(member: Member, account: PersonalAccount, enrolment: Enrolment | None, on: datetime.date) -> Iterator[Fact]:
    """What account and insurance are like today."""
    if account.status != AccountStatus.OPEN:
        again = account.status == AccountStatus.CLOSED and _employed(enrolment, account)
        yield Fact("insured_again" if again else "closed")
    others = PersonalAccount.objects.filter(member=member).exclude(pk=account.pk).select_related("region")
    for other in others:
        held = read.balance_of(other, on)
        if held.total:
            yield Fact("other_region", {"region": other.region.local_name, "amount": held.total})
    if enrolment is None:
        yield Fact("uninsured")
    elif enrolment.insurance == Insurance.RESIDENT:
        yield Fact("resident_left")
    elif enrolment.status == EnrolmentStatus.SUSPENDED:
        yield Fact("suspended", {"since_on": enrolment.valid_from})
    elif enrolment.status == EnrolmentStatus.FROZEN:
        yield Fact("frozen", {"since_on": enrolment.valid_from})
    elif enrolment.region_id == account.region_id and (missing := _not_credited(account, on)):
        yield missing


def _employed(enrolment: Enrolment | None, account: PersonalAccount) -> bool:
    """Whether he is insured again where the account is; the next night opens it (actions.opening.reopen)."""
    return (
        enrolment is not None
        and enrolment.region_id == account.region_id
        and enrolment.insurance == Insurance.EMPLOYEE
        and enrolment.status == EnrolmentStatus.NORMAL
    )


def _not_credited(account: PersonalAccount, on: datetime.date) -> Fact | None:
    """The credit of this month or year has not come yet."""
    try:
        rule = credit_rule_on(account.region_id, on)
    except Refused:
        return None
    year = year_on(account.region_id, on)
    period = f"{on:%Y-%m}" if rule.every == "month" else str(year.number) if year else ""
    if not period or Credit.objects.filter(account=account, period__startswith=period).exists():
        return None
    return Fact("not_credited", {"every": rule.every, "period": period})


def _moves(user: User, account: PersonalAccount, at: datetime.datetime, on: datetime.date) -> Iterator[Fact]:
    """What has left the account in this benefit year, or moved within it."""
    transfer = on_its_way(user.member, at)
    if transfer is not None and transfer.account_id == account.pk:
        yield Fact("pending", {"amount": transfer.amount, "back_at": transfer.expires_at})
    year = year_on(account.region_id, on)
    if year is None:
        return
    for code, kind in (("relatives", "family"), ("own", "care")):
        entries = read.movements(user, account, start=year.starts_on, end=on, kind=kind).exclude(kind=EntryKind.PREMIUM)
        # Bills that were taken back have cost nothing: the same sum as on the pages of the family and of the year.
        lines = [line for line in read.lines(account, entries) if not (line.settlement and line.settlement.reversed_on)]
        if lines:
            amount = -sum((line.amount for line in lines), ZERO)
            yield Fact(code, {"amount": amount, "count": len(lines)}, tuple(lines[:SHOWN]))
    yield from _rest(user, account, year, on)


def _rest(user: User, account: PersonalAccount, year: Year, on: datetime.date) -> Iterator[Fact]:
    days = (year.starts_on, on)
    # By what was paid and what arrived, not by movements: what comes back this year may have left in the one before.
    paid = PremiumPayment.objects.filter(account=account, refunded_on=None, paid_on__range=days)
    premiums = paid.aggregate(sum=Sum(F("current") + F("historical"), default=ZERO))["sum"]
    if premiums:
        yield Fact("premiums", {"amount": premiums})
    accepted = WalletTransfer.objects.filter(account=account, state=TransferState.ACCEPTED)
    sent = accepted.filter(sending__business_date__range=days).aggregate(sum=Sum("amount", default=ZERO))["sum"]
    if sent:
        yield Fact("wallet", {"amount": sent})
    since = read.movements(user, account, start=year.starts_on, end=on)
    for line in read.lines(account, since.filter(kind=EntryKind.CLEARING)):
        yield from _taken_back(line)
    if account.status == AccountStatus.OPEN:
        out = since.filter(kind=EntryKind.WITHDRAWAL, current_delta__lte=0, historical_delta__lte=0)
        paid_out = -out.aggregate(sum=Sum(F("current_delta") + F("historical_delta"), default=ZERO))["sum"]
        if paid_out:
            yield Fact("paid_out", {"amount": paid_out})
    held = read.balance_of(account, on)
    if held.debt:
        yield Fact("debt", {"amount": held.debt})
    yield from _rolled(account, since, year, on)


def _taken_back(line: Line) -> Iterator[Fact]:
    """What went back on leaving, or by the clearing of a closed year: what was really taken, as its movement says."""
    if line.amount >= 0:
        return
    if "left_on" in line.cause:
        left_on = datetime.date.fromisoformat(line.cause["left_on"])
        yield Fact("clawback", {"amount": -line.amount, "left_on": left_on})
    elif "period" in line.cause:
        yield Fact("cleared", {"amount": -line.amount, "year": line.cause["period"]})


def _rolled(account: PersonalAccount, since: QuerySet[Entry], year: Year, on: datetime.date) -> Iterator[Fact]:
    """What repaid a debt this year, and what the rollover left of the old year's balance."""
    # An account that is years behind has earlier rollovers due as well: those are of their own years.
    due = [line for line in due_lines(account, on) if line.on >= year.starts_on]
    written = since.filter(Q(kind=EntryKind.ROLLOVER) | Q(debt_delta__lt=0))
    lines = [*read.lines(account, written), *due]
    repaid = -sum((line.debt for line in lines if line.debt < 0), ZERO)
    if repaid:
        yield Fact("repaid", {"amount": repaid})
    moved = sum((max(line.historical, ZERO) for line in lines if line.kind == EntryKind.ROLLOVER), ZERO)
    if moved:
        yield Fact("rolled", {"amount": moved, "from_on": year.starts_on})
