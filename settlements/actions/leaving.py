"""Leaving the insurance (停保, 转出, 死亡) and coming back: enrolment, grants, and what was credited too far ahead."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import clock
from accounts.actions import audit, messages
from accounts.domain.benefit_year import start_of, year_of
from accounts.enums import Channel, EnrolmentStatus, Insurance
from accounts.errors import Refused
from accounts.models import Enrolment, Member, User
from accounts.money import ZERO, plain
from accounts.queries import enrolment_on
from family.actions.grants import end_for
from family.actions.locks import lock_members
from settlements import ledger
from settlements.actions import clearing
from settlements.actions.crediting import YEAR, amount_of, years_of
from settlements.actions.rollover import clock_day
from settlements.domain.crediting import CreditRule, clawback
from settlements.enums import Contra, EntryKind
from settlements.models import Clawback, Credit, Entry, LedgerTransaction, PersonalAccount
from settlements.queries.parameters import credit_rule_on

DAY = datetime.timedelta(days=1)
STOPPED, MOVED, DIED = WHYS = ("stopped", "moved", "died")


@dataclass(frozen=True)
class Left:
    """What leaving took back from each bucket, and what it left as a debt, in yuan."""

    current: Decimal = ZERO
    historical: Decimal = ZERO
    debt: Decimal = ZERO

    @property
    def clawback(self) -> Decimal:
        """What was really taken."""
        return self.current + self.historical


def leave(
    *,
    enrolment: Enrolment,
    why: str,
    on: datetime.date,
    by: User | None = None,
    at: datetime.datetime | None = None,
    channel: str = Channel.SYSTEM,
    left_before: bool = False,
    moving: Collection[int] = (),
) -> Left:
    """A member stops contributing, moves away or dies on a day; `at` is when that is entered (now).

    stopped: suspended from the 1st of the next month. moved, died: closed from the day, and his grants end. What was
    credited for months after it goes back (Ningbo ZJ14, Shanghai SH8): this year's from current, a closed year's from
    where its rest went, historical; what is not there becomes a debt. Where the register had his insurance rest or end
    before the day, the months from there on go back. The personal account stays open: paying it out or carrying it over
    is another act. The same leaving again changes nothing and gives the first answer, unless he has come back since.
    `left_before`: it may be of somebody who has left already by the register. `moving`: accounts (ids) that the caller moves
    in the same transaction, locked with his own in one order.
    Raises Refused: day_to_come; suspended, frozen or closed (he has left already).
    """
    at = at or clock.now()
    if why not in WHYS:
        raise ValueError(f"nobody leaves because of {why!r}")
    if on > clock_day(at):
        raise Refused("day_to_come", day_on=on.isoformat())
    enrolment = Enrolment.objects.select_related("region", "member").get(pk=enrolment.pk)
    account = PersonalAccount.objects.filter(member=enrolment.member_id, region=enrolment.region_id).first()
    step = partial(_leave, enrolment, account, why, on, by, at, channel, left_before, moving)
    if account is None:
        with transaction.atomic():
            step(None)
        return Left()
    scope = f"leave:{account.pk}"
    answer = ledger.once(
        scope=scope,
        key=_key(scope, enrolment, why, on),
        request={"why": why},
        kind=EntryKind.CLEARING,
        on=clock_day(at),
        region_id=enrolment.region_id,
        by_id=by.pk if by else None,
        work=step,
    )
    return Left(*(Decimal(answer[name]) for name in ("current", "historical", "debt")))


def _key(scope: str, enrolment: Enrolment, why: str, on: datetime.date) -> str:
    """The same for the same leaving; another one where he has come back since, whom it may concern once more."""
    key = f"{enrolment.pk}:{why}@{on}"
    before = LedgerTransaction.objects.filter(Q(key=key) | Q(key__startswith=f"{key}#"), scope=scope).count()
    number = before if before and _has_left(enrolment, why, on) else before + 1
    return key if number == 1 else f"{key}#{number}"


def _has_left(enrolment: Enrolment, why: str, on: datetime.date) -> bool:
    """Whether it is with him as such a leaving leaves it, or would be refused as it was."""
    first = _first_of_next_month(on) if why == STOPPED else on
    held = enrolment_on(enrolment.member, first, enrolment.region)
    status = held.status if held else EnrolmentStatus.CLOSED
    return status == EnrolmentStatus.CLOSED if why == DIED else status not in _may_leave(why)


def _may_leave(why: str) -> set[str]:
    """The statuses out of which one stops or moves; one dies out of any."""
    return {EnrolmentStatus.NORMAL, *((EnrolmentStatus.SUSPENDED,) if why == MOVED else ())}


@transaction.atomic
def rejoin(
    *, enrolment: Enrolment, on: datetime.date, by: User | None = None, at: datetime.datetime | None = None
) -> Enrolment:
    """Contributions go on from a day after they stopped; gives the enrolment of that day. Twice is as once.

    Crediting is another act: `crediting.credit` for the rest of the year. Raises Refused: closed, not_insured.
    """
    at = at or clock.now()
    lock_members(enrolment.member_id)
    rows = _rows(enrolment, on)
    if not rows:
        raise Refused("not_insured")
    if any(row.status == EnrolmentStatus.CLOSED for row in rows):
        raise Refused("closed")
    if all(row.status != EnrolmentStatus.SUSPENDED for row in rows):
        return rows[0]
    _cut(rows, EnrolmentStatus.NORMAL, on)
    _record("rejoined", enrolment.member, enrolment, {"on": on.isoformat()}, by, at, Channel.SYSTEM)
    return _rows(enrolment, on)[0]


def _leave(
    enrolment: Enrolment,
    account: PersonalAccount | None,
    why: str,
    on: datetime.date,
    by: User | None,
    at: datetime.datetime,
    channel: str,
    left_before: bool,
    moving: Collection[int],
    transaction_id: int | None,
) -> dict[str, Any]:
    member = enrolment.member
    lock_members(member.pk)
    rows = _rows(enrolment, on)
    status = rows[0].status if rows else EnrolmentStatus.CLOSED
    if why != DIED and status not in _may_leave(why) and not (left_before and status == EnrolmentStatus.CLOSED):
        raise Refused(status)
    if rows and why == STOPPED:
        _cut(rows, EnrolmentStatus.SUSPENDED, _first_of_next_month(on))
    elif rows and status != EnrolmentStatus.CLOSED:
        _cut(rows, EnrolmentStatus.CLOSED, on)
    if why == DIED and member.died_on is None:
        Member.objects.filter(pk=member.pk).update(died_on=on)
        member.died_on = on
    end_for(member=member, why=why, on=on, by=by, at=at, channel=channel, left=enrolment.region_id)
    _record(f"left_{why}", member, enrolment, {"on": on.isoformat()}, by, at, channel)
    taken = Left()
    if account and transaction_id:
        taken = _take_back(account, enrolment, on, clock_day(at), moving, transaction_id)
    _tell(member, taken, on, at)
    return {
        **{name: plain(getattr(taken, name)) for name in ("current", "historical", "debt")},
        "why": why,
        "left_on": on.isoformat(),
    }


def _rows(enrolment: Enrolment, on: datetime.date) -> list[Enrolment]:
    """The member's enrolments in the region that hold on a day or later, locked, the earliest first."""
    rows = Enrolment.objects.filter(member=enrolment.member_id, region=enrolment.region_id).exclude(valid_to__lte=on)
    return list(rows.order_by("valid_from").select_for_update(no_key=True, of=("self",)))


def _cut(rows: list[Enrolment], status: str, on: datetime.date) -> None:
    """The status holds from a day on, or until he is insured elsewhere: the row of that day is split there, and what had
    been foreseen after it goes."""
    before = [row for row in rows if row.valid_from < on]
    after = rows[len(before) :]
    row = before[-1] if before else after.pop(0)
    for foreseen in after:
        foreseen.delete()
    elsewhere = Enrolment.objects.filter(member=row.member_id, valid_from__gte=on).exclude(region=row.region_id)
    until = elsewhere.order_by("valid_from").values_list("valid_from", flat=True).first()
    if before:
        row.valid_to = min(row.valid_to or on, on)
        row.save(update_fields=["valid_to"])
        if until == on:
            return
        row.pk, row.valid_from = None, on
        row._state.adding = True
    row.status, row.valid_to = status, until
    row.save()


def _first_of_next_month(on: datetime.date) -> datetime.date:
    return (on.replace(day=1) + datetime.timedelta(days=31)).replace(day=1)


def _take_back(
    account: PersonalAccount,
    enrolment: Enrolment,
    left_on: datetime.date,
    on: datetime.date,
    moving: Collection[int],
    transaction_id: int,
) -> Left:
    """Post what was credited for later than the leaving: as much as is there, the rest as a debt."""
    books = ledger.open(patient_id=account.member_id, years=[], account_ids=[account.pk, *moving], on=on)
    years, held = years_of(enrolment.region), books.accounts[account.pk]
    insured = _insured_last(enrolment, left_on)
    left_on = min(left_on, _ended_on(insured, left_on))
    due = _due(account, insured, left_on, years)
    Clawback.objects.bulk_create(
        Clawback(account=account, period=period, transaction_id=transaction_id, left_on=left_on, amount=amount)
        for period, amount in due.items()
    )
    two = enrolment.region.two_buckets
    this_year = sum((amount for period, amount in due.items() if _year(period, years) >= held.benefit_year), ZERO)
    current = min(held.current, this_year) if two else ZERO
    earlier = sum(due.values(), ZERO) - (this_year if two else ZERO)
    historical = min(held.historical, earlier)
    taken = Left(current, historical, sum(due.values(), ZERO) - current - historical)
    if due:
        movement = ledger.Movement(
            account_id=account.pk, kind=EntryKind.CLEARING, contra=Contra.CLEARING,
            current=-taken.current, historical=-taken.historical, debt=taken.debt,
        )  # fmt: skip
        books.post(transaction_id, [movement])
    return taken


def _insured_last(enrolment: Enrolment, on: datetime.date) -> Enrolment:
    """How the member was last insured by his contributions up to a day, in the region of an enrolment."""
    rows = Enrolment.objects.select_related("region", "member").filter(
        member=enrolment.member_id, region=enrolment.region_id, insurance=Insurance.EMPLOYEE, valid_from__lte=on
    )
    return rows.exclude(status__in=[EnrolmentStatus.SUSPENDED, EnrolmentStatus.CLOSED]).last() or enrolment


def _ended_on(insured: Enrolment, on: datetime.date) -> datetime.date:
    """The day of leaving that fits the end of an enrolment: its first day without, the day itself where it went on.

    Who is suspended from the 1st of a month has stopped in the month before.
    """
    end = insured.valid_to
    if end is None or end >= on:
        return on
    rests = Enrolment.objects.filter(
        member=insured.member_id, region=insured.region_id, valid_from=end, status=EnrolmentStatus.SUSPENDED
    )
    return end - DAY if rests.exists() else end


def _due(account: PersonalAccount, enrolment: Enrolment, left_on: datetime.date, years: Any) -> dict[str, Decimal]:
    """Period -> yuan that go back of its credit, less what went back of it at an earlier leaving."""
    due: dict[str, Decimal] = {}
    for period, (credited, credited_on) in _credits(account, enrolment, left_on, years).items():
        if "-" in period:  # a month: only one that began after the leaving was not his any more
            due[period] = credited if period[:7] > f"{left_on:%Y-%m}" else ZERO
        else:
            rule = credit_rule_on(account.region_id, credited_on)
            due[period] = clawback(rule, credited, credited_on, left_on, years)
    for earlier in Clawback.objects.filter(account=account, period__in=due):
        due[earlier.period] -= earlier.amount
    due = {period: amount for period, amount in due.items() if amount > 0}
    for year in {_year(period, years) for period in due}:
        due |= _of_cleared(account, {one: due[one] for one in due if _year(one, years) == year}, year, left_on)
    return {period: amount for period, amount in due.items() if amount > 0}


def _of_cleared(
    account: PersonalAccount, due: dict[str, Decimal], year: int, left_on: datetime.date
) -> dict[str, Decimal]:
    """Of periods of a year that was cleared, what goes back in all is what the clearing left too much."""
    rest = clearing.over(account, year, left_on)
    if rest is None:
        return due
    *before, last = due
    found = {}
    for period in before:
        found[period] = min(due[period], rest)
        rest -= found[period]
    return found | {last: rest}


def _credits(
    account: PersonalAccount, enrolment: Enrolment, left_on: datetime.date, years: Any
) -> dict[str, tuple[Decimal, datetime.date]]:
    """Period -> yuan and day of the credits of the year of leaving and later.

    An account that came with balances in that year was credited for it where it came from: by the rule, from its base.
    """
    year = year_of(years, left_on)
    rows = Credit.objects.filter(account=account).select_related("transaction").order_by("period")
    found = {
        row.period: (row.amount, row.counted_on or row.transaction.business_date)
        for row in rows
        if _year(row.period, years) >= year
    }  # fmt: skip
    if not found and _came_credited(account, enrolment, year):
        first = start_of(years, year)
        rule = _rule_on(account.region_id, first)
        if rule and rule.every == YEAR and rule.knows(enrolment.personal_status):
            found[str(year)] = (amount_of(rule, enrolment, YEAR, first, years), first)
    return found


def _rule_on(region_id: str, on: datetime.date) -> CreditRule | None:
    """The rule of crediting of a day; without one nothing was credited ahead, and nobody is kept from leaving."""
    try:
        return credit_rule_on(region_id, on)
    except Refused:
        return None


def _came_credited(account: PersonalAccount, enrolment: Enrolment, year: int) -> bool:
    """Whether the account was taken over with balances in that year, from where its year had been credited."""
    opened = Entry.objects.filter(account=account, version=1, kind=EntryKind.OPENING, benefit_year=year).exists()
    insured = enrolment.insurance == "employee" and (
        enrolment.status == EnrolmentStatus.NORMAL
        or Clawback.objects.filter(account=account, period=str(year)).exists()
    )
    return opened and insured and (enrolment.base is not None or enrolment.personal_status == "retired")


def _year(period: str, years: Any) -> int:
    """The benefit year of a period: "2025", "2025.2" or the month "2025-12"."""
    return year_of(years, datetime.date.fromisoformat(f"{period[:7]}-01")) if "-" in period else int(period[:4])


def _record(
    action: str,
    member: Member,
    enrolment: Enrolment,
    details: dict[str, Any],
    by: User | None,
    at: datetime.datetime,
    channel: str,
) -> None:
    audit.record(
        action=f"enrolment_{action}",
        by=by,
        at=at,
        member=member,
        target=f"enrolment {enrolment.pk}",
        details=details,
        channel=channel,
    )


def _tell(member: Member, taken: Left, on: datetime.date, at: datetime.datetime) -> None:
    """A message where money goes back; nobody is told of his own death."""
    if member.died_on is not None or not (taken.clawback or taken.debt):
        return
    facts = {"left_on": on.isoformat(), "amount": plain(taken.clawback), "debt": plain(taken.debt)}
    messages.notify(member=member, kind="clawback_owed" if taken.debt else "clawback", params=facts, at=at)
