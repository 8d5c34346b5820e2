"""Planning, rehearsing and counting a rollover: set-based reading of a whole region, and interest posted afterwards."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts import clock
from accounts.money import ZERO
from settlements.ledger.once import request_hash

# Every n-th id, counted once: ids of a region lie scattered, so ranges of equal width would not be equal work. The
# ranges leave no gap, so an account that turns up late lies in one of them too. From the end of a chunk to the next one's:
# numbering all accounts sorts them, which takes twice as long. `|| ''`: see batch.py.
PLAN = """
WITH RECURSIVE part AS (
    SELECT 0 AS number, 0::bigint AS first_id, -1::bigint AS last_id, 0::bigint AS planned
    UNION ALL
    SELECT part.number + 1, part.last_id + 1, next.last_id, next.planned
    FROM part, LATERAL (
        SELECT max(id) AS last_id, count(*) FILTER (WHERE opened_on < %(boundary)s) AS planned
        FROM (
            SELECT id, opened_on FROM settlements_personalaccount
            WHERE region_id || '' = %(region)s AND id > part.last_id ORDER BY id LIMIT %(size)s
        ) AS accounts
    ) AS next
    WHERE next.last_id IS NOT NULL
)
INSERT INTO settlements_rolloverchunk
    (run_id, number, first_id, last_id, planned, done, accounts, moved, netted, interest, visits)
SELECT %(run)s, number, first_id,
    CASE WHEN number = max(number) OVER () THEN 9223372036854775807 ELSE last_id END,
    planned, false, 0, 0, 0, 0, 0
FROM part WHERE number > 0
ON CONFLICT (run_id, number) DO NOTHING
"""

# What the batch would do today to a range of ids, by the one definition; nothing is written. Who is several years behind
# is brought to the closing year first. `|| ''` and `+ 0`: see batch.py.
REHEARSE = """
WITH RECURSIVE behind AS (
    SELECT id, benefit_year AS year, current::numeric, historical::numeric, debt::numeric,
        current_products::numeric, historical_products::numeric, products_on AS since
    FROM settlements_personalaccount
    WHERE id BETWEEN %(first)s AND %(last)s AND region_id || '' = %(region)s AND benefit_year + 0 < %(year)s
    UNION ALL
    SELECT b.id, n.year, 0, n.historical, n.debt, 0, 0, n.boundary
    FROM behind b, LATERAL account_next(
        %(region)s, b.year, b.current, b.historical, b.debt, b.current_products, b.historical_products, b.since
    ) n WHERE b.year < %(year)s
), closing AS (
    SELECT current, historical, debt, current_products, historical_products, products_on AS since
    FROM settlements_personalaccount
    WHERE id BETWEEN %(first)s AND %(last)s AND region_id || '' = %(region)s AND benefit_year + 0 = %(year)s
    UNION ALL
    SELECT current, historical, debt, current_products, historical_products, since FROM behind WHERE year = %(year)s
)
SELECT count(*) AS accounts, coalesce(sum(c.historical), 0) AS historical_before, coalesce(sum(c.current), 0) AS moved,
    coalesce(sum(c.debt - n.debt), 0) AS netted, coalesce(sum(n.interest), 0) AS interest,
    coalesce(sum(n.historical), 0) AS historical_after
FROM closing c, LATERAL account_closed(
    c.current, c.historical, c.debt, c.current_products, c.historical_products, c.since,
    %(boundary)s::date, %(current_rate)s::numeric, %(historical_rate)s::numeric
) n
"""
ODD = """
SELECT kind, count(*), (array_agg(a.id ORDER BY a.id))[1:%(named)s]
FROM settlements_personalaccount a
LEFT JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = a.benefit_year
LEFT JOIN LATERAL (
    SELECT e.status FROM accounts_enrolment e
    WHERE e.member_id = a.member_id AND e.region_id = a.region_id AND e.insurance = 'employee'
        AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
    LIMIT 1
) e ON true,
LATERAL (VALUES
    ('behind', a.benefit_year = %(year)s - 1),
    ('far_behind', a.benefit_year < %(year)s - 1),
    ('ahead', a.benefit_year > %(year)s),
    ('in_debt', a.debt > a.current + a.historical),
    ('closed', a.status = 'closed'),
    ('closed_with_money', a.status <> 'open' AND a.current + a.historical > 0),
    ('frozen', e.status = 'frozen'),
    ('not_enrolled', e.status IS NULL AND a.status = 'open'),
    ('products_wrong', least(a.current_products, a.historical_products) < 0
        OR a.products_on < greatest(y.starts_on, a.opened_on)),
    ('counted_too_far', a.benefit_year = %(year)s AND a.products_on >= %(boundary)s)
) AS found (kind, is_so)
WHERE a.id BETWEEN %(first)s AND %(last)s AND a.region_id || '' = %(region)s AND is_so
GROUP BY kind
"""
# Years that accounts still have to pass on the way to the closing year.
YEARS_WITHOUT_RATE = """
SELECT y FROM generate_series(
    (SELECT min(benefit_year) FROM settlements_personalaccount WHERE region_id = %(region)s), %(year)s - 1
) AS y
WHERE NOT EXISTS (
    SELECT 1 FROM settlements_rolloverrun r WHERE r.region_id = %(region)s AND r.year = y
    AND r.state IN ('released', 'running', 'paused', 'reconciled', 'closed')
)
"""
YEARS_WITHOUT_START = """
SELECT y FROM generate_series(
    least((SELECT min(benefit_year) FROM settlements_personalaccount WHERE region_id = %(region)s), %(year)s) + 1,
    %(year)s + 1
) AS y
WHERE NOT EXISTS (SELECT 1 FROM accounts_benefityear b WHERE b.region_id = %(region)s AND b.year = y)
"""

# Rollovers of the closed year, by this run's batch or otherwise (a movement, a later run), each with the entry before
# it and the interest after it.
COUNT = """
SELECT t.scope = 'rollover' AND t.key LIKE %(batch)s AS batch, count(*) AS accounts,
    sum(coalesce(p.historical_after, 0)) AS historical_before,
    -sum(e.current_delta) AS moved,
    sum(coalesce(p.debt_after, 0) - coalesce(i.debt_after, e.debt_after)) AS netted,
    sum(coalesce(i.historical_delta - i.debt_delta, 0)) AS interest,
    sum(coalesce(i.historical_after, e.historical_after)) AS historical_after,
    sum(round(
        (e.current_products * %(current_rate)s + e.historical_products * %(historical_rate)s) / 36000, 2
    )) AS gain
FROM settlements_entry e
JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
LEFT JOIN settlements_entry p ON p.account_id = e.account_id AND p.version = e.version - 1
LEFT JOIN settlements_entry i ON i.account_id = e.account_id AND i.version = e.version + 1
    AND i.kind = 'interest' AND i.transaction_id = e.transaction_id
WHERE e.kind = 'rollover' AND e.benefit_year = %(year)s AND t.region_id = %(region)s
GROUP BY 1
"""
CURRENT_OF_YEAR = """
SELECT coalesce(sum(e.current_delta), 0) FROM settlements_entry e
JOIN settlements_personalaccount a ON a.id = e.account_id
WHERE a.region_id = %(region)s AND a.benefit_year > %(year)s AND e.benefit_year = %(year)s AND e.kind <> 'rollover'
"""
ACCOUNTS_OF_YEAR = """
SELECT count(*) FROM settlements_personalaccount a JOIN settlements_entry e ON e.account_id = a.id AND e.version = 1
WHERE a.region_id = %(region)s AND e.benefit_year <= %(year)s
"""
LATE_INTEREST = """
SELECT coalesce(sum(e.historical_delta - e.debt_delta), 0) FROM settlements_entry e
JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
WHERE t.scope = 'rollover-interest' AND t.key LIKE %(batch)s AND e.kind = 'interest'
"""
REOPEN = """
UPDATE settlements_rolloverchunk c SET done = false, done_at = NULL
WHERE run_id = %(run)s AND done AND EXISTS (
    SELECT 1 FROM settlements_personalaccount a
    WHERE a.region_id = %(region)s AND a.benefit_year <= %(year)s AND a.id BETWEEN c.first_id AND c.last_id
)
"""
LEFT_BEHIND = """
SELECT count(*) FROM settlements_personalaccount WHERE region_id = %(region)s AND benefit_year <= %(year)s
"""

# What a correction of a range would post, counted two ways: account by account, what is due by the right rates less what
# was posted; and from the products alone, by the right rates less by the old ones.
COUNT_DUE = """
WITH due AS (
    SELECT e.account_id, round(
        (e.current_products * %(current_rate)s + e.historical_products * %(historical_rate)s) / 36000, 2
    ) AS right_interest, round(
        (e.current_products * %(old_current_rate)s + e.historical_products * %(old_historical_rate)s) / 36000, 2
    ) AS old_interest, a.historical
    FROM settlements_personalaccount a JOIN settlements_entry e ON e.account_id = a.id
    WHERE a.region_id || '' = %(region)s AND a.id BETWEEN %(first)s AND %(last)s
        AND e.kind = 'rollover' AND e.benefit_year = %(year)s
), posted AS (
    SELECT account_id, sum(historical_delta - debt_delta) AS interest FROM settlements_entry
    WHERE account_id BETWEEN %(first)s AND %(last)s AND kind = 'interest' AND contra_id = %(run)s GROUP BY account_id
), gains AS (
    SELECT right_interest - coalesce(posted.interest, 0) AS gain, right_interest - old_interest AS by_products,
        historical
    FROM due LEFT JOIN posted USING (account_id)
)
SELECT count(*) FILTER (WHERE gain <> 0), coalesce(sum(gain), 0),
    coalesce(sum(greatest(-gain - historical, 0)) FILTER (WHERE gain < 0), 0), coalesce(sum(by_products), 0)
FROM gains
"""

LOCK_ROLLED = """
SELECT 1 FROM settlements_personalaccount
WHERE region_id = %(region)s AND id BETWEEN %(first)s AND %(last)s AND benefit_year > %(year)s
ORDER BY id FOR NO KEY UPDATE
"""
# What is due less what was posted. It counts from the first day of the account's present year, as if it were in time.
POST_INTEREST = """
WITH due AS (
    SELECT e.account_id AS id, round(
        (e.current_products * %(current_rate)s + e.historical_products * %(historical_rate)s) / 36000, 2
    ) - coalesce((
        SELECT sum(i.historical_delta - i.debt_delta) FROM settlements_entry i
        WHERE i.account_id = e.account_id AND i.kind = 'interest' AND i.contra_id = %(run)s
    ), 0) AS gain
    FROM settlements_personalaccount a JOIN settlements_entry e ON e.account_id = a.id
    WHERE a.region_id = %(region)s AND a.id BETWEEN %(first)s AND %(last)s
        AND e.kind = 'rollover' AND e.benefit_year = %(year)s
), posting AS (
    SELECT a.id, a.version + 1 AS version, a.benefit_year,
        CASE WHEN gain > 0 THEN gain - least(a.debt, gain) ELSE -least(a.historical, -gain) END AS to_historical,
        CASE WHEN gain > 0 THEN -least(a.debt, gain) ELSE -gain - least(a.historical, -gain) END AS to_debt,
        a.current, a.historical, a.debt, y.starts_on AS since,
        greatest(a.products_on, least(%(on)s, next.starts_on)) AS until
    FROM due JOIN settlements_personalaccount a USING (id)
    JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = a.benefit_year
    JOIN accounts_benefityear next ON next.region_id = a.region_id AND next.year = a.benefit_year + 1
    WHERE gain <> 0
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    SELECT 'interest', %(on)s, %(now)s, %(region)s, 'rollover-interest', %(key)s, %(digest)s,
        jsonb_build_object('accounts', count(*), 'interest', sum(to_historical - to_debt)::text), ''
    FROM posting HAVING count(*) > 0
    RETURNING id
), entered AS (
    INSERT INTO settlements_entry
        (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta,
         debt_delta, current_after, historical_after, debt_after, contra, contra_id)
    SELECT p.id, version, cause.id, 'interest', %(on)s, benefit_year, 0, to_historical, to_debt, current,
        historical + to_historical, debt + to_debt, 'interest', %(run)s
    FROM posting p, cause
)
UPDATE settlements_personalaccount a
SET historical = a.historical + to_historical, debt = a.debt + to_debt, version = p.version,
    current_products = a.current_products + a.current * (until - a.products_on),
    historical_products = a.historical_products + a.historical * (until - a.products_on)
        + to_historical * (until - since),
    products_on = until
FROM posting p WHERE a.id = p.id
RETURNING to_historical - to_debt
"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Accounts rolled over in one way, and yuan: historical after = before + moved - netted + interest."""

    accounts: int = 0
    historical_before: Decimal = ZERO
    moved: Decimal = ZERO
    netted: Decimal = ZERO
    interest: Decimal = ZERO
    historical_after: Decimal = ZERO


def _one(sql: str, parameters: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return row[0] if len(row) == 1 else row


def _named(sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def plan_chunks(*, run_id: int, region_id: str, boundary: datetime.date, size: int) -> int:
    """Write the chunks of a run, `size` accounts each, once: a second call changes nothing. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(PLAN, {"run": run_id, "region": region_id, "boundary": boundary, "size": size})
        return int(cursor.rowcount)


def last_account() -> int:
    """The highest id of an account; 0 if there is none."""
    return int(_one("SELECT coalesce(max(id), 0) FROM settlements_personalaccount", {}))


def rehearse(
    *, region_id: str, year: int, boundary: datetime.date, rates: tuple[Decimal, Decimal], first_id: int, last_id: int
) -> Part:
    """What rolling a range of accounts into the year after `year` would come to today, in yuan. Writes nothing.

    `rates` (percent a year, current and historical) are those of the closing year; years before it have their runs'.
    """
    parameters = {
        "region": region_id, "year": year, "boundary": boundary, "current_rate": rates[0], "historical_rate": rates[1],
        "first": first_id, "last": last_id,
    }  # fmt: skip
    return Part(**_named(REHEARSE, parameters)[0])


def odd_accounts(
    *, region_id: str, year: int, boundary: datetime.date, on: datetime.date, first_id: int, last_id: int, named: int
) -> dict[str, tuple[int, list[int]]]:
    """Accounts of a range to look at before a run is released: what is odd -> how many, and ids of the first `named`.

    `on` is the day whose enrolment counts. Only what there is.
    """
    parameters: dict[str, Any] = {
        "region": region_id, "year": year, "boundary": boundary, "on": on, "first": first_id, "last": last_id,
        "named": named,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(ODD, parameters)
        return {kind: (count, ids) for kind, count, ids in cursor.fetchall()}


def years_missing(*, region_id: str, year: int) -> tuple[list[int], list[int]]:
    """Benefit years on the way of some account that have no released run, and those whose first day is not known."""
    parameters = {"region": region_id, "year": year}
    return (
        [row["y"] for row in _named(YEARS_WITHOUT_RATE, parameters)],
        [row["y"] for row in _named(YEARS_WITHOUT_START, parameters)],
    )


@dataclass(frozen=True, kw_only=True)
class Books:
    """A closed year as the entries tell it: rolled by this run's batch, or otherwise; yuan."""

    batch: Part
    otherwise: Part
    # Counted a second way: from the year's other entries, from products and rates, from each account's first entry.
    current_of_year: Decimal
    gain: Decimal
    accounts_of_year: int
    late_interest: Decimal
    left_behind: int


def count_books(*, run_id: int, region_id: str, year: int, current_rate: Decimal, historical_rate: Decimal) -> Books:
    """Count the closing of a year from the entries, in yuan. Call it inside a transaction; it reads every entry."""
    parameters = {
        "region": region_id,
        "year": year,
        "batch": f"{run_id}:%",
        "current_rate": current_rate,
        "historical_rate": historical_rate,
    }
    with connection.cursor() as cursor:
        # Entries are joined with their neighbours: in memory where it can be.
        cursor.execute("SET LOCAL work_mem = '128MB'")
    parts = {True: Part(), False: Part()}
    gain = ZERO
    for row in _named(COUNT, parameters):
        batch, gain = row.pop("batch"), gain + row.pop("gain")
        parts[batch] = Part(**row)
    return Books(
        batch=parts[True],
        otherwise=parts[False],
        current_of_year=_one(CURRENT_OF_YEAR, parameters),
        gain=gain,
        accounts_of_year=_one(ACCOUNTS_OF_YEAR, parameters),
        late_interest=_one(LATE_INTEREST, parameters),
        left_behind=_one(LEFT_BEHIND, parameters),
    )


def reopen_chunks(*, run_id: int, region_id: str, year: int) -> int:
    """Set chunks back to work in whose range somebody stayed behind; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(REOPEN, {"run": run_id, "region": region_id, "year": year})
        return int(cursor.rowcount)


def post_interest(
    *, run_id: int, region_id: str, year: int, rates: tuple[Decimal, Decimal], first_id: int, last_id: int,
    on: datetime.date, key: str,
) -> tuple[int, Decimal]:  # fmt: skip
    """Post what a closed year's rates (percent a year) come to less what was posted, on a range of accounts.

    From the products kept on the rollover entries. Returns accounts and yuan. A second call finds nothing due.
    """
    parameters: dict[str, Any] = {
        "region": region_id, "year": year, "run": run_id, "first": first_id, "last": last_id, "on": on, "key": key,
        "digest": request_hash({"interest": key}), "now": clock.now(), "current_rate": rates[0],
        "historical_rate": rates[1],
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_ROLLED, parameters)
        cursor.execute(POST_INTEREST, parameters)
        gains = [gain for (gain,) in cursor.fetchall()]
    return len(gains), sum(gains, ZERO)


def count_due(
    *, run_id: int, region_id: str, year: int, rates: tuple[Decimal, Decimal], old_rates: tuple[Decimal, Decimal],
    first_id: int, last_id: int,
) -> tuple[int, Decimal, Decimal, Decimal]:  # fmt: skip
    """What correcting a range of accounts from the old rates to `rates` (percent a year) would post; writes nothing.

    Accounts concerned; yuan due less posted; yuan of it that would become debt today, because the money is spent; and
    yuan due once more, from the products and both rates alone.
    """
    parameters = {
        "region": region_id, "year": year, "run": run_id, "first": first_id, "last": last_id,
        "current_rate": rates[0], "historical_rate": rates[1], "old_current_rate": old_rates[0],
        "old_historical_rate": old_rates[1],
    }  # fmt: skip
    accounts, due, debt, by_products = _one(COUNT_DUE, parameters)
    return accounts, due, debt, by_products
