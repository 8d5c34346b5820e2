"""Files of contributions: uploaded by one person, read and checked whole, released by another, posted in chunks."""

import datetime
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import IO, Any

from django.db import connection, transaction

from accounts import clock, tables
from accounts.actions import audit
from accounts.crypto import blind_index
from accounts.domain import id_number
from accounts.domain.benefit_year import Rules, year_of
from accounts.errors import Refused
from accounts.models import Region, User
from accounts.money import ZERO, BadAmount, parse_amount, plain
from settlements.actions.credit_runs import CHUNK, Done, Due, post_credits
from settlements.actions.crediting import MONTH, years_of
from settlements.actions.rollover import clock_day
from settlements.domain.crediting import CreditRule, month_credit, standing_months
from settlements.domain.parameters import Person
from settlements.enums import CreditKind, CreditState, FileState
from settlements.ledger.many import lock_many
from settlements.models import (
    Clawback,
    Contribution,
    ContributionFault,
    ContributionFile,
    Credit,
    CreditChunk,
    CreditRun,
)
from settlements.queries import uploads
from settlements.queries.parameters import credit_rule_on

MAX_BYTES = 48 * tables.MEGABYTE
MAX_ROWS = 600_000
BATCH = 5000
# More are counted, but no longer listed: whoever has that many has one mistake in common.
FAULTS_KEPT = 10_000
COLUMNS = (
    tables.Column("id_number", ("身份证号", "ID number", "证件号码", "公民身份号码")),
    tables.Column("name", ("姓名", "Name"), required=False),
    tables.Column("base", ("缴费基数", "Contribution base", "月缴费基数")),
    tables.Column("month", ("费款所属期", "Month", "所属月份"), required=False),
)
MONTH_FORMAT = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?(?:[-/.]\d{1,2})?", re.ASCII)
SOMEBODY = Person(birth=datetime.date(1990, 1, 1))

KNOWN = """
SELECT m.id_number_index, m.id, m.name, EXISTS (
    SELECT 1 FROM accounts_enrolment e
    WHERE e.member_id = m.id AND e.region_id = %(region)s AND e.insurance = 'employee'
), EXISTS (SELECT 1 FROM settlements_personalaccount a WHERE a.member_id = m.id AND a.region_id = %(region)s)
FROM accounts_member m WHERE m.id_number_index = ANY(%(indexes)s)
"""
KEEP = """
INSERT INTO settlements_contribution (file_id, line, member_id, month, base)
SELECT %(file)s, * FROM unnest(%(lines)s::integer[], %(members)s::bigint[], %(months)s::date[], %(bases)s::numeric[])
ON CONFLICT (file_id, member_id, month) DO NOTHING RETURNING line
"""
FIRST_LINES = """
SELECT t.line, c.line FROM unnest(%(lines)s::integer[], %(members)s::bigint[], %(months)s::date[]) AS t(line, member, month)
JOIN settlements_contribution c ON c.file_id = %(file)s AND c.member_id = t.member AND c.month = t.month
"""
COUNTED = """
SELECT count(*), count(DISTINCT member_id), coalesce(sum(base), 0) FROM settlements_contribution WHERE file_id = %s
"""
# The month before by its latest contribution of each member, against this file's.
COMPARED = """
WITH before AS (
    SELECT DISTINCT ON (c.member_id) c.member_id, c.base FROM settlements_contribution c
    JOIN settlements_contributionfile f ON f.id = c.file_id AND f.state = 'released' AND f.region_id = %(region)s
    WHERE c.month = %(before)s ORDER BY c.member_id, c.file_id DESC
), now AS (SELECT member_id, base FROM settlements_contribution WHERE file_id = %(file)s AND month = %(month)s)
SELECT (SELECT count(*) FROM before), (SELECT coalesce(sum(base), 0) FROM before),
    count(*) FILTER (WHERE b.member_id IS NULL), count(*) FILTER (WHERE n.member_id IS NULL),
    count(*) FILTER (WHERE n.base <> b.base)
FROM now n FULL JOIN before b USING (member_id)
"""
PLAN = """
INSERT INTO settlements_creditchunk (run_id, number, first_id, last_id, planned, done, accounts, amount, taken, debt)
SELECT %(run)s, (n - 1) / %(size)s + 1, min(line), max(line), count(*), false, 0, 0, 0, 0
FROM (SELECT line, row_number() OVER (ORDER BY line) AS n FROM settlements_contribution WHERE file_id = %(file)s) AS rows
GROUP BY (n - 1) / %(size)s
"""
# A new base holds from the file's month on: the enrolment of that day is split there, unless it begins then.
CUT_BASE = """
WITH changed AS (
    SELECT e.id, c.base, e.valid_from >= c.month AS begins FROM settlements_contribution c
    JOIN accounts_enrolment e ON e.member_id = c.member_id AND e.region_id = %(region)s AND e.insurance = 'employee'
        AND e.valid_from < (c.month + interval '1 month')::date AND (e.valid_to IS NULL OR e.valid_to > c.month)
        AND e.status = 'normal'
    WHERE c.file_id = %(file)s AND c.line BETWEEN %(first)s AND %(last)s AND c.month = %(month)s
        AND e.base IS DISTINCT FROM c.base
        -- Where a base of a later month is known already, that one stays.
        AND NOT EXISTS (
            SELECT 1 FROM settlements_contribution l JOIN settlements_contributionfile f ON f.id = l.file_id
            WHERE l.member_id = c.member_id AND l.month > c.month AND f.state = 'released' AND f.region_id = %(region)s
        )
    FOR NO KEY UPDATE OF e
), set_base AS (
    UPDATE accounts_enrolment e SET base = changed.base FROM changed WHERE e.id = changed.id AND changed.begins
)
SELECT id, base FROM changed WHERE NOT begins
"""
COPY_ENROLMENT = """
INSERT INTO accounts_enrolment (member_id, region_id, insurance, status, personal_status, retired_on, base, employer,
    signed_institution_id, valid_from, valid_to)
SELECT member_id, region_id, insurance, status, personal_status, retired_on, base, employer, signed_institution_id,
    %(month)s, valid_to
FROM jsonb_to_recordset(%(rows)s::jsonb) AS kept(member_id bigint, region_id text, insurance text, status text,
    personal_status text, retired_on date, base numeric, employer text, signed_institution_id bigint, valid_to date)
"""
END_ENROLMENT = """
UPDATE accounts_enrolment e SET valid_to = %(month)s FROM (
    SELECT id, member_id, region_id, insurance, status, personal_status, retired_on, employer, signed_institution_id,
        valid_to
    FROM accounts_enrolment WHERE id = ANY(%(ids)s)
) AS before
WHERE e.id = before.id
RETURNING jsonb_build_object('id', before.id, 'member_id', before.member_id, 'region_id', before.region_id,
    'insurance', before.insurance, 'status', before.status, 'personal_status', before.personal_status,
    'retired_on', before.retired_on, 'employer', before.employer,
    'signed_institution_id', before.signed_institution_id, 'valid_to', before.valid_to)
"""
ROWS = """
SELECT c.member_id, a.id, c.month, c.base, EXISTS (
    SELECT 1 FROM accounts_enrolment e WHERE e.member_id = c.member_id AND e.region_id = %(region)s
        AND e.insurance = 'employee' AND e.status = 'normal'
        AND e.valid_from < (c.month + interval '1 month')::date AND (e.valid_to IS NULL OR e.valid_to > c.month)
)
FROM settlements_contribution c
LEFT JOIN settlements_personalaccount a ON a.member_id = c.member_id AND a.region_id = %(region)s AND a.status = 'open'
WHERE c.file_id = %(file)s AND c.line BETWEEN %(first)s AND %(last)s ORDER BY c.line
"""


def receive(
    *,
    region: Region,
    month: datetime.date,
    name: str,
    content: IO[bytes],
    by: User,
    at: datetime.datetime | None = None,
) -> ContributionFile:
    """Take in a file of contributions of a month; it is read and checked by a worker afterwards, all or nothing.

    The same file again is told from the first one by its digest. Raises Refused: table_too_large, table_empty,
    table_again (with `when`), month_to_come, not_covered (the region credits nothing).
    """
    at = at or clock.now()
    data = content.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused("table_too_large", megabytes=MAX_BYTES // tables.MEGABYTE)
    if not data:
        raise Refused("table_empty")
    month = month.replace(day=1)
    if month > clock_day(at):
        raise Refused("month_to_come")
    credit_rule_on(region.pk, month)
    digest = sha256(data).hexdigest()
    with transaction.atomic():
        # Two uploads at once: the second waits and finds the first.
        Region.objects.select_for_update(no_key=True).get(pk=region.pk)
        gone = [FileState.FAULTY, FileState.WITHDRAWN]
        first = ContributionFile.objects.filter(region=region, sha256=digest).exclude(state__in=gone).first()
        if first is not None:
            raise Refused("table_again", uploaded_at=first.uploaded_at.isoformat(), number=first.pk)
        file = ContributionFile.objects.create(
            region=region, month=month, name=name[-120:], sha256=digest, size=len(data), content=uploads.sealed(data),
            uploaded_by=by, uploaded_at=at,
        )  # fmt: skip
        _record("upload", file, by, at)
    return file


@transaction.atomic
def read(*, file_id: int, at: datetime.datetime | None = None) -> ContributionFile | None:
    """Read an uploaded file: its rows if all are right, else its mistakes. None: it was read, or somebody is at it."""
    waiting = ContributionFile.objects.filter(pk=file_id, state=FileState.READING)
    waiting = waiting.select_related("region").defer("content")
    file = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if file is None:
        return None
    reading = _Reading(file)
    try:
        with transaction.atomic(), uploads.opened(file) as content:
            reading.run(content)
            if reading.fault_count:
                transaction.set_rollback(True)
    except Refused as refusal:
        file.refused = {"code": refusal.code, "params": refusal.params}
    ContributionFault.objects.bulk_create(
        (ContributionFault(file=file, line=f.line, column=f.column, code=f.code, params=f.params) for f in reading.faults),
        batch_size=BATCH,
    )  # fmt: skip
    file.fault_count = reading.fault_count
    wrong = file.refused or file.fault_count
    file.state = FileState.FAULTY if wrong else FileState.READY
    file.totals = {"read": reading.count} if wrong else _totals(file, reading)
    file.content, file.read_at = None, at or clock.now()
    file.save()
    _record("read", file, None, file.read_at, state=str(file.state), mistakes=file.fault_count)
    return file


def release(*, file: ContributionFile, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Let a file be posted, by another person than the one who uploaded it. Raises Refused: file_state, same_person."""
    at = at or clock.now()
    with transaction.atomic():
        file = _locked(file, FileState.READY)
        if file.uploaded_by_id == by.pk:
            raise Refused("same_person", why="crediting")
        file.state = FileState.RELEASED
        file.save(update_fields=["state"])
        run = CreditRun.objects.create(
            region=file.region, kind=CreditKind.CONTRIBUTIONS, period=f"{file.month:%Y-%m}", on=clock_day(at), file=file,
            state=CreditState.RUNNING, planned_by=file.uploaded_by, planned_at=file.uploaded_at, released_by=by,
            released_at=at, resumed_at=at,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(PLAN, {"run": run.pk, "file": file.pk, "size": CHUNK})
        _record("release", file, by, at, run=run.pk)
    return run


@transaction.atomic
def withdraw(*, file: ContributionFile, by: User, at: datetime.datetime | None = None) -> ContributionFile:
    """Take a file back that was not released; its rows go, for they never counted. Raises Refused: file_state."""
    file = _locked(file, FileState.READY)
    Contribution.objects.filter(file=file).delete()
    file.state = FileState.WITHDRAWN
    file.save(update_fields=["state"])
    _record("withdraw", file, by, at or clock.now())
    return file


def named(file_id: int) -> str:
    """Under what name the worker that reads a file tells how far it is (queries.uploads)."""
    return f"contributions {file_id}"


# A row as it is kept: line, member, month, base in yuan.
_Kept = tuple[int, int, datetime.date, Decimal]


class _Reading:
    """One pass over a file: rows are kept in batches, and the mistakes of all of them."""

    def __init__(self, file: ContributionFile) -> None:
        self.file = file
        self.titles: dict[str, str] = {}
        self.faults: list[tables.Fault] = []
        self.fault_count = 0
        self.count = 0
        self.widened = 0
        self.expected = ZERO
        self.rules: dict[datetime.date, CreditRule] = {}
        # Many have the same base.
        self.credit = lru_cache(maxsize=10_000)(self._credit)

    def run(self, content: IO[bytes]) -> None:
        table = tables.read(content, COLUMNS, max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
        self.titles = table.titles
        rows = table.rows()
        while batch := list(islice(rows, BATCH)):
            self._batch(batch)
        if not self.count:
            raise Refused("table_empty")

    def _batch(self, batch: list[tables.Row]) -> None:
        indexes = [blind_index(id_number.normalise(row.values["id_number"])) for row in batch]
        with connection.cursor() as cursor:
            cursor.execute(KNOWN, {"region": self.file.region_id, "indexes": indexes})
            known = {row[0]: row[1:] for row in cursor.fetchall()}
        right = [kept for row, index in zip(batch, indexes, strict=True) if (kept := self._row(row, known.get(index)))]
        if right:
            self._keep({row.line: row for row in batch}, right)
        self.count += len(batch)
        uploads.tell_rows(named(self.file.pk), self.count)

    def _keep(self, rows: dict[int, tables.Row], right: list[_Kept]) -> None:
        """Keep what is right, for the moment also where other rows are wrong: whoever is there twice shows by that."""
        facts = dict(zip(("lines", "members", "months", "bases"), map(list, zip(*right, strict=True)), strict=True))
        with connection.cursor() as cursor:
            cursor.execute(KEEP, {"file": self.file.pk, **facts})
            kept = {line for (line,) in cursor.fetchall()}
            twice = [row for row in right if row[0] not in kept]
            first = {}
            if twice:
                facts = dict(
                    zip(("lines", "members", "months"), map(list, list(zip(*twice, strict=True))[:3]), strict=True)
                )
                cursor.execute(FIRST_LINES, {"file": self.file.pk, **facts})
                first = dict(cursor.fetchall())
        for line, _, month, base in right:
            if line in kept:
                self.expected += self.credit(month, base)
            else:
                self._add([self._fault(rows[line], "id_number", "row_twice", first=first[line])])

    def _row(self, row: tables.Row, known: tuple[Any, ...] | None) -> _Kept | None:
        """The row as it is kept; None if anything is wrong with it."""
        self.widened += row.widened
        faults = row.faults or [*self._person(row, known), *self._values(row)]
        if not faults and known:
            return row.line, known[0], self._month(row), parse_amount(row.values["base"])
        self._add(faults)
        return None

    def _add(self, faults: list[tables.Fault]) -> None:
        """The mistakes of one row."""
        self.fault_count += 1
        self.faults += faults[: max(FAULTS_KEPT - len(self.faults), 0)]

    def _person(self, row: tables.Row, known: tuple[Any, ...] | None) -> Iterator[tables.Fault]:
        if not known:
            try:
                id_number.parse(row.values["id_number"], on=clock.today())
            except id_number.BadIdNumber as bad:
                yield self._fault(row, "id_number", bad.code, length=bad.length)
            else:
                yield self._fault(row, "id_number", "member_unknown")
            return
        _, name, insured, account = known
        if not insured:
            yield self._fault(row, "id_number", "member_elsewhere")
        elif not account:
            yield self._fault(row, "id_number", "member_without_account")
        if row.values.get("name") and row.values["name"] != name:
            yield self._fault(row, "name", "name_differs")

    def _values(self, row: tables.Row) -> Iterator[tables.Fault]:
        text = row.values["base"]
        try:
            if parse_amount(text) == ZERO:
                yield self._fault(row, "base", "amount_zero")
        except BadAmount as bad:
            code = bad.code
            if re.fullmatch(r"-[0-9.]+", text):
                code = "amount_negative"
            elif re.fullmatch(r"[0-9]+\.[0-9]{3,}", text):
                code = "amount_decimals"
            yield self._fault(row, "base", code)
        month = self._month(row)
        if month is None:
            yield self._fault(row, "month", "month_format")
        elif month > self.file.month:
            yield self._fault(row, "month", "month_later", month=f"{self.file.month:%Y-%m}")
        elif self._rule(month) is None:
            yield self._fault(row, "month", "month_too_early")

    def _month(self, row: tables.Row) -> Any:
        """The row's month, the file's where it has none; None if it cannot be read."""
        text = row.values.get("month", "")
        if not text:
            return self.file.month
        found = MONTH_FORMAT.fullmatch(text)
        if not found or not 1 <= int(found[2]) <= 12:
            return None
        return datetime.date(int(found[1]), int(found[2]), 1)

    def _credit(self, month: datetime.date, base: Decimal) -> Decimal:
        return month_credit(self._rule(month), SOMEBODY, base, month)

    def _rule(self, month: datetime.date) -> Any:
        if month not in self.rules:
            try:
                self.rules[month] = credit_rule_on(self.file.region_id, month)
            except Refused:
                return None
        return self.rules[month]

    def _fault(self, row: tables.Row, column: str, code: str, **params: Any) -> tables.Fault:
        return tables.Fault(row.line, self.titles[column], code, params)


def _totals(file: ContributionFile, reading: _Reading) -> dict[str, Any]:
    """What the file comes to, and how it differs from the month before; amounts as text of yuan."""
    before = (file.month - datetime.timedelta(days=1)).replace(day=1)
    facts = {"region": file.region_id, "file": file.pk, "month": file.month, "before": before}
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, [file.pk])
        rows, members, bases = cursor.fetchone()
        cursor.execute(COMPARED, facts)
        were, base_sum, new, missing, changed = cursor.fetchone()
    return {
        "rows": rows,
        "members": members,
        "base_sum": plain(bases),
        "expected": plain(reading.expected),
        "widened": reading.widened,
        "before": {
            "month": before.isoformat(), "members": were, "base_sum": plain(base_sum), "new": new, "missing": missing,
            "changed": changed,
        },
    }  # fmt: skip


def post_chunk(run: CreditRun, chunk: CreditChunk, transaction_id: int) -> Done:
    """Post the lines of a chunk: bases into the enrolments, and the credit of each month that nobody credited yet.

    Why a line credits nothing is counted, so that whoever expected more reads it.
    """
    facts = {
        "file": run.file_id, "region": run.region_id, "first": chunk.first_id, "last": chunk.last_id,
        "month": run.file.month if run.file else None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        _set_bases(cursor, facts)
        cursor.execute(ROWS, facts)
        rows = [_Posted(*row) for row in cursor.fetchall()]
    years, accounts = years_of(run.region), {row.account for row in rows if row.account is not None}
    lock_many(accounts, run.on)
    standing = _standing(run, accounts, years)
    dues, left = [], dict[str, tuple[int, Decimal]]()
    for row in rows:
        due = _due(run, row, standing, years)
        if isinstance(due, Due):
            dues.append(due)
        else:
            count, yuan = left.get(due, (0, ZERO))
            stood_for = month_credit(credit_rule_on(run.region_id, row.month), SOMEBODY, row.base, row.month)
            left[due] = count + 1, yuan + stood_for
    return replace(post_credits(dues, run.on, transaction_id), left=left)


@dataclass(frozen=True)
class _Posted:
    """A line to be posted; `account`: None where none is open; `insured`: he was, on some day of that month."""

    member: int
    account: int | None
    month: datetime.date
    base: Decimal
    insured: bool


def _due(run: CreditRun, row: _Posted, standing: dict[tuple[int, datetime.date], int], years: Rules) -> Due | str:
    """What a line credits: the month where months are credited, and months of a gap that are paid late; or why nothing
    (a key of credit_runs.LEFT)."""
    rule = credit_rule_on(run.region_id, row.month)
    if row.account is None:
        return "closed"
    if (row.account, row.month) in standing:
        return "standing" if rule.every == MONTH else "year"
    late = year_of(years, row.month) < year_of(years, run.on)
    if rule.every != MONTH and not late and row.insured:
        return "year"  # the credit of the year is for it, or will be
    bucket = rule.arrears if late else rule.bucket
    if bucket == "none":
        return "arrears"
    times = standing.get((-row.account, row.month), 0)
    return Due(
        account_id=row.account,
        period=f"{row.month:%Y-%m}.{times + 1}" if times else f"{row.month:%Y-%m}",
        amount=month_credit(rule, SOMEBODY, row.base, row.month),
        bucket=bucket,
    )


def _standing(run: CreditRun, accounts: Iterable[int], years: Rules) -> dict[tuple[int, datetime.date], int]:
    """(account, month) of the months credited to it that did not go back; (-account, month): how often one went back."""
    ids = list(accounts)
    left = {(back.account_id, back.period): back.left_on for back in Clawback.objects.filter(account__in=ids)}
    found: dict[tuple[int, datetime.date], int] = {}
    for credit in Credit.objects.filter(account__in=ids).select_related("transaction"):
        left_on = left.get((credit.account_id, credit.period))
        if "-" in credit.period:
            month = datetime.date.fromisoformat(f"{credit.period[:7]}-01")
            sign = 1 if left_on is None else -1
            found[sign * credit.account_id, month] = found.get((sign * credit.account_id, month), 0) + 1
            continue
        day = credit.counted_on or credit.transaction.business_date
        first, count = standing_months(credit_rule_on(run.region_id, day), day, left_on, years)
        for number in range(first.month - 1, first.month - 1 + count):
            found[credit.account_id, datetime.date(first.year + number // 12, number % 12 + 1, 1)] = 1
    return found


def _set_bases(cursor: Any, facts: dict[str, Any]) -> None:
    cursor.execute(CUT_BASE, facts)
    bases = dict(cursor.fetchall())
    if not bases:
        return
    cursor.execute(END_ENROLMENT, {"ids": list(bases), "month": facts["month"]})
    kept = [json.loads(row) if isinstance(row, str) else row for (row,) in cursor.fetchall()]
    rows = [{**row, "base": plain(bases[row["id"]])} for row in kept]
    cursor.execute(COPY_ENROLMENT, {"rows": json.dumps(rows), "month": facts["month"]})


def _locked(file: ContributionFile, state: FileState) -> ContributionFile:
    file = ContributionFile.objects.select_for_update(no_key=True).defer("content").get(pk=file.pk)
    if file.state != state:
        raise Refused("file_state", state=str(file.state))
    return file


def _record(verb: str, file: ContributionFile, by: User | None, at: datetime.datetime, **details: Any) -> None:
    audit.record(
        action=f"contributions.{verb}",
        by=by,
        at=at,
        target=f"contributions {file.pk} {file.region_id} {file.month:%Y-%m}",
        details={**details, "sha256": file.sha256[:16]},
    )
