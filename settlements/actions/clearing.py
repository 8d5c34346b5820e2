"""Clearing of a closed year (清算): what bases and months come to against what was credited; the difference is posted."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from accounts import clock
from accounts.actions import messages
from accounts.domain.benefit_year import Rules, start_of
from accounts.errors import Refused
from accounts.models import Enrolment, Member, Region, User
from accounts.money import ZERO, plain
from settlements.actions.credit_runs import CHUNK, Done, record
from settlements.actions.crediting import years_of
from settlements.actions.rollover import clock_day
from settlements.domain.crediting import CreditRule, MonthDue, due_of_year, standing_months
from settlements.domain.parameters import NoValue, Person
from settlements.enums import Contra, CreditKind, CreditState, EntryKind
from settlements.ledger.many import Held, Move, lock_many, post_many
from settlements.models import Clawback, Clearing, Credit, CreditChunk, CreditRun, PersonalAccount
from settlements.queries.parameters import credit_rule_on

DAY = datetime.timedelta(days=1)
# Accounts that were credited for the year: a year's credit, or that of one of its months.
PLAN = """
INSERT INTO settlements_creditchunk (run_id, number, first_id, last_id, planned, done, accounts, amount, taken, debt)
SELECT %(run)s, (n - 1) / %(size)s + 1, min(id), max(id), count(*), false, 0, 0, 0, 0
FROM (
    SELECT a.id, row_number() OVER (ORDER BY a.id) AS n FROM settlements_personalaccount a
    WHERE a.region_id = %(region)s AND a.status = 'open' AND EXISTS (
        SELECT 1 FROM settlements_credit c
        WHERE c.account_id = a.id AND split_part(c.period, '.', 1) = ANY(%(periods)s)
    )
) AS numbered
GROUP BY (n - 1) / %(size)s
"""
# Of several contributions for a month the latest released one counts.
BASES = """
SELECT DISTINCT ON (c.member_id, c.month) c.member_id, c.month, c.base FROM settlements_contribution c
JOIN settlements_contributionfile f ON f.id = c.file_id AND f.state = 'released' AND f.region_id = %(region)s
WHERE c.member_id = ANY(%(members)s) AND c.month >= %(first)s AND c.month < %(end)s
ORDER BY c.member_id, c.month, c.file_id DESC
"""


def plan(*, region: Region, year: int, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Plan the clearing of a benefit year that is over; another person releases it (credit_runs.release).

    Raises Refused: year_not_over (with `boundary_on`), clearing_open, clearing_nobody, not_covered.
    """
    at = at or clock.now()
    years = years_of(region)
    end = start_of(years, year + 1)
    if clock_day(at) < end:
        raise Refused("year_not_over", boundary_on=end.isoformat(), why="clearing")
    credit_rule_on(region.pk, start_of(years, year))
    with transaction.atomic():
        Region.objects.select_for_update(no_key=True).get(pk=region.pk)
        states = [CreditState.PLANNED, CreditState.RUNNING, CreditState.PAUSED]
        if CreditRun.objects.filter(region=region, kind=CreditKind.CLEARING, period=year, state__in=states).exists():
            raise Refused("clearing_open", year=year)
        run = CreditRun.objects.create(
            region=region, kind=CreditKind.CLEARING, period=str(year), on=clock_day(at), state=CreditState.PLANNED,
            planned_by=by, planned_at=at,
        )  # fmt: skip
        with connection.cursor() as cursor:
            periods = [str(year), *(f"{month:%Y-%m}" for month in months_of(years, year))]
            cursor.execute(PLAN, {"run": run.pk, "region": region.pk, "size": CHUNK, "periods": periods})
        if not run.chunks.exists():
            raise Refused("clearing_nobody", year=year)
        record("plan", run, by, at)
    return run


def months_of(years: Rules, year: int) -> list[datetime.date]:
    """The first days of a benefit year's months."""
    day, end = start_of(years, year), start_of(years, year + 1)
    months = []
    while day < end:
        months.append(day)
        day = (day + 31 * DAY).replace(day=1)
    return months


@dataclass(frozen=True)
class Cleared:
    """One account's year: months and last base that counted, yuan due and credited."""

    months: int
    base: Decimal | None
    due: Decimal
    credited: Decimal

    @property
    def amount(self) -> Decimal:
        """Due less credited."""
        return self.due - self.credited


def clear_chunk(run: CreditRun, chunk: CreditChunk, transaction_id: int) -> Done:
    """Clear the year of the accounts of a chunk: short is topped up, over goes back, what is not there is a debt.

    The year is closed: its rest lies in historical, and there the difference goes or comes from (decision).
    """
    year, years = int(run.period), years_of(run.region)
    inside = PersonalAccount.objects.filter(
        region=run.region_id, pk__range=(chunk.first_id, chunk.last_id), status="open"
    )
    held = lock_many(inside.values_list("pk", flat=True), run.on)
    # Read once they are locked: one that was closed meanwhile has been paid out, and its debts nobody would pay.
    accounts = dict(inside.filter(pk__in=held).values_list("pk", "member_id"))
    facts = _Facts(run.region_id, year, years, accounts)
    cleared = {account: found for account in accounts if (found := facts.clear(account)) is not None}
    moves = {account: _move(found.amount, held[account]) for account, found in cleared.items() if found.amount}
    Clearing.objects.bulk_create(
        Clearing(
            account_id=account, year=year, transaction_id=transaction_id, months=found.months, base=found.base,
            due=found.due, credited=found.credited, amount=found.amount,
        )
        for account, found in cleared.items()
    )  # fmt: skip
    post_many(
        transaction_id=transaction_id, kind=EntryKind.CLEARING, contra=Contra.CLEARING, on=run.on, moves=moves
    )  # fmt: skip
    _tell(run, {account: move for account, move in moves.items() if cleared[account].amount < 0}, accounts)
    return Done(
        accounts=len(cleared),
        amount=sum((found.amount for found in cleared.values() if found.amount > 0), ZERO),
        taken=sum((-move.historical for move in moves.values() if move.historical < 0), ZERO),
        debt=sum((move.debt for move in moves.values() if move.debt > 0), ZERO),
    )


def _move(amount: Decimal, held: Held) -> Move:
    if amount > 0:
        repaid = min(held.debt, amount)
        return Move(historical=amount - repaid, debt=-repaid)
    taken = min(held.historical, -amount)
    return Move(historical=-taken, debt=-amount - taken)


def over(account: PersonalAccount, year: int, left_on: datetime.date) -> Decimal | None:
    """Yuan that somebody who left on a day has too much of a year that was cleared; None where it was not.

    The clearing has moved what the credit was short or over. So what goes back is counted as the next clearing would
    count it: of the credit alone, more or less than what was due would go back.
    """
    if not Clearing.objects.filter(account=account, year=year).exists():
        return None
    facts = _Facts(account.region_id, year, years_of(account.region), {account.pk: account.member_id})
    earlier = {back.period for back in facts.back[account.pk] if back.left_on <= left_on}
    # Behind those of earlier leavings: of a period the last one tells how many months of it stand.
    facts.back[account.pk] += [
        Clawback(account=account, period=credit.period, left_on=left_on, amount=ZERO)
        for credit in facts.credits.get(account.pk, [])
        if credit.period not in earlier and ("-" not in credit.period or credit.period[:7] > f"{left_on:%Y-%m}")
    ]
    found = facts.clear(account.pk)
    return None if found is None else max(-found.amount, ZERO)


class _Facts:
    """What is known of accounts of a region for a year: credits, what went back, enrolments, contributions."""

    def __init__(self, region_id: str, year: int, years: Rules, accounts: dict[int, int]) -> None:
        self.years, self.accounts = years, accounts
        self.months = months_of(years, year)
        self.first, self.end = start_of(years, year), start_of(years, year + 1)
        self.rule: CreditRule = credit_rule_on(region_id, self.first)
        mine = Q(period=str(year)) | Q(period__startswith=f"{year}.")
        for month in self.months:
            mine |= Q(period__startswith=f"{month:%Y-%m}")
        self.credits = _by(
            "account_id", Credit.objects.filter(mine, account__in=accounts).select_related("transaction")
        )  # fmt: skip
        self.back = _by("account_id", Clawback.objects.filter(mine, account__in=accounts))
        self.earlier = _by("account_id", Clearing.objects.filter(account__in=accounts, year=year))
        rows = Enrolment.objects.filter(
            member__in=accounts.values(), region=region_id, insurance="employee", valid_from__lt=self.end
        ).exclude(valid_to__lte=self.first)  # fmt: skip
        self.enrolments = _by("member_id", rows.order_by("valid_from"))
        self.births = dict(Member.objects.filter(pk__in=accounts.values()).values_list("pk", "birth"))
        self.bases: dict[tuple[int, datetime.date], Decimal] = {}
        with connection.cursor() as cursor:
            members = list(accounts.values())
            span = {"region": region_id, "members": members, "first": self.first.replace(day=1), "end": self.end}
            cursor.execute(BASES, span)
            self.bases = {(member, month): base for member, month, base in cursor.fetchall()}

    def clear(self, account: int) -> Cleared | None:
        """The account's year; None where it was not credited in it, or no source tells what is due."""
        credits = self.credits.get(account, [])
        if not credits:
            return None
        member, standing = self.accounts[account], self._standing(account)
        counted = []
        for month in self.months:
            row = self._row(member, month)
            if row is not None and (month in standing or self._whole(account, member, month)):
                who = Person(birth=self.births[member], status=row.personal_status, retired_on=row.retired_on)
                counted.append(MonthDue(month, who, self._base(member, month, row)))
        try:
            due = due_of_year(self.rule, counted, self.years)
        except NoValue:
            return None
        credited = sum((credit.amount for credit in credits), ZERO)
        credited -= sum((back.amount for back in self.back.get(account, [])), ZERO)
        credited += sum((clearing.amount for clearing in self.earlier.get(account, [])), ZERO)
        working = [month for month in counted if month.person.status == "active"]
        return Cleared(len(counted), working[-1].base if working else None, due, credited)

    def _standing(self, account: int) -> set[datetime.date]:
        """The months that were credited and did not go back."""
        left = {back.period: back.left_on for back in self.back.get(account, [])}
        found: set[datetime.date] = set()
        for credit in self.credits.get(account, []):
            if "-" in credit.period:
                if credit.period not in left:
                    found.add(datetime.date.fromisoformat(f"{credit.period[:7]}-01"))
                continue
            day = credit.counted_on or credit.transaction.business_date
            first, count = standing_months(self.rule, day, left.get(credit.period), self.years)
            if first in self.months:
                found |= set(self.months[self.months.index(first) :][:count])
        return found

    def _row(self, member: int, month: datetime.date) -> Enrolment | None:
        """The enrolment in force, at least on one day of the month: the last such."""
        end = (month + 31 * DAY).replace(day=1)
        rows = [row for row in self._normal(member) if row.valid_from < end and (row.valid_to or self.end) > month]
        return rows[-1] if rows else None

    def _normal(self, member: int) -> list[Enrolment]:
        return [row for row in self.enrolments.get(member, []) if row.status == "normal"]

    def _whole(self, account: int, member: int, month: datetime.date) -> bool:
        """Insured on every day of the month, and neither joined in it where the next one counts nor left in it."""
        end = (month + 31 * DAY).replace(day=1)
        if any(month <= back.left_on < end for back in self.back.get(account, [])):
            return False
        at, begun = month, None
        for row in self._normal(member):
            if row.valid_from <= at < (row.valid_to or end):
                begun = begun or row.valid_from
                at = row.valid_to or end
        joined = begun is not None and begun >= month and begun > self.first and self.rule.joining == "next_month"
        return at >= end and not joined

    def _base(self, member: int, month: datetime.date, row: Enrolment) -> Decimal:
        base = self.bases.get((member, month))
        return base if base is not None else row.base or ZERO


def _by(name: str, rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def _tell(run: CreditRun, moves: dict[int, Move], accounts: dict[int, int]) -> None:
    """A message to those from whom money goes back."""
    members = Member.objects.in_bulk([accounts[account] for account in moves])
    for account, move in moves.items():
        member = members[accounts[account]]
        if member.died_on is None:
            facts = {"year": run.period, "amount": plain(-move.historical), "debt": plain(move.debt)}
            kind = "clearing_owed" if move.debt else "clearing_back"
            messages.notify(member=member, kind=kind, params=facts, at=clock.now())
