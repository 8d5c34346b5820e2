"""Files of contributions: uploaded by one person, read and checked whole, released by another, posted in chunks."""

import datetime
from hashlib import sha256
from typing import IO, Any

from django.db import connection, transaction

from accounts import clock
from accounts.actions import audit
from accounts.errors import Refused
from accounts.models import Region, User
from accounts.money import plain
from settlements.actions import files
from settlements.actions.contribution_rows import MAX_BYTES, Reading
from settlements.actions.credit_runs import CHUNK
from settlements.actions.rollover import clock_day
from settlements.enums import CreditKind, CreditState, FileState
from settlements.models import Contribution, ContributionFile, CreditRun
from settlements.queries import uploads
from settlements.queries.parameters import credit_rule_on

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
    data = files.content_of(content, MAX_BYTES)
    month = month.replace(day=1)
    if month > clock_day(at):
        raise Refused("month_to_come")
    credit_rule_on(region.pk, month)
    digest = sha256(data).hexdigest()
    with transaction.atomic():
        files.refuse_again(region, ContributionFile.objects.filter(region=region, sha256=digest))
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
    reading = Reading(file)
    try:
        with transaction.atomic(), uploads.opened(file) as content:
            reading.run(content)
            if reading.fault_count:
                transaction.set_rollback(True)
    except Refused as refusal:
        file.refused = {"code": refusal.code, "params": refusal.params}
    at = at or clock.now()
    right = files.finish(file, reading, at)
    file.totals = _totals(file, reading) if right else {"read": reading.count}
    file.save()
    _record("read", file, None, at, state=str(file.state), mistakes=file.fault_count)
    return file


def release(*, file: ContributionFile, by: User, at: datetime.datetime | None = None) -> CreditRun:
    """Let a file be posted, by another person than the one who uploaded it. Raises Refused: file_state, same_person."""
    at = at or clock.now()
    with transaction.atomic():
        file = files.locked(ContributionFile.objects, file.pk, FileState.READY)
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
    file = files.locked(ContributionFile.objects, file.pk, FileState.READY)
    Contribution.objects.filter(file=file).delete()
    file.state = FileState.WITHDRAWN
    file.save(update_fields=["state"])
    _record("withdraw", file, by, at or clock.now())
    return file


def _totals(file: ContributionFile, reading: Reading) -> dict[str, Any]:
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


def _record(verb: str, file: ContributionFile, by: User | None, at: datetime.datetime, **details: Any) -> None:
    audit.record(
        action=f"contributions.{verb}",
        by=by,
        at=at,
        target=f"contributions {file.pk} {file.region_id} {file.month:%Y-%m}",
        details={**details, "sha256": file.sha256[:16]},
    )
