"""Crediting of one personal account (划入), never twice for a period. Many at once: see credit_runs."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Q

from accounts.domain.benefit_year import start_of, year_of
from accounts.errors import Refused
from accounts.models import Enrolment, Region, User
from accounts.money import ZERO, plain
from settlements import ledger
from settlements.actions import opening
from settlements.domain.crediting import CreditRule, month_credit, year_credit
from settlements.domain.parameters import NotKnown, Person
from settlements.enums import AccountStatus, Contra, EntryKind
from settlements.models import Clawback, Credit, PersonalAccount
from settlements.queries.parameters import credit_rule_on

MONTH, YEAR = "month", "year"


@dataclass(frozen=True)
class Credited:
    """What a credit put into each bucket and what went to a debt first, in yuan."""

    current: Decimal
    historical: Decimal
    debt_repaid: Decimal


def credit(*, enrolment: Enrolment, every: str, on: datetime.date, by: User | None = None) -> Credited:
    """Credit one member for the month or (the rest of) the benefit year of a day, by his region's rule.

    A debt is repaid first by what goes to historical; a credit to current leaves it for the year's end, when it is netted
    against historical. A year is not credited ahead to somebody who is known to leave within it: nobody would take it
    back; his months can be credited one by one. A closed account is opened again for who is insured. Raises Refused:
    not_permitted (no account), closed, suspended, leaving_known (with `until`), no_base, not_covered, duplicate (credited
    for this period already).
    """
    mine = PersonalAccount.objects.select_related("region")
    account = mine.filter(member=enrolment.member_id, region=enrolment.region_id).first()
    if account is None or enrolment.insurance != "employee":
        raise Refused("not_permitted")
    if account.status != AccountStatus.OPEN and not opening.reopen(
        region_id=account.region_id, on=on, members=[account.member_id]
    ):
        raise Refused("closed", why="account")
    rules = years_of(enrolment.region)
    rule = credit_rule_on(enrolment.region_id, on)
    if every == YEAR and enrolment.status == "normal":
        _refuse_leaving(enrolment, on, rules)
    amount = amount_for(rule, enrolment, every, on, rules)
    period = _not_given_back(account, period_of(every, on, rules))
    if every == MONTH and _year_stands(account, period_of(YEAR, on, rules)):
        raise Refused("duplicate")
    answer = ledger.once(
        scope=f"credit:{account.pk}",
        # The amount is part of the key: with another base the same day's second attempt is a duplicate, not a misuse.
        key=f"{period}@{on}:{plain(amount)}",
        request={"amount": plain(amount)},
        kind=EntryKind.CREDIT,
        on=on,
        region_id=enrolment.region_id,
        by_id=by.pk if by else None,
        work=partial(_credit, account, enrolment.pk, rule, amount, period, on),
    )
    return Credited(*(Decimal(answer[name]) for name in ("current", "historical", "debt_repaid")))


def _refuse_leaving(enrolment: Enrolment, on: datetime.date, years: Any) -> None:
    """Raises Refused("leaving_known") where the insurance is known to end or rest before the year does.

    The same rule as that of the runs (credit_runs.DUE): a row that another normal one follows is no end.
    """
    end = enrolment.valid_to
    spans = Enrolment.objects.filter(member=enrolment.member_id, region=enrolment.region_id, insurance="employee")
    while end is not None and (following := spans.filter(valid_from=end, status="normal").first()):
        end = following.valid_to
    if end is not None and end < start_of(years, year_of(years, on) + 1):
        raise Refused("leaving_known", until=end.isoformat())


def amount_for(rule: CreditRule, enrolment: Enrolment, every: str, on: datetime.date, years: Any) -> Decimal:
    """Yuan due to an enrolment. Raises Refused: suspended (frozen, closed), no_base, not_covered."""
    if enrolment.status != "normal":
        raise Refused(enrolment.status)
    return amount_of(rule, enrolment, every, on, years)


def amount_of(rule: CreditRule, enrolment: Enrolment, every: str, on: datetime.date, years: Any) -> Decimal:
    """Yuan that base and status of an enrolment come to, whether it is in force or not.

    Raises Refused: no_base, not_covered (no source tells what somebody of this status gets).
    """
    if enrolment.personal_status == "active" and enrolment.base is None:
        raise Refused("no_base")
    person = Person(birth=enrolment.member.birth, status=enrolment.personal_status, retired_on=enrolment.retired_on)
    base = enrolment.base or ZERO
    try:
        if every == YEAR:
            return year_credit(rule, person, base, on, years)
        return month_credit(rule, person, base, on)
    except NotKnown:
        raise Refused("not_covered", why="no_credit") from None


def period_of(every: str, on: datetime.date, years: Any) -> str:
    """The period a credit of a day is for: "2026-03" or the benefit year "2025"."""
    return str(year_of(years, on)) if every == YEAR else f"{on:%Y-%m}"


def _not_given_back(account: PersonalAccount, period: str) -> str:
    """The period, or "2025.2" after its credit went back when the member left: he has come back in the same year."""
    same = Q(period=period) | Q(period__startswith=f"{period}.")
    times = Clawback.objects.filter(same, account=account).values("period").distinct().count()
    return f"{period}.{times + 1}" if times else period


def _year_stands(account: PersonalAccount, year: str) -> bool:
    """Whether the year was credited ahead, its months with it, and nothing of that went back."""
    back = Clawback.objects.filter(account=account).values("period")
    same = Q(period=year) | Q(period__startswith=f"{year}.")
    return Credit.objects.filter(same, account=account).exclude(period__in=back).exists()


def years_of(region: Region) -> list[tuple[int, int, int]]:
    """The region's dated rule of the benefit year."""
    return [tuple(rule) for rule in region.data["years"]]


# What was due was worked out before the lock. Whoever left or was paid out meanwhile changed his enrolment first and
# locked his account then: under the lock it shows, and nothing is credited that nobody would take back any more.
STILL_IN = """
SELECT a.id FROM settlements_personalaccount a
JOIN accounts_enrolment e ON e.member_id = a.member_id AND e.region_id = a.region_id
WHERE a.id = ANY(%s) AND a.status = 'open' AND e.insurance = 'employee' AND e.status = 'normal'
    AND e.valid_from <= %s AND (e.valid_to IS NULL OR e.valid_to > %s)
"""


def _still_in(account_ids: Sequence[int], on: datetime.date) -> set[int]:
    """Of locked accounts those whose members contribute on a day."""
    with connection.cursor() as cursor:
        cursor.execute(STILL_IN, [list(account_ids), on, on])
        return {account_id for (account_id,) in cursor.fetchall()}


def repaid_by(bucket: str, amount: Decimal, debt: Decimal) -> Decimal:
    """Yuan of a debt that a credit to a bucket repays: a debt is historical's, current is for the year's care."""
    return min(debt, amount) if bucket == "historical" else ZERO


def bucket_in(account_year: int, bucket: str, year: int) -> str:
    """The bucket that a credit for a benefit year goes to in an account that is in one: what was for the current of a year
    that has ended belongs where that year's rest lies by now, in historical."""
    return "historical" if account_year > year else bucket


def _credit(
    account: PersonalAccount,
    enrolment_id: int,
    rule: CreditRule,
    amount: Decimal,
    period: str,
    on: datetime.date,
    transaction_id: int,
) -> dict[str, Any]:
    books = ledger.open(patient_id=account.member_id, years=[], account_ids=[account.pk], on=on)
    if not _still_in([account.pk], on):
        left = Enrolment.objects.filter(pk=enrolment_id).values_list("status", flat=True).first()
        raise Refused("closed" if left in (None, "normal") else left)
    if Credit.objects.filter(account=account, period=period).exists():
        raise Refused("duplicate")
    held = books.accounts[account.pk]
    # Rolled already by a movement of another clock, or of a later day.
    bucket = bucket_in(held.benefit_year, rule.bucket, year_of(years_of(account.region), on))
    repaid = repaid_by(bucket, amount, held.debt)
    paid_in = {"current": ZERO, "historical": ZERO, bucket: amount - repaid}
    if amount:
        Credit.objects.create(account=account, period=period, amount=amount, transaction_id=transaction_id)
        movement = ledger.Movement(
            account_id=account.pk, kind=EntryKind.CREDIT, contra=Contra.CONTRIBUTION, debt=-repaid, **paid_in
        )
        books.post(transaction_id, [movement])
    return {**{name: plain(value) for name, value in paid_in.items()}, "debt_repaid": plain(repaid)}
