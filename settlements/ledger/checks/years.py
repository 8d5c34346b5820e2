"""Benefit years: each closed once and in order, its interest, the rollover's totals, and the balance shown before it."""

from settlements.ledger.checks.check import Check
from settlements.ledger.rolling import ROLLED

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

CHECKS = [
    Check(
        "I10",
        "a year of an account is closed once",
        """
SELECT account_id, benefit_year, count(*) AS times FROM settlements_entry
WHERE kind = 'rollover' GROUP BY account_id, benefit_year HAVING count(*) > 1
""",
    ),
    # Every year between an account's first entry and its present one was closed, each once and in order.
    Check(
        "I10",
        "every year passed was closed",
        """
SELECT a.id AS account_id, f.benefit_year AS first_year, a.benefit_year, coalesce(r.years, 0) AS rolled
FROM settlements_personalaccount a
JOIN settlements_entry f ON f.account_id = a.id AND f.version = 1
LEFT JOIN (
    SELECT account_id, count(*) AS years FROM settlements_entry WHERE kind = 'rollover' GROUP BY account_id
) AS r ON r.account_id = a.id
WHERE a.benefit_year - f.benefit_year <> coalesce(r.years, 0)
""",
    ),
    Check(
        "I10",
        "entries lie in the order of their years",
        """
SELECT account_id, version FROM (
    SELECT account_id, version, kind, benefit_year,
        lead(benefit_year) OVER (PARTITION BY account_id ORDER BY version) AS next_year
    FROM settlements_entry
) AS e
WHERE next_year <> benefit_year + (kind = 'rollover')::int
""",
    ),
    # The other way round: a run that goes on after the year has ended must not bring its current into the new one.
    Check(
        "I11",
        "what is credited to current is of the account's year",
        """
SELECT e.account_id, e.version, e.business_date, e.benefit_year, e.current_delta FROM settlements_entry e
JOIN settlements_personalaccount a ON a.id = e.account_id
JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = e.benefit_year
WHERE e.kind = 'credit' AND e.current_delta > 0 AND e.business_date < y.starts_on
""",
    ),
    # Once the new year has begun, an account is rolled before it moves; interest posted afterwards speaks of an old year.
    Check(
        "I11",
        "a movement lies in a year that has not ended",
        """
SELECT e.account_id, e.version, e.kind, e.business_date, e.benefit_year FROM settlements_entry e
JOIN settlements_personalaccount a ON a.id = e.account_id
JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = e.benefit_year + 1
WHERE e.kind NOT IN ('rollover', 'interest') AND e.business_date >= y.starts_on
""",
    ),
    # What came into current in a year is what the rollover took out of it: no bucket mixed up, whoever rolled.
    Check(
        "I11",
        "current of a closed year went out whole",
        """
SELECT account_id, benefit_year, sum(current_delta) AS left_over FROM settlements_entry
GROUP BY account_id, benefit_year
HAVING bool_or(kind = 'rollover') AND sum(current_delta) <> 0
""",
    ),
    Check(
        "I11",
        "chunks add up with their entries",
        """
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
""",
    ),
    Check(
        "I11",
        "a chunk that is done left nobody behind",
        """
SELECT r.id AS run, c.number AS chunk, a.id AS account_id
FROM settlements_rolloverchunk c JOIN settlements_rolloverrun r ON r.id = c.run_id
JOIN settlements_personalaccount a
    ON a.region_id = r.region_id AND a.benefit_year <= r.year AND a.id BETWEEN c.first_id AND c.last_id
WHERE c.done
""",
    ),
    # Interest once by its products and the run's rates, once as posted; only where the posting is meant to be complete. While
    # a correction of the rates is being posted, an account has the old interest or the right one.
    Check(
        "I11",
        "interest is rate times products",
        """
WITH posted AS (
    SELECT account_id, contra_id AS run_id, sum(historical_delta - debt_delta) AS interest FROM settlements_entry
    WHERE kind = 'interest' GROUP BY account_id, contra_id
), due AS (
    SELECT e.account_id, r.id AS run_id, r.state,
        round((e.current_products * r.current_rate + e.historical_products * r.historical_rate) / 36000, 2) AS interest,
        round((e.current_products * j.old_current_rate + e.historical_products * j.old_historical_rate) / 36000, 2)
            AS until_corrected
    FROM settlements_entry e
    JOIN settlements_personalaccount a ON a.id = e.account_id
    JOIN settlements_rolloverrun r ON r.region_id = a.region_id AND r.year = e.benefit_year
        AND r.state IN ('released', 'running', 'paused', 'reconciled', 'closed')
    LEFT JOIN settlements_rolloveradjustment j ON j.run_id = r.id AND j.state = 'running'
    WHERE e.kind = 'rollover'
)
SELECT coalesce(p.account_id, d.account_id) AS account_id, coalesce(p.run_id, d.run_id) AS run, p.interest AS posted,
    d.interest AS due
FROM posted p FULL JOIN due d ON d.account_id = p.account_id AND d.run_id = p.run_id
WHERE coalesce(p.interest, 0) NOT IN (coalesce(d.interest, 0), coalesce(d.until_corrected, d.interest, 0))
    AND (p.account_id IS NOT NULL OR d.state IN ('reconciled', 'closed'))
""",
    ),
    # The base of interest counted again from the entries: balance times days, from one movement of a year to the next. A
    # day counted already is not counted again; interest posted late counts from the first day of its year.
    Check(
        "I11",
        "products are balance times days",
        """
WITH moved AS (
    SELECT e.account_id, e.version, e.kind, e.benefit_year, e.historical_delta, e.current_products,
        e.historical_products, y.starts_on, least(e.business_date, next.starts_on) AS upto,
        lag(e.current_after, 1, 0::numeric) OVER chain AS current_before,
        lag(e.historical_after, 1, 0::numeric) OVER chain AS historical_before,
        CASE WHEN lag(e.version) OVER chain IS NULL THEN a.opened_on
            WHEN lag(e.kind) OVER chain = 'rollover' THEN lag(e.business_date) OVER chain END AS begins
    FROM settlements_entry e JOIN settlements_personalaccount a ON a.id = e.account_id
    JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = e.benefit_year
    JOIN accounts_benefityear next ON next.region_id = a.region_id AND next.year = e.benefit_year + 1
    WINDOW chain AS (PARTITION BY e.account_id ORDER BY e.version)
), reached AS (
    SELECT *, greatest(first_value(begins) OVER year, max(upto) OVER year) AS day
    FROM moved WINDOW year AS (PARTITION BY account_id, benefit_year ORDER BY version)
), passed AS (
    SELECT *, day - coalesce(lag(day) OVER (PARTITION BY account_id, benefit_year ORDER BY version), begins) AS days
    FROM reached
), counted AS (
    SELECT account_id, version, kind, day, current_products, historical_products,
        sum(current_before * days) OVER year AS of_current,
        sum(historical_before * days + CASE WHEN kind = 'interest' THEN historical_delta * (day - starts_on) ELSE 0 END)
            OVER year AS of_historical
    FROM passed WINDOW year AS (PARTITION BY account_id, benefit_year ORDER BY version)
)
SELECT account_id, version, current_products, of_current, historical_products, of_historical FROM counted
WHERE kind = 'rollover' AND (current_products, historical_products) IS DISTINCT FROM (of_current, of_historical)
UNION ALL
SELECT a.id, a.version, a.current_products, of_current, a.historical_products, of_historical
FROM settlements_personalaccount a JOIN counted c ON c.account_id = a.id AND c.version = a.version
WHERE a.products_on <> day OR (a.current_products, a.historical_products) IS DISTINCT FROM (
    CASE WHEN kind = 'rollover' THEN 0 ELSE of_current END, CASE WHEN kind = 'rollover' THEN 0 ELSE of_historical END)
""",
    ),
    Check("I12", "the shown balance is the rolled one", SHOWN_IS_ROLLED),
]
