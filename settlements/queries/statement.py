"""A period of an account: opening balance, movements, closing balance, and sums that agree with the ledger."""

import datetime
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.domain.months import last_of
from accounts.models import Member, User
from accounts.money import ZERO
from settlements.enums import EntryKind, TransferState
from settlements.ledger import wallets
from settlements.ledger.rolling import ROLLED
from settlements.models import Entry, PersonalAccount, WalletTransfer
from settlements.queries.crediting import YearCleared, credited_years
from settlements.queries.member import BILLS, Line, entries_visible_to, lines, movements
from settlements.queries.wallet import WalletPeriod
from settlements.queries.wallet import period as wallet_period
from settlements.queries.year import year_on

DUE = ROLLED + "SELECT year, boundary, rolled_historical, rolled_debt, historical, debt FROM rolled ORDER BY year"


@dataclass(frozen=True)
class Amounts:
    """Yuan in the two buckets, and the debt beside them."""

    current: Decimal = ZERO
    historical: Decimal = ZERO
    debt: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Both buckets; the debt is never taken off."""
        return self.current + self.historical

    def plus(self, line: Line) -> "Amounts":
        """After a movement."""
        return Amounts(self.current + line.current, self.historical + line.historical, self.debt + line.debt)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """An account from one day to another, both counted; amounts in yuan. opening + every line = closing.

    `lines` in the order of booking. `by_kind`: kind of entry -> what it came to; `by_relative`: (relative, relation,
    yuan used net of what came back), for those whose bills were paid or reversed in the period. `credited`: the benefit
    years of the period and the one before, whose clearing may lie in it, as they stood at its end. `wallet`: the
    holder's wallet in the same days, which is no part of the account and is counted in none of its sums.
    """

    account: PersonalAccount
    start: datetime.date
    end: datetime.date
    opening: Amounts
    closing: Amounts
    lines: list[Line]
    by_kind: dict[str, Decimal]
    by_relative: list[tuple[Member, str, Decimal]]
    credited: list[YearCleared]
    wallet: WalletPeriod | None

    @property
    def change(self) -> Decimal:
        """Closing less opening balance, which is what all kinds come to."""
        return self.closing.total - self.opening.total

    @property
    def came_in(self) -> Decimal:
        """All that was added, without what only changed buckets."""
        return sum((line.amount for line in self.lines if line.amount > 0), ZERO)

    @property
    def went_out(self) -> Decimal:
        """All that was taken, as a negative amount."""
        return sum((line.amount for line in self.lines if line.amount < 0), ZERO)


def due_lines(account: PersonalAccount, on: datetime.date) -> list[Line]:
    """What `ledger.balances` shows on a day and nobody has written yet, oldest first: rollovers with their interest, and a
    wallet transfer that nobody accepted in time."""
    # Sent on a year's last day it is back on the first one of the next, at six: after the rollover.
    found = sorted([*_rolled(account, on), *_back(account, on)], key=lambda line: line.on)
    balance, listed = Amounts(account.current, account.historical, account.debt), []
    for line in found:
        balance = balance.plus(line)
        listed.append(_after(line, balance))
    return listed


def _rolled(account: PersonalAccount, on: datetime.date) -> list[Line]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, [[account.pk], on])
        rows = cursor.fetchall()
    found, two = [], account.region.two_buckets
    before = Amounts(account.current, account.historical, account.debt)
    for year, boundary, rolled_historical, rolled_debt, historical, debt in rows[1:]:
        rolled = Amounts(ZERO, rolled_historical, rolled_debt)
        found.append(_due(EntryKind.ROLLOVER, boundary, year - 1, before, rolled, two))
        before = Amounts(ZERO, historical, debt)
        if before != rolled:
            found.append(_due(EntryKind.INTEREST, boundary, year, rolled, before, two))
    return found


def _back(account: PersonalAccount, on: datetime.date) -> list[Line]:
    overdue = WalletTransfer.objects.filter(
        account=account, state=TransferState.PENDING, expires_at__lte=wallets.moment(on)
    )
    found, two = [], account.region.two_buckets
    for sent in overdue.select_related("receiver"):
        # As it will be written: never before the last movement.
        day = max(timezone.localdate(sent.expires_at), account.products_on)
        year = year_on(account.region_id, day)
        number = year.number if year else account.benefit_year
        back = _due(EntryKind.WALLET, day, number, Amounts(), Amounts(historical=sent.amount), two)
        found.append(replace(back, transfer=sent))
    return found


def _after(line: Line, balance: Amounts) -> Line:
    """The line with the balances after it: counted on, so that every line of a list leads to the next."""
    return replace(line, current_after=balance.current, historical_after=balance.historical, debt_after=balance.debt)


def _due(kind: str, on: datetime.date, year: int, before: Amounts, after: Amounts, two_buckets: bool) -> Line:
    return Line(
        on=on,
        kind=kind,
        current=after.current - before.current,
        historical=after.historical - before.historical,
        debt=after.debt - before.debt,
        current_after=after.current,
        historical_after=after.historical,
        debt_after=after.debt,
        benefit_year=year,
        two_buckets=two_buckets,
        due=True,
    )


def statement(user: User, account: PersonalAccount, start: datetime.date, end: datetime.date) -> Statement:
    """The account from `start` to `end`; a few statements however long the period is."""
    while True:
        account.refresh_from_db(fields=("benefit_year", "current", "historical", "debt", "version", "products_on"))
        told = _statement(user, account, start, end)
        # What was written down between what is due and what is written would stand in both: then it is read again.
        if PersonalAccount.objects.values_list("version", flat=True).get(pk=account.pk) == account.version:
            return told


def _statement(user: User, account: PersonalAccount, start: datetime.date, end: datetime.date) -> Statement:
    due = due_lines(account, end)
    opening = _sum_before(user, account, start)
    written = lines(account, movements(user, account, start=start, end=end).order_by("version"))
    for line in due:
        if line.on < start:
            opening = opening.plus(line)
    balance, listed = opening, []
    for line in [*written, *(line for line in due if line.on >= start)]:
        balance = balance.plus(line)
        listed.append(_after(line, balance))
    return Statement(
        account=account,
        start=start,
        end=end,
        opening=opening,
        closing=balance,
        lines=listed,
        by_kind=_by_kind(listed),
        by_relative=_by_relative(listed),
        credited=_credited(account, start, end),
        wallet=wallet_period(account.member, start, end),
    )


def _credited(account: PersonalAccount, start: datetime.date, end: datetime.date) -> list[YearCleared]:
    first = year_on(account.region_id, start)
    return [row for row in credited_years(account, end) if first is None or row.year >= first.number - 1]


def _sum_before(user: User, account: PersonalAccount, start: datetime.date) -> Amounts:
    before = entries_visible_to(user).filter(account=account, business_date__lt=start)
    sums = before.aggregate(Sum("current_delta"), Sum("historical_delta"), Sum("debt_delta"))
    return Amounts(
        sums["current_delta__sum"] or ZERO, sums["historical_delta__sum"] or ZERO, sums["debt_delta__sum"] or ZERO
    )


def _by_kind(listed: list[Line]) -> dict[str, Decimal]:
    """What each kind came to, own care and relatives' care apart, a kind of which all came back as nought.

    A rollover that only moved money between the buckets is in no sum.
    """
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in listed:
        if line.amount:
            sums["family" if line.is_family and line.kind in BILLS else line.kind] += line.amount
    return dict(sums)


def _by_relative(listed: list[Line]) -> list[tuple[Member, str, Decimal]]:
    used: dict[int, Decimal] = defaultdict(lambda: ZERO)
    people: dict[int, tuple[Member, str]] = {}
    for line in listed:
        if line.relation and line.settlement:
            used[line.settlement.patient_id] -= line.amount
            people[line.settlement.patient_id] = (line.settlement.patient, line.relation)
    return [(*people[member_id], amount) for member_id, amount in used.items()]


def month_ends(account: PersonalAccount, on: datetime.date, months: int = 12) -> list[tuple[datetime.date, Amounts]]:
    """The balances at the end of each of the last months, the present one as it stands; (day, yuan), oldest first."""
    days = [last_of(on, -back) for back in range(months - 1, 0, -1)] + [on]
    rows = Entry.objects.filter(account=account, business_date__lte=on).order_by("business_date", "version")
    changes = list(rows.values_list("business_date", "current_delta", "historical_delta", "debt_delta"))
    changes += [(line.on, line.current, line.historical, line.debt) for line in due_lines(account, on)]
    # Before the first movement there was no account, which is not the same as nought.
    since = min([account.opened_on, *(change[0] for change in changes[:1])])
    return [(day, _until(changes, day)) for day in days if day >= since]


def _until(changes: list[tuple[datetime.date, Decimal, Decimal, Decimal]], day: datetime.date) -> Amounts:
    held = [change for change in changes if change[0] <= day]
    return Amounts(*(sum((change[at] for change in held), ZERO) for at in (1, 2, 3)))
