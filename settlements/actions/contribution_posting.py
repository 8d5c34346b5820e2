"""A released file of contributions, posted line by line: bases into the enrolments, and the credit of each month."""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.domain.benefit_year import Rules, year_of
from accounts.money import ZERO, plain
from settlements.actions import opening
from settlements.actions.contribution_rows import SOMEBODY
from settlements.actions.credit_runs import Done, Due, post_credits
from settlements.actions.crediting import MONTH, years_of
from settlements.domain.crediting import month_credit, standing_months
from settlements.ledger.many import lock_many
from settlements.models import Clawback, Credit, CreditChunk, CreditRun
from settlements.queries.parameters import credit_rule_on

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
ACCOUNTS = """
SELECT a.id, a.member_id, a.status = 'closed' FROM settlements_personalaccount a
WHERE a.region_id = %(region)s AND a.member_id IN (
    SELECT member_id FROM settlements_contribution WHERE file_id = %(file)s AND line BETWEEN %(first)s AND %(last)s
)
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
        cursor.execute(ACCOUNTS, facts)
        # Locked before the lines are looked at: whoever leaves changes his enrolment and then locks his account, so here
        # it shows.
        found = cursor.fetchall()
        lock_many([account for account, _, _ in found], run.on)
        if closed := [member for _, member, is_closed in found if is_closed]:
            opening.reopen(region_id=run.region_id, on=run.on, members=closed)
        cursor.execute(ROWS, facts)
        rows = [_Posted(*row) for row in cursor.fetchall()]
    years, accounts = years_of(run.region), {row.account for row in rows if row.account is not None}
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
    return replace(post_credits(dues, run.on, year_of(years, run.on), transaction_id), left=left)


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
