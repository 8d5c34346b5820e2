"""Crediting many accounts in set-based chunks: begun by the calendar or released by a person, paused and gone on with.

What there is to do, and how far it is, stands in the database: a chunk's effects, totals and state commit together, so
a worker may die at any moment and a run that is worked on again does nothing twice.
"""

import datetime
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any

from django.db import connection, transaction

from accounts import clock
from accounts.actions import audit
from accounts.domain.benefit_year import start_of, year_of
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Region, User
from accounts.money import ZERO, plain
from settlements import ledger
from settlements.actions import opening
from settlements.actions.crediting import MONTH, YEAR, bucket_in, period_of, repaid_by, years_of
from settlements.domain.crediting import CreditRule, month_credit, year_credit
from settlements.domain.parameters import NoValue, Person
from settlements.enums import Contra, CreditKind, CreditState, EntryKind
from settlements.ledger.many import Held, Move, lock_many, post_many
from settlements.models import CreditChunk, CreditRun, PersonalAccount
from settlements.queries.parameters import credit_rule_on

CHUNK = 2000
WORKERS = 2
# First half of the advisory locks by which at most WORKERS work on a run; they die with their session.
SLOTS = 20_26_11

# Accounts that the period was not credited to, or from which its credit went back when their member left.
DUE = """
SELECT a.id, a.member_id, m.birth, e.personal_status, e.retired_on, e.base, e.valid_from
FROM settlements_personalaccount a
JOIN accounts_enrolment e ON e.member_id = a.member_id AND e.region_id = a.region_id AND e.insurance = 'employee'
    AND e.status = 'normal' AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
    AND (e.base IS NOT NULL OR e.personal_status = 'retired')
JOIN accounts_member m ON m.id = a.member_id
WHERE a.region_id = %(region)s AND a.status = 'open' AND a.id BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (
        SELECT 1 FROM settlements_credit c
        WHERE c.account_id = a.id AND (c.period = %(period)s OR c.period LIKE %(again)s)
            AND NOT EXISTS (
                SELECT 1 FROM settlements_clawback b WHERE b.account_id = c.account_id AND b.period = c.period
            )
    )
    -- Of somebody who is about to leave the year is not credited ahead: nobody would take it back.
    AND (%(monthly)s OR e.valid_to IS NULL OR e.valid_to >= %(year_ends)s OR EXISTS (
        SELECT 1 FROM accounts_enrolment n WHERE n.member_id = e.member_id AND n.region_id = e.region_id
            AND n.valid_from = e.valid_to AND n.status = 'normal'
    ))
    -- What came credited and went back when he left is due like any other's.
    AND (%(taken_over)s OR EXISTS (
        SELECT 1 FROM settlements_clawback b WHERE b.account_id = a.id AND b.period = %(period)s
    ) OR NOT EXISTS (
        SELECT 1 FROM settlements_entry o WHERE o.account_id = a.id AND o.version = 1 AND o.kind = 'opening'
            AND o.current_delta > 0 AND o.business_date > %(year_starts)s
    ))
"""
PLAN = f"""
INSERT INTO settlements_creditchunk (run_id, number, first_id, last_id, planned, done, accounts, amount, taken, debt)
SELECT %(run)s, (n - 1) / %(size)s + 1, min(id), max(id), count(*), false, 0, 0, 0, 0
FROM (SELECT due.id, row_number() OVER (ORDER BY due.id) AS n FROM ({DUE}) AS due) AS numbered
GROUP BY (n - 1) / %(size)s
"""
TIMES_BACK = """
SELECT account_id, count(DISTINCT period) FROM settlements_clawback
WHERE account_id = ANY(%(ids)s) AND (period = %(period)s OR period LIKE %(again)s) GROUP BY account_id
"""
CREDIT = """
INSERT INTO settlements_credit (account_id, period, amount, counted_on, transaction_id)
SELECT account_id, period, amount, counted_on, %(transaction)s
FROM unnest(%(ids)s::bigint[], %(periods)s::text[], %(amounts)s::numeric[], %(days)s::date[])
    AS due(account_id, period, amount, counted_on)
ON CONFLICT DO NOTHING RETURNING account_id, period
"""
SPANS = """
SELECT member_id, valid_from, valid_to FROM accounts_enrolment
WHERE member_id = ANY(%(members)s) AND region_id = %(region)s AND insurance = 'employee' AND status = 'normal'
ORDER BY member_id, valid_from
"""


class Outcome(Enum):
    """Why the work stopped."""

    AGAIN = "time is up"
    WAIT = "the rest is being worked on by others"
    FINISHED = "all chunks are done"
    STOPPED = "the run is not running, or enough are at work"


@dataclass(frozen=True, kw_only=True)
class Due:
    """A credit to be posted: yuan into a bucket for a period; `counted_on` decides the months of a year's credit."""

    account_id: int
    period: str
    amount: Decimal
    bucket: str
    counted_on: datetime.date | None = None


@dataclass(frozen=True)
class Done:
    """What a chunk did: accounts moved, and yuan put in, taken out, and become a debt.

    `left`: why the rest of what it looked at was not credited: a key of LEFT -> how many, and the yuan that they stood for.
    """

    accounts: int = 0
    amount: Decimal = ZERO
    taken: Decimal = ZERO
    debt: Decimal = ZERO
    left: Mapping[str, tuple[int, Decimal]] = field(default_factory=dict)


# A month that stands credited; covered by the year's credit; paid late where the region credits nothing for it; an account
# that is closed, of somebody who is not insured here again; somebody for whom no source names an amount; who left or was
# credited since the run was planned.
LEFT = ("standing", "year", "arrears", "closed", "unknown", "meanwhile")


def begin(
    *,
    region: Region,
    every: str,
    on: datetime.date,
    at: datetime.datetime | None = None,
    taken_over: bool = False,
) -> CreditRun | None:
    """Begin the credit of a day's month or benefit year for everybody in a region who lacks it; None: nobody does.

    `taken_over`: also accounts that came with a current balance in that year, whose year was credited where they came
    from. A run of the period that is open already is given instead. Raises Refused: not_covered (no rule of crediting).
    """
    at = at or clock.now()
    credit_rule_on(region.pk, on)
    period = period_of(every, on, years_of(region))
    with transaction.atomic():
        # Two beats at once: the second waits here and then finds the run of the first.
        Region.objects.select_for_update(no_key=True).get(pk=region.pk)
        states = [CreditState.PLANNED, CreditState.RUNNING, CreditState.PAUSED]
        run = CreditRun.objects.filter(region=region, kind=every, period=period, state__in=states).first()
        if run is not None:
            return run
        run = CreditRun.objects.create(
            region=region, kind=every, period=period, on=on, state=CreditState.RUNNING, planned_at=at, released_at=at,
            resumed_at=at,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(PLAN, _facts(run, taken_over) | {"run": run.pk, "size": CHUNK})
            if not cursor.rowcount:
                run.delete()
                return None
        record("begin", run, None, at, chunks=run.chunks.count())
    return run


def begin_due(*, region: Region, on: datetime.date, at: datetime.datetime | None = None) -> CreditRun | None:
    """Begin what the region's rule says is due on a day: the month from its day on, the year from its first day on.

    Whoever is insured again after his account was closed has it open from then on (decision 0047). None where the month's
    day has not come or nobody lacks the credit. Raises Refused: not_covered.
    """
    opening.reopen(region_id=region.pk, on=on)
    rule = credit_rule_on(region.pk, on)
    if rule.every == MONTH and on.day < rule.day:
        return None
    return begin(region=region, every=rule.every, on=on, at=at)


def credit_region(*, region: Region, every: str, on: datetime.date) -> tuple[int, Decimal]:
    """Begin the credit of a period and work it to the end here and now: accounts credited, and yuan.

    Whoever was credited for the period already is passed over. Amounts as `begin`.
    """
    run = begin(region=region, every=every, on=on, taken_over=True)
    if run is None:
        return 0, ZERO
    while work(run_id=run.pk, seconds=60) not in (Outcome.FINISHED, Outcome.STOPPED):
        pass
    chunks = list(run.chunks.all())
    return sum(chunk.accounts for chunk in chunks), sum((chunk.amount for chunk in chunks), ZERO)


def release(*, run: CreditRun, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Let a planned run work. Raises Refused: credit_run_state, same_person."""
    at = at or clock.now()
    with transaction.atomic():
        run = _locked(run, CreditState.PLANNED)
        if run.planned_by_id == by.pk:
            raise Refused("same_person", why="crediting")
        run.state, run.released_by, run.released_at, run.resumed_at = CreditState.RUNNING, by, at, at
        run.save()
        record("release", run, by, at)
    return run


def cancel(*, run: CreditRun, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Take a planned run back. Raises Refused: credit_run_state."""
    return _to(run, CreditState.PLANNED, CreditState.CANCELLED, "cancel", by, at)


def pause(*, run: CreditRun, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Stop after the chunks that are being worked on. Raises Refused: credit_run_state."""
    return _to(run, CreditState.RUNNING, CreditState.PAUSED, "pause", by, at)


def resume(*, run: CreditRun, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Go on where it stopped. Raises Refused: credit_run_state."""
    return _to(run, CreditState.PAUSED, CreditState.RUNNING, "resume", by, at)


def work(*, run_id: int, seconds: int) -> Outcome:
    """Work on a running run for at most so many seconds and one chunk more. Any number may call it at once."""
    with _slot(run_id) as free:
        if not free:
            return Outcome.STOPPED
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            outcome = work_next(run_id=run_id)
            if isinstance(outcome, Outcome):
                return outcome
        return Outcome.AGAIN


@transaction.atomic
def work_next(*, run_id: int) -> Done | Outcome:
    """Claim the next chunk and do it, or say why there is none. One transaction: a kill leaves the chunk to do."""
    run = CreditRun.objects.select_related("region").get(pk=run_id)
    if run.state != CreditState.RUNNING:
        return Outcome.STOPPED
    chunk = run.chunks.filter(done=False).order_by("number").select_for_update(skip_locked=True, of=("self",)).first()
    if chunk is None:
        if run.chunks.filter(done=False).exists():
            return Outcome.WAIT
        _finish(run)
        return Outcome.FINISHED
    done = _do(run, chunk)
    CreditChunk.objects.filter(pk=chunk.pk).update(
        done=True, accounts=done.accounts, amount=done.amount, taken=done.taken, debt=done.debt, done_at=clock.now()
    )
    return done


def post_credits(dues: Iterable[Due], on: datetime.date, year: int, transaction_id: int) -> Done:
    """Post credits under one transaction, a debt repaid by those to historical; what was credited meanwhile stays out.

    `year`: the benefit year of the day; a run may go on after it has ended, in accounts that have moved since.
    """
    wanted = {(due.account_id, due.period): due for due in dues if due.amount > 0}
    held = lock_many([account for account, _ in wanted], on)
    fresh = _insert(wanted.values(), transaction_id)
    moves: dict[int, Move] = {}
    total = ZERO
    for key in fresh:
        due = wanted[key]
        due = replace(due, bucket=bucket_in(held[due.account_id].benefit_year, due.bucket, year))
        total += due.amount
        moves[due.account_id] = _credit(moves.get(due.account_id, Move()), held[due.account_id], due)
    post_many(
        transaction_id=transaction_id, kind=EntryKind.CREDIT, contra=Contra.CONTRIBUTION, on=on, moves=moves
    )  # fmt: skip
    return Done(accounts=len(moves), amount=total)


def _credit(before: Move, held: Held, due: Due) -> Move:
    """What an account is moved by with one credit more."""
    repaid = repaid_by(due.bucket, due.amount, held.debt + before.debt)
    rest = due.amount - repaid
    if due.bucket == "current":
        return Move(before.current + rest, before.historical, before.debt - repaid)
    return Move(before.current, before.historical + rest, before.debt - repaid)


def _insert(dues: Iterable[Due], transaction_id: int) -> list[tuple[int, str]]:
    rows = list(dues)
    with connection.cursor() as cursor:
        cursor.execute(
            CREDIT,
            {
                "ids": [due.account_id for due in rows],
                "periods": [due.period for due in rows],
                "amounts": [due.amount for due in rows],
                "days": [due.counted_on for due in rows],
                "transaction": transaction_id,
            },
        )
        return [(account, period) for account, period in cursor.fetchall()]


def _do(run: CreditRun, chunk: CreditChunk) -> Done:
    from settlements.actions import clearing, contribution_posting  # they stand on this module

    do = {CreditKind.CONTRIBUTIONS: contribution_posting.post_chunk, CreditKind.CLEARING: clearing.clear_chunk}
    work_ = partial(do.get(CreditKind(run.kind), _credit_chunk), run, chunk)

    def answer(transaction_id: int) -> dict[str, Any]:
        done = work_(transaction_id)
        sums = {name: plain(getattr(done, name)) for name in ("amount", "taken", "debt")}
        left = {why: [count, plain(yuan)] for why, (count, yuan) in done.left.items()}
        return {"accounts": done.accounts, **sums, "left": left, "run": run.pk, "what": run.kind, "period": run.period}

    given = ledger.once(
        scope="credit-run",
        key=f"{run.pk}:{chunk.number}",
        request={"run": run.pk, "chunk": chunk.number},
        kind=EntryKind.CLEARING if run.kind == CreditKind.CLEARING else EntryKind.CREDIT,
        on=run.on,
        region_id=run.region_id,
        by_id=run.released_by_id,
        work=answer,
    )
    left = {why: (count, Decimal(yuan)) for why, (count, yuan) in given.get("left", {}).items()}
    return Done(given["accounts"], *(Decimal(given[name]) for name in ("amount", "taken", "debt")), left)


def _credit_chunk(run: CreditRun, chunk: CreditChunk, transaction_id: int) -> Done:
    """The month's or the year's credit of the accounts of a chunk who lack it."""
    inside = PersonalAccount.objects.filter(region=run.region_id, pk__range=(chunk.first_id, chunk.last_id))
    # Locked first: whoever leaves changes his enrolment and then locks his account, so here it shows.
    lock_many(inside.values_list("pk", flat=True), run.on)
    with connection.cursor() as cursor:
        cursor.execute(DUE, _facts(run, True) | {"first": chunk.first_id, "last": chunk.last_id})
        rows = cursor.fetchall()
        cursor.execute(TIMES_BACK, _period(run) | {"ids": [row[0] for row in rows]})
        back = dict(cursor.fetchall())
    years, rule = years_of(run.region), credit_rule_on(run.region_id, run.on)
    joined = _joined(run, rows, years) if run.kind == YEAR else {}
    dues = []
    for account, member, birth, status, retired_on, base, _ in rows:
        who = Person(birth=birth, status=status, retired_on=retired_on)
        day = joined.get(member, run.on) if run.kind == YEAR else run.on
        amount = _amount(rule, who, base or ZERO, day, run.kind, years)
        period = f"{run.period}.{back[account] + 1}" if account in back else run.period
        counted_on = day if run.kind == YEAR else None
        dues.append(
            Due(account_id=account, period=period, amount=amount, bucket=rule.bucket, counted_on=counted_on)
        )  # fmt: skip
    unknown = sum(not due.amount for due in dues)
    gone = max(chunk.planned - len(rows), 0)
    done = post_credits(dues, run.on, year_of(years, run.on), transaction_id)
    return replace(
        done, left={why: (count, ZERO) for why, count in (("unknown", unknown), ("meanwhile", gone)) if count}
    )


def _amount(rule: CreditRule, who: Person, base: Decimal, day: datetime.date, every: str, years: Any) -> Decimal:
    """Yuan; nothing where no source tells what somebody of this status is credited."""
    try:
        return year_credit(rule, who, base, day, years) if every == YEAR else month_credit(rule, who, base, day)
    except NoValue:
        return ZERO


def _joined(run: CreditRun, rows: Iterable[tuple[Any, ...]], years: Any) -> dict[int, datetime.date]:
    """Member -> the day from which his year counts: its first day, or the later one on which he joined or came back."""
    first = start_of(years, year_of(years, run.on))
    days = {member: first for _, member, *_, valid_from in rows if valid_from <= first}
    later = [member for _, member, *_, valid_from in rows if valid_from > first]
    if later:
        with connection.cursor() as cursor:
            cursor.execute(SPANS, {"members": later, "region": run.region_id})
            days |= {member: max(first, day) for member, day in _span_of(cursor.fetchall(), run.on).items()}
    return days


def _span_of(rows: Iterable[tuple[int, datetime.date, datetime.date | None]], on: datetime.date) -> dict[int, Any]:
    """Member -> first day of the unbroken time of insurance that a day lies in; a new base is a new row, no break."""
    begun: dict[int, tuple[datetime.date, datetime.date | None]] = {}
    for member, start, end in rows:
        if start > on:
            continue
        known = begun.get(member)
        begun[member] = (known[0], end) if known and known[1] == start else (start, end)
    return {member: start for member, (start, _) in begun.items()}


def _facts(run: CreditRun, taken_over: bool) -> dict[str, Any]:
    years = years_of(run.region)
    year = year_of(years, run.on)
    return {
        **_period(run),
        "first": 0,
        "last": 2**62,
        "on": run.on,
        "region": run.region_id,
        "monthly": run.kind == MONTH,
        "taken_over": taken_over or run.kind == MONTH,
        "year_starts": start_of(years, year),
        "year_ends": start_of(years, year + 1),
    }


def _period(run: CreditRun) -> dict[str, str]:
    return {"period": run.period, "again": f"{run.period}.%"}


def _to(
    run: CreditRun, before: CreditState, after: CreditState, verb: str, by: User, at: datetime.datetime | None
) -> CreditRun:
    at = at or clock.now()
    with transaction.atomic():
        run = _locked(run, before)
        _watch(run, at)
        run.state = after
        run.resumed_at = at if after == CreditState.RUNNING else None
        run.save()
        record(verb, run, by, at)
    return run


def _finish(run: CreditRun) -> None:
    run = CreditRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state != CreditState.RUNNING:
        return
    at = clock.now()
    _watch(run, at)
    run.state, run.finished_at, run.resumed_at = CreditState.DONE, at, None
    run.save()
    record("finish", run, None, at)


def _watch(run: CreditRun, at: datetime.datetime) -> None:
    if run.resumed_at:
        run.worked_seconds += max((at - run.resumed_at).total_seconds(), 0)


def _locked(run: CreditRun, state: CreditState) -> CreditRun:
    """The run as it is now, held so that two buttons pressed at once follow each other."""
    run = CreditRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state != state:
        raise Refused("credit_run_state", state=str(run.state))
    return run


def record(verb: str, run: CreditRun, by: User | None, at: datetime.datetime, **details: Any) -> None:
    """The audit line of a step of a run."""
    audit.record(
        action=f"crediting.{verb}",
        by=by,
        at=at,
        target=f"crediting {run.pk} {run.region_id} {run.kind} {run.period}",
        details=details,
        channel=Channel.ONLINE if by else Channel.SYSTEM,
    )


@contextmanager
def _slot(run_id: int) -> Iterator[bool]:
    """One of the run's places to work, if there is one: bells rung too often must not become ever more workers."""
    with connection.cursor() as cursor:
        for number in range(WORKERS):
            keys = [SLOTS, run_id * 10 + number]
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
            if cursor.fetchone()[0]:
                break
        else:
            yield False
            return
        try:
            yield True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)
