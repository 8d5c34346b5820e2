"""Crediting of personal accounts (划入): one member, or a region in set-based chunks. Never twice for a period."""

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
from settlements.domain.crediting import CreditRule, month_credit, year_credit
from settlements.domain.parameters import NotKnown, Person
from settlements.enums import AccountStatus, Contra, EntryKind
from settlements.ledger.once import request_hash
from settlements.ledger.rolling import roll
from settlements.models import Clawback, Credit, PersonalAccount
from settlements.queries.parameters import credit_rule_on

MONTH, YEAR = "month", "year"
CHUNK = 1000


@dataclass(frozen=True)
class Credited:
    """What a credit put into each bucket and what went to a debt first, in yuan."""

    current: Decimal
    historical: Decimal
    debt_repaid: Decimal


def credit(*, enrolment: Enrolment, every: str, on: datetime.date, by: User | None = None) -> Credited:
    """Credit one member for the month or (the rest of) the benefit year of a day, by his region's rule.

    A debt is repaid first. Raises Refused: not_permitted (no account), closed, suspended, no_base, not_covered, duplicate
    (credited for this period already).
    """
    account = PersonalAccount.objects.filter(member=enrolment.member_id, region=enrolment.region_id).first()
    if account is None or enrolment.insurance != "employee":
        raise Refused("not_permitted")
    if account.status != AccountStatus.OPEN:
        raise Refused("closed")
    rules = years_of(enrolment.region)
    rule = credit_rule_on(enrolment.region_id, on)
    amount = amount_for(rule, enrolment, every, on, rules)
    period = _not_given_back(account, period_of(every, on, rules))
    answer = ledger.once(
        scope=f"credit:{account.pk}",
        key=f"{period}@{on}",
        request={"amount": amount},
        kind=EntryKind.CREDIT,
        on=on,
        region_id=enrolment.region_id,
        by_id=by.pk if by else None,
        work=partial(_credit, account, enrolment.pk, rule.bucket, amount, period, on),
    )
    return Credited(*(Decimal(answer[name]) for name in ("current", "historical", "debt_repaid")))


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


def years_of(region: Region) -> list[tuple[int, int, int]]:
    """The region's dated rule of the benefit year."""
    return [tuple(rule) for rule in region.data["years"]]


def _credit(
    account: PersonalAccount,
    enrolment_id: int,
    bucket: str,
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
    repaid = min(books.accounts[account.pk].debt, amount)
    paid_in = {"current": ZERO, "historical": ZERO, bucket: amount - repaid}
    if amount:
        Credit.objects.create(account=account, period=period, amount=amount, transaction_id=transaction_id)
        movement = ledger.Movement(
            account_id=account.pk, kind=EntryKind.CREDIT, contra=Contra.CONTRIBUTION, debt=-repaid, **paid_in
        )
        books.post(transaction_id, [movement])
    return {**{name: plain(value) for name, value in paid_in.items()}, "debt_repaid": plain(repaid)}


CREDIT_CHUNK = """
WITH due AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(amounts)s::numeric[]) AS due(account_id, amount)
), fresh AS (
    INSERT INTO settlements_credit (account_id, period, amount, transaction_id)
    SELECT account_id, %(period)s, amount, %(transaction)s FROM due
    ON CONFLICT DO NOTHING RETURNING account_id, amount
), credited AS (
    UPDATE settlements_personalaccount a SET
        current = a.current + CASE WHEN %(to_current)s THEN f.amount - least(a.debt, f.amount) ELSE 0 END,
        historical = a.historical + CASE WHEN %(to_current)s THEN 0 ELSE f.amount - least(a.debt, f.amount) END,
        debt = a.debt - least(a.debt, f.amount),
        current_products = a.current_products + a.current * greatest(%(on)s - a.products_on, 0),
        historical_products = a.historical_products + a.historical * greatest(%(on)s - a.products_on, 0),
        products_on = greatest(a.products_on, %(on)s),
        version = a.version + 1
    FROM fresh f WHERE a.id = f.account_id
    RETURNING a.id, a.version, a.benefit_year, a.current, a.historical, a.debt, f.amount, old.debt AS old_debt
)
INSERT INTO settlements_entry
    (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta, debt_delta,
     current_after, historical_after, debt_after, contra)
SELECT id, version, %(transaction)s, 'credit', %(on)s, benefit_year,
    CASE WHEN %(to_current)s THEN amount - (old_debt - debt) ELSE 0 END,
    CASE WHEN %(to_current)s THEN 0 ELSE amount - (old_debt - debt) END,
    debt - old_debt, current, historical, debt, 'contribution'
FROM credited
"""
# Before the statement that credits: the same lock order as every movement, and the accounts that are behind.
LOCK_CHUNK = """
SELECT id, benefit_year FROM settlements_personalaccount WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
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


def credit_region(*, region: Region, every: str, on: datetime.date, by: User | None = None) -> tuple[int, Decimal]:
    """Credit every employee member of a region for the period of a day: (accounts credited, yuan).

    In chunks that commit one by one; whoever was credited for the period already is passed over, so it may be run again.
    So is somebody of a status of which the rule knows no amount.
    """
    credited, total = 0, ZERO
    accounts = PersonalAccount.objects.filter(region=region, status="open").order_by("pk")
    page = dict(accounts.values_list("pk", "member_id")[:CHUNK])
    while page:
        count, amount = _credit_chunk(region, _enrolments(region, on, page), every, on, by)
        credited, total = credited + count, total + amount
        page = dict(accounts.filter(pk__gt=max(page)).values_list("pk", "member_id")[:CHUNK])
    return credited, total


def _enrolments(region: Region, on: datetime.date, page: dict[int, int]) -> list[tuple[int, Enrolment]]:
    """Accounts of a page by id, each with its member's enrolment on the day; those without one are left out."""
    enrolments = (
        Enrolment.objects.filter(member__in=page.values(), region=region, insurance="employee", valid_from__lte=on)
        .exclude(valid_to__lte=on)
        .select_related("member")
    )
    by_member = {enrolment.member_id: enrolment for enrolment in enrolments}
    return [(account, by_member[member]) for account, member in page.items() if member in by_member]


def _credit_chunk(
    region: Region, chunk: Sequence[tuple[int, Enrolment]], every: str, on: datetime.date, by: User | None
) -> tuple[int, Decimal]:
    years, rule = years_of(region), credit_rule_on(region.pk, on)
    due: dict[int, Decimal] = {}
    for account_id, enrolment in chunk:
        if not rule.knows(enrolment.personal_status):
            continue
        if enrolment.status == "normal" and (enrolment.base is not None or enrolment.personal_status == "retired"):
            amount = amount_for(rule, enrolment, every, on, years)
            if amount:
                due[account_id] = amount
    if not due:
        return 0, ZERO
    period = period_of(every, on, years)
    request = {"due": {str(account): plain(amount) for account, amount in due.items()}}
    # What is due is part of the key: once a missing base has been filled in, the same day's second run is another one.
    # Nobody is credited twice by it: that is held by the key of `Credit`.
    answer = ledger.once(
        scope=f"credit-region:{region.pk}",
        key=f"{period}:{chunk[0][0]}-{chunk[-1][0]}@{on}:{request_hash(request)[:16]}",
        request=request,
        kind=EntryKind.CREDIT,
        on=on,
        region_id=region.pk,
        by_id=by.pk if by else None,
        work=partial(_apply_chunk, region, rule.bucket, due, period, on),
    )
    return answer["accounts"], Decimal(answer["amount"])


def _apply_chunk(
    region: Region, bucket: str, due: dict[int, Decimal], period: str, on: datetime.date, transaction_id: int
) -> dict[str, Any]:
    years = years_of(region)
    with connection.cursor() as cursor:
        cursor.execute(LOCK_CHUNK, [list(due)])
        behind = [account for account, year in cursor.fetchall() if start_of(years, year + 1) <= on]
    still_in = _still_in(list(due), on)
    due = {account_id: amount for account_id, amount in due.items() if account_id in still_in}
    for account_id in behind:
        roll(account_id, on)
    with connection.cursor() as cursor:
        cursor.execute(
            CREDIT_CHUNK,
            {
                "ids": list(due),
                "amounts": list(due.values()),
                "period": period,
                "transaction": transaction_id,
                "to_current": bucket == "current",
                "on": on,
            },
        )
        cursor.execute(
            "SELECT count(*), coalesce(sum(amount), 0) FROM settlements_credit WHERE transaction_id = %s",
            [transaction_id],
        )
        accounts, amount = cursor.fetchone()
    return {"accounts": accounts, "amount": plain(amount)}
