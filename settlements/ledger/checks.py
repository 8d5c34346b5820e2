"""The books checked against themselves: the same money counted two ways. Every check must find nothing.

Each is one set-based statement over whole tables, so a million accounts take seconds; a row found is a fault or a
crime, never a case to be handled. The codes I1 … say which invariant a check belongs to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from settlements.ledger.rolling import ROLLED

# How many offending rows are kept of a check; the count is of all.
KEPT = 20


@dataclass(frozen=True)
class Check:
    """A named statement that returns offending rows, the first column naming what offends."""

    code: str
    name: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows, and the first of them by column."""

    check: Check
    count: int
    rows: list[dict[str, Any]]


# Sum of all accounts against the sum of all other sides. The other side of a row is minus its movement; it is summed by
# contra, so the two sums share no column: rows there, deltas here.
MONEY_CONSERVED = """
SELECT 'total' AS of, accounts, contras FROM (
    SELECT (SELECT coalesce(sum(current + historical - debt), 0) FROM settlements_personalaccount) AS accounts,
        (SELECT coalesce(sum(side), 0) FROM (
            SELECT contra, sum(current_delta + historical_delta - debt_delta) AS side
            FROM settlements_entry GROUP BY contra
        ) AS sides) AS contras
) AS both_ways WHERE accounts <> contras
"""
BALANCED_BY_FORM = """
SELECT account_id, version, kind, contra FROM settlements_entry
WHERE (kind = 'rollover') <> (contra = '')
    OR kind = 'rollover' AND current_delta + historical_delta - debt_delta <> 0
"""
ROW_IS_LAST_ENTRY = """
SELECT a.id AS account_id, a.version, a.current, e.current_after, a.historical, e.historical_after, a.debt, e.debt_after
FROM settlements_personalaccount a LEFT JOIN settlements_entry e ON e.account_id = a.id AND e.version = a.version
WHERE (a.current, a.historical, a.debt)
    IS DISTINCT FROM (coalesce(e.current_after, 0), coalesce(e.historical_after, 0), coalesce(e.debt_after, 0))
    OR a.version > 0 AND e.version IS NULL
"""
NO_GAP_IN_VERSIONS = """
SELECT a.id AS account_id, a.version, e.entries, e.last
FROM settlements_personalaccount a
FULL JOIN (SELECT account_id, count(*) AS entries, max(version) AS last FROM settlements_entry GROUP BY account_id) AS e
    ON e.account_id = a.id
WHERE (a.version, a.version) IS DISTINCT FROM (coalesce(e.entries, 0), coalesce(e.last, 0))
"""
AFTER_FOLLOWS_BEFORE = """
SELECT account_id, version FROM (
    SELECT account_id, version, current_delta, historical_delta, debt_delta,
        current_after, historical_after, debt_after,
        lag(current_after, 1, 0::numeric) OVER chain AS current_before,
        lag(historical_after, 1, 0::numeric) OVER chain AS historical_before,
        lag(debt_after, 1, 0::numeric) OVER chain AS debt_before
    FROM settlements_entry WINDOW chain AS (PARTITION BY account_id ORDER BY version)
) AS e
WHERE current_after <> current_before + current_delta OR historical_after <> historical_before + historical_delta
    OR debt_after <> debt_before + debt_delta
"""
NEVER_NEGATIVE = """
SELECT 'account ' || id AS of FROM settlements_personalaccount WHERE least(current, historical, debt) < 0
UNION ALL SELECT 'entry ' || account_id || ':' || version FROM settlements_entry
WHERE least(current_after, historical_after, debt_after) < 0
UNION ALL SELECT 'usage ' || member_id || ' ' || benefit_year || ' ' || counter FROM settlements_usage WHERE amount < 0
"""
KEY_WITHOUT_ANSWER = "SELECT id AS transaction, scope, key FROM settlements_ledgertransaction WHERE answer IS NULL"
ONE_SETTLEMENT_A_KEY = """
SELECT t.id AS transaction, t.kind, t.refused, s.id AS settlement
FROM settlements_ledgertransaction t FULL JOIN settlements_settlement s ON s.transaction_id = t.id
WHERE (t.kind = 'care' AND t.refused = '') <> (s.id IS NOT NULL)
"""
REFUSED_MOVED_NOTHING = """
SELECT t.id AS transaction, t.refused FROM settlements_ledgertransaction t
WHERE t.refused <> '' AND EXISTS (SELECT 1 FROM settlements_entry e WHERE e.transaction_id = t.id)
"""
# What the accounts paid by the entries against what the bill and its legs say.
LEGS_ARE_ENTRIES = """
WITH paid AS (
    SELECT e.transaction_id, e.account_id, sum(-e.current_delta) AS current, sum(-e.historical_delta) AS historical
    FROM settlements_entry e WHERE e.kind = 'care' GROUP BY e.transaction_id, e.account_id
), legs AS (
    SELECT s.transaction_id, p.account_id, sum(p.current) AS current, sum(p.historical) AS historical
    FROM settlements_settlementpayer p JOIN settlements_settlement s ON s.id = p.settlement_id
    GROUP BY s.transaction_id, p.account_id
)
SELECT transaction_id AS transaction, account_id, paid.current, legs.current AS leg_current, paid.historical,
    legs.historical AS leg_historical
FROM paid FULL JOIN legs USING (transaction_id, account_id)
WHERE (paid.current, paid.historical) IS DISTINCT FROM (legs.current, legs.historical)
"""
BILL_IS_ITS_LEGS = """
SELECT s.id AS settlement, s.own_current + s.own_historical + s.shared AS by_bill, coalesce(p.paid, 0) AS by_legs
FROM settlements_settlement s
LEFT JOIN (
    SELECT settlement_id, sum(current + historical) AS paid FROM settlements_settlementpayer GROUP BY settlement_id
) AS p ON p.settlement_id = s.id
WHERE s.own_current + s.own_historical + s.shared <> coalesce(p.paid, 0)
"""
# A reversal gives back what was paid, account by account; the bucket may be another one after a rollover.
REVERSED_ONCE_AND_WHOLE = """
WITH moved AS (
    SELECT e.transaction_id, e.account_id, sum(e.current_delta + e.historical_delta - e.debt_delta) AS amount
    FROM settlements_entry e WHERE e.kind IN ('care', 'reversal') GROUP BY e.transaction_id, e.account_id
), undone AS (
    SELECT r.reverses_id, m.account_id, sum(m.amount) AS amount, count(DISTINCT r.id) AS times
    FROM settlements_ledgertransaction r JOIN moved m ON m.transaction_id = r.id
    WHERE r.reverses_id IS NOT NULL GROUP BY r.reverses_id, m.account_id
)
SELECT s.id AS settlement, m.account_id, m.amount AS paid, u.amount AS given_back
FROM settlements_settlement s
JOIN moved m ON m.transaction_id = s.transaction_id
LEFT JOIN undone u ON u.reverses_id = s.transaction_id AND u.account_id = m.account_id
WHERE CASE WHEN s.reversed_on IS NULL THEN u.amount IS NOT NULL
    ELSE u.amount IS DISTINCT FROM -m.amount OR u.times > 1 END
UNION ALL
SELECT s.id, NULL, NULL, NULL FROM settlements_settlement s
LEFT JOIN settlements_ledgertransaction r ON r.reverses_id = s.transaction_id
WHERE (s.reversed_on IS NULL) <> (r.id IS NULL)
"""
YEAR_ROLLED_ONCE = """
SELECT account_id, benefit_year, count(*) AS times FROM settlements_entry
WHERE kind = 'rollover' GROUP BY account_id, benefit_year HAVING count(*) > 1
"""
# Every year between an account's first entry and its present one was closed, each once and in order.
EVERY_YEAR_ROLLED = """
SELECT a.id AS account_id, f.benefit_year AS first_year, a.benefit_year, coalesce(r.years, 0) AS rolled
FROM settlements_personalaccount a
JOIN settlements_entry f ON f.account_id = a.id AND f.version = 1
LEFT JOIN (
    SELECT account_id, count(*) AS years FROM settlements_entry WHERE kind = 'rollover' GROUP BY account_id
) AS r ON r.account_id = a.id
WHERE a.benefit_year - f.benefit_year <> coalesce(r.years, 0)
"""
YEARS_IN_ORDER = """
SELECT account_id, version FROM (
    SELECT account_id, version, kind, benefit_year,
        lead(benefit_year) OVER (PARTITION BY account_id ORDER BY version) AS next_year
    FROM settlements_entry
) AS e
WHERE next_year <> benefit_year + (kind = 'rollover')::int
"""
# Once the new year has begun, an account is rolled before it moves; interest posted afterwards speaks of an old year.
MOVED_IN_ITS_YEAR = """
SELECT e.account_id, e.version, e.kind, e.business_date, e.benefit_year FROM settlements_entry e
JOIN settlements_personalaccount a ON a.id = e.account_id
JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = e.benefit_year + 1
WHERE e.kind NOT IN ('rollover', 'interest') AND e.business_date >= y.starts_on
"""
# What came into current in a year is what the rollover took out of it: no bucket mixed up, whoever rolled.
CURRENT_OF_A_CLOSED_YEAR = """
SELECT account_id, benefit_year, sum(current_delta) AS left_over FROM settlements_entry
GROUP BY account_id, benefit_year
HAVING bool_or(kind = 'rollover') AND sum(current_delta) <> 0
"""
CONTROL_TOTALS = """
SELECT r.id AS run, c.chunk_accounts, e.entry_accounts, c.chunk_moved, e.entry_moved, c.chunk_netted, e.entry_netted,
    c.chunk_interest, e.entry_interest
FROM settlements_rolloverrun r
JOIN (
    SELECT run_id, sum(accounts) AS chunk_accounts, sum(moved) AS chunk_moved, sum(netted) AS chunk_netted,
        sum(interest) AS chunk_interest
    FROM settlements_rolloverchunk GROUP BY run_id
) AS c ON c.run_id = r.id
LEFT JOIN (
    SELECT split_part(t.key, ':', 1)::bigint AS run_id, r.year,
        count(*) FILTER (WHERE e.kind = 'rollover') AS entry_accounts,
        sum(-e.current_delta) FILTER (WHERE e.kind = 'rollover') AS entry_moved,
        sum(-e.debt_delta) AS entry_netted,
        coalesce(sum(e.historical_delta - e.debt_delta) FILTER (WHERE e.kind = 'interest'), 0) AS entry_interest
    FROM settlements_entry e
    JOIN settlements_ledgertransaction t ON t.id = e.transaction_id AND t.scope = 'rollover'
    JOIN settlements_rolloverrun r ON r.id = split_part(t.key, ':', 1)::bigint
    WHERE e.benefit_year = r.year + (e.kind = 'interest')::int
    GROUP BY 1, 2
) AS e ON e.run_id = r.id
WHERE (c.chunk_accounts, c.chunk_moved, c.chunk_netted, c.chunk_interest) IS DISTINCT FROM (
    coalesce(e.entry_accounts, 0), coalesce(e.entry_moved, 0), coalesce(e.entry_netted, 0),
    coalesce(e.entry_interest, 0))
"""
DONE_LEFT_NOBODY = """
SELECT r.id AS run, c.number AS chunk, a.id AS account_id
FROM settlements_rolloverchunk c JOIN settlements_rolloverrun r ON r.id = c.run_id
JOIN settlements_personalaccount a
    ON a.region_id = r.region_id AND a.benefit_year <= r.year AND a.id BETWEEN c.first_id AND c.last_id
WHERE c.done
"""
# Interest once by its products and the run's rates, once as posted; only where the posting is meant to be complete.
INTEREST_IS_RATE_TIMES_PRODUCTS = """
WITH posted AS (
    SELECT account_id, contra_id AS run_id, sum(historical_delta - debt_delta) AS interest FROM settlements_entry
    WHERE kind = 'interest' GROUP BY account_id, contra_id
), due AS (
    SELECT e.account_id, r.id AS run_id, r.state,
        round((e.current_products * r.current_rate + e.historical_products * r.historical_rate) / 36000, 2) AS interest
    FROM settlements_entry e
    JOIN settlements_personalaccount a ON a.id = e.account_id
    JOIN settlements_rolloverrun r ON r.region_id = a.region_id AND r.year = e.benefit_year
        AND r.state IN ('released', 'running', 'paused', 'reconciled', 'closed')
    WHERE e.kind = 'rollover'
)
SELECT coalesce(p.account_id, d.account_id) AS account_id, coalesce(p.run_id, d.run_id) AS run, p.interest AS posted,
    d.interest AS due
FROM posted p FULL JOIN due d ON d.account_id = p.account_id AND d.run_id = p.run_id
WHERE coalesce(p.interest, 0) <> coalesce(d.interest, 0)
    AND (p.account_id IS NOT NULL OR d.state IN ('reconciled', 'closed'))
"""
# The shown balance of an account that is behind against a roll written out here, one year at a time, from its row.
SHOWN_IS_ROLLED = (
    ROLLED.replace(
        "WHERE id = ANY(%s)",
        """WHERE EXISTS (
            SELECT 1 FROM accounts_benefityear y WHERE y.region_id = settlements_personalaccount.region_id
            AND y.year = benefit_year + 1 AND y.starts_on <= %(on)s
        )""",
    ).replace("<= %s", "<= %(on)s")
    + """
SELECT id AS account_id, year, historical, debt, by_hand FROM (
    SELECT id, year, historical, debt, current,
        lag(current + historical - debt) OVER years + interest AS by_hand
    FROM rolled WINDOW years AS (PARTITION BY id ORDER BY year)
) AS shown
WHERE by_hand IS NOT NULL AND (historical - debt <> by_hand OR current <> 0 OR least(historical, debt) <> 0)
"""
)
# What was counted for bills that stand is what the counters hold; what a member brought along stands under "opening:".
USAGE_IS_COUNTED = """
WITH counted AS (
    SELECT s.patient_id AS member_id, y.key::int AS benefit_year, c.key AS counter, sum(c.value::numeric) AS amount
    FROM settlements_settlement s, jsonb_each(s.counters) AS y, jsonb_each_text(y.value) AS c
    WHERE s.reversed_on IS NULL GROUP BY 1, 2, 3
), stood AS (
    SELECT u.member_id, u.benefit_year, u.counter, u.amount - coalesce(o.amount, 0) AS amount
    FROM settlements_usage u LEFT JOIN settlements_usage o
        ON o.member_id = u.member_id AND o.benefit_year = u.benefit_year AND o.counter = 'opening:' || u.counter
    WHERE u.counter NOT LIKE 'opening:%%'
)
SELECT member_id, benefit_year, counter, stood.amount AS stands, counted.amount AS counted
FROM stood FULL JOIN counted USING (member_id, benefit_year, counter)
WHERE coalesce(stood.amount, 0) <> coalesce(counted.amount, 0)
"""

CHECKS = [
    Check("I1", "money is conserved: accounts = sum by contra", MONEY_CONSERVED),
    Check("I2", "every entry is balanced by its form", BALANCED_BY_FORM),
    Check("I3", "an account's row is its last entry", ROW_IS_LAST_ENTRY),
    Check("I4", "versions have no gap", NO_GAP_IN_VERSIONS),
    Check("I5", "each balance follows from the one before", AFTER_FOLLOWS_BEFORE),
    Check("I6", "nothing is negative", NEVER_NEGATIVE),
    Check("I7", "every key has its answer", KEY_WITHOUT_ANSWER),
    Check("I8", "one settlement for each settled key", ONE_SETTLEMENT_A_KEY),
    Check("I8", "a refusal moved nothing", REFUSED_MOVED_NOTHING),
    Check("I8", "the legs of a bill are its entries", LEGS_ARE_ENTRIES),
    Check("I8", "a bill adds up with its legs", BILL_IS_ITS_LEGS),
    Check("I10", "reversed once, and whole", REVERSED_ONCE_AND_WHOLE),
    Check("I10", "a year of an account is closed once", YEAR_ROLLED_ONCE),
    Check("I10", "every year passed was closed", EVERY_YEAR_ROLLED),
    Check("I10", "entries lie in the order of their years", YEARS_IN_ORDER),
    Check("I11", "a movement lies in a year that has not ended", MOVED_IN_ITS_YEAR),
    Check("I11", "current of a closed year went out whole", CURRENT_OF_A_CLOSED_YEAR),
    Check("I11", "chunks add up with their entries", CONTROL_TOTALS),
    Check("I11", "a chunk that is done left nobody behind", DONE_LEFT_NOBODY),
    Check("I11", "interest is rate times products", INTEREST_IS_RATE_TIMES_PRODUCTS),
    Check("I12", "the shown balance is the rolled one", SHOWN_IS_ROLLED),
    Check("I12", "counters are what standing bills counted", USAGE_IS_COUNTED),
]


def run_checks(on: Any, checks: list[Check] | None = None) -> Iterator[Finding]:
    """Run the checks one after the other, as of a day; a Finding for each, with count 0 where all is well."""
    for check in checks or CHECKS:
        with connection.cursor() as cursor:
            # Sorting every entry: in memory where it can be. Outside a transaction it does nothing.
            cursor.execute("SET LOCAL work_mem = '128MB'")
            cursor.execute(check.sql, {"on": on})
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(KEPT)]
            yield Finding(check, cursor.rowcount, rows)
