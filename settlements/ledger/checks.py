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
# An entry of another kind than its cause, or with another side than its kind has, would put money into a sum by contra
# that no contract or contribution stands behind.
KIND_FITS = """
SELECT e.account_id, e.version, e.kind, e.contra, t.kind AS cause
FROM settlements_entry e JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
LEFT JOIN settlements_ledgertransaction r ON r.id = t.reverses_id
WHERE t.kind <> e.kind AND (t.kind, e.kind) <> ('rollover', 'interest')
    OR e.contra <> CASE WHEN e.kind = 'reversal' AND r.kind = 'claim' THEN 'claim'
        WHEN e.kind IN ('care', 'reversal') THEN 'institution' WHEN e.kind = 'credit' THEN 'contribution'
        WHEN e.kind = 'rollover' THEN '' ELSE e.kind END
    OR e.kind = 'opening' AND e.version <> 1
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
WHERE (t.kind IN ('care', 'claim') AND t.refused = '') <> (s.id IS NOT NULL)
    OR (t.answer ->> 'settlement')::bigint <> s.id
"""
REFUSED_MOVED_NOTHING = """
SELECT t.id AS transaction, t.refused FROM settlements_ledgertransaction t
WHERE t.refused <> '' AND (
    EXISTS (SELECT 1 FROM settlements_entry e WHERE e.transaction_id = t.id)
    OR EXISTS (SELECT 1 FROM settlements_walletentry e WHERE e.transaction_id = t.id)
)
"""
# What the accounts paid by the entries against what the bill and its legs say.
LEGS_ARE_ENTRIES = """
WITH paid AS (
    SELECT e.transaction_id, e.account_id, sum(-e.current_delta) AS current, sum(-e.historical_delta) AS historical
    FROM settlements_entry e WHERE e.kind IN ('care', 'claim') GROUP BY e.transaction_id, e.account_id
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
# Own legs and relatives' legs apart: what a relative paid must not stand as the patient's own, nor come from current.
BILL_IS_ITS_LEGS = """
SELECT s.id AS settlement, s.own_current, p.own_current AS leg_current, s.own_historical,
    p.own_historical AS leg_historical, s.shared, p.shared AS leg_shared
FROM settlements_settlement s
LEFT JOIN (
    SELECT settlement_id, sum(current) FILTER (WHERE grant_id IS NULL) AS own_current,
        sum(historical) FILTER (WHERE grant_id IS NULL) AS own_historical,
        sum(historical) FILTER (WHERE grant_id IS NOT NULL) AS shared,
        sum(current) FILTER (WHERE grant_id IS NOT NULL) AS shared_current
    FROM settlements_settlementpayer GROUP BY settlement_id
) AS p ON p.settlement_id = s.id
WHERE (s.own_current, s.own_historical, s.shared, 0) IS DISTINCT FROM (
    coalesce(p.own_current, 0), coalesce(p.own_historical, 0), coalesce(p.shared, 0), coalesce(p.shared_current, 0))
"""
# No leg from an account that is neither the patient's nor that of somebody who shared with him.
LEGS_OF_THE_FAMILY = """
SELECT p.settlement_id AS settlement, p.position, p.account_id
FROM settlements_settlementpayer p
JOIN settlements_settlement s ON s.id = p.settlement_id
JOIN settlements_personalaccount a ON a.id = p.account_id
LEFT JOIN family_sharinggrant g ON g.id = p.grant_id
WHERE a.member_id <> p.member_id
    OR (p.member_id, s.patient_id) IS DISTINCT FROM (
        CASE WHEN p.grant_id IS NULL THEN s.patient_id ELSE g.grantor_id END, coalesce(g.beneficiary_id, s.patient_id))
"""
# The sum by contra is what an institution is owed: a movement for another one than the bill's would pay the wrong one.
INSTITUTION_OF_THE_BILL = """
SELECT e.account_id, e.version, e.contra_id AS institution, s.institution_id AS of_bill
FROM settlements_entry e
JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
LEFT JOIN settlements_settlement s ON s.transaction_id = coalesce(t.reverses_id, t.id)
WHERE e.kind IN ('care', 'claim', 'reversal') AND e.contra_id IS DISTINCT FROM s.institution_id
"""
# A reversal gives back what was paid, account by account; the bucket may be another one after a rollover.
REVERSED_ONCE_AND_WHOLE = """
WITH moved AS (
    SELECT e.transaction_id, e.account_id, sum(e.current_delta + e.historical_delta - e.debt_delta) AS amount
    FROM settlements_entry e WHERE e.kind IN ('care', 'claim', 'reversal') GROUP BY e.transaction_id, e.account_id
), paid AS (
    SELECT s.id AS settlement, s.transaction_id, s.reversed_on, m.account_id, m.amount
    FROM settlements_settlement s JOIN moved m ON m.transaction_id = s.transaction_id
), undone AS (
    SELECT r.reverses_id, m.account_id, sum(m.amount) AS amount, count(DISTINCT r.id) AS times
    FROM settlements_ledgertransaction r JOIN moved m ON m.transaction_id = r.id
    WHERE r.reverses_id IS NOT NULL GROUP BY r.reverses_id, m.account_id
)
SELECT p.settlement, coalesce(p.account_id, u.account_id) AS account_id, p.amount AS paid, u.amount AS given_back
FROM paid p FULL JOIN undone u ON u.reverses_id = p.transaction_id AND u.account_id = p.account_id
WHERE CASE WHEN p.reversed_on IS NULL THEN u.amount IS NOT NULL
    ELSE u.amount IS DISTINCT FROM -p.amount OR u.times > 1 END
UNION ALL
SELECT s.id, NULL, NULL, NULL FROM settlements_settlement s
LEFT JOIN settlements_ledgertransaction r ON r.reverses_id = s.transaction_id
WHERE (s.reversed_on IS NULL) <> (r.id IS NULL)
UNION ALL
SELECT NULL, e.account_id, NULL, e.current_delta + e.historical_delta FROM settlements_entry e
JOIN settlements_ledgertransaction r ON r.id = e.transaction_id WHERE e.kind = 'reversal' AND r.reverses_id IS NULL
"""
# A period is credited once by the key of its row: so every movement of that kind has one, of the same amount.
CREDITS_ARE_ENTRIES = """
WITH booked AS (
    SELECT account_id, transaction_id, sum(current_delta + historical_delta - debt_delta) AS amount
    FROM settlements_entry WHERE kind = 'credit' GROUP BY account_id, transaction_id
), credited AS (
    SELECT account_id, transaction_id, sum(amount) AS amount FROM settlements_credit GROUP BY account_id, transaction_id
)
SELECT account_id, transaction_id AS transaction, credited.amount AS credited, booked.amount AS booked
FROM booked FULL JOIN credited USING (account_id, transaction_id)
WHERE booked.amount IS DISTINCT FROM credited.amount
"""
# What left closed accounts for good is what payees outside got; what stayed inside is an entry of the same amount.
WITHDRAWN_IS_PAID_OUT = """
WITH left_for_good AS (
    SELECT transaction_id, sum(debt_delta - current_delta - historical_delta) AS amount
    FROM settlements_entry WHERE kind = 'withdrawal' GROUP BY transaction_id
), paid AS (
    SELECT transaction_id, coalesce(sum(amount) FILTER (WHERE to_account_id IS NULL), 0) AS amount
    FROM settlements_payout GROUP BY transaction_id
)
SELECT transaction_id AS transaction, NULL::bigint AS account_id, l.amount AS withdrawn, p.amount AS paid
FROM left_for_good l FULL JOIN paid p USING (transaction_id)
WHERE coalesce(l.amount, 0) <> coalesce(p.amount, 0)
UNION ALL
SELECT p.transaction_id, p.to_account_id, e.amount, sum(p.amount)
FROM settlements_payout p LEFT JOIN (
    SELECT transaction_id, account_id, sum(current_delta + historical_delta - debt_delta) AS amount
    FROM settlements_entry WHERE kind = 'withdrawal' GROUP BY transaction_id, account_id
) AS e ON e.transaction_id = p.transaction_id AND e.account_id = p.to_account_id
WHERE p.to_account_id IS NOT NULL
GROUP BY p.transaction_id, p.to_account_id, e.amount HAVING sum(p.amount) IS DISTINCT FROM e.amount
"""
# A closed account holds nothing; what came in later waits marked, and goes on to the payees.
CLOSED_IS_EMPTY = """
SELECT id AS account_id, status, current, historical FROM settlements_personalaccount
WHERE status = 'closed' AND (current <> 0 OR historical <> 0)
    OR status = 'late' AND NOT EXISTS (
        SELECT 1 FROM settlements_withdrawalapplication w JOIN casework_case c ON c.id = w.case_id
        WHERE w.account_id = settlements_personalaccount.id AND c.state = 'granted'
    )
"""
# What was to go back, or came out as the difference of a cleared year, is what the movement says, debt and all.
CLEARINGS_ARE_ENTRIES = """
WITH booked AS (
    SELECT account_id, transaction_id, sum(current_delta + historical_delta - debt_delta) AS amount
    FROM settlements_entry WHERE kind = 'clearing' GROUP BY account_id, transaction_id
), said AS (
    SELECT account_id, transaction_id, sum(amount) AS amount FROM (
        SELECT account_id, transaction_id, -amount AS amount FROM settlements_clawback
        UNION ALL SELECT account_id, transaction_id, amount FROM settlements_clearing
    ) AS both_kinds GROUP BY account_id, transaction_id
)
SELECT account_id, transaction_id AS transaction, said.amount AS said, booked.amount AS booked
FROM booked FULL JOIN said USING (account_id, transaction_id)
-- A clearing that came to nothing may have no entry.
WHERE booked.amount IS DISTINCT FROM said.amount AND NOT (booked.amount IS NULL AND said.amount = 0)
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
# Interest once by its products and the run's rates, once as posted; only where the posting is meant to be complete. While
# a correction of the rates is being posted, an account has the old interest or the right one.
INTEREST_IS_RATE_TIMES_PRODUCTS = """
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
"""
# The base of interest counted again from the entries: balance times days, from one movement of a year to the next. A
# day counted already is not counted again; interest posted late counts from the first day of its year.
PRODUCTS_ARE_BALANCE_TIMES_DAYS = """
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
# A premium stands with what its transaction took, account and bucket, or wallet; refunded ones were given back whole,
# once.
PREMIUMS_ARE_ENTRIES = """
WITH moved AS (
    SELECT coalesce(t.reverses_id, t.id) AS transaction_id, 'account ' || e.account_id AS purse, e.contra_id,
        t.reverses_id IS NULL AS paying, sum(-e.current_delta) AS current, sum(-e.historical_delta) AS historical
    FROM settlements_entry e JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
    WHERE e.kind = 'premium' GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT coalesce(t.reverses_id, t.id), 'wallet ' || e.wallet_id, NULL, t.reverses_id IS NULL, 0, sum(-e.delta)
    FROM settlements_walletentry e JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
    WHERE e.kind = 'premium' GROUP BY 1, 2, 4
), bought AS (
    SELECT id, transaction_id, account_id, coalesce('account ' || account_id, 'wallet ' || wallet_id) AS purse,
        current, CASE WHEN account_id IS NULL THEN amount ELSE historical END AS historical, amount, refunded_on
    FROM settlements_premiumpayment
), owed AS (
    SELECT id, transaction_id, account_id, purse, true AS paying, current, historical FROM bought
    UNION ALL
    SELECT id, transaction_id, account_id, purse, false, 0, -amount FROM bought WHERE refunded_on IS NOT NULL
)
SELECT o.id AS payment, m.contra_id, paying, transaction_id AS transaction, purse, m.current, m.historical
FROM moved m FULL JOIN owed o USING (transaction_id, purse, paying)
WHERE (o.id IS NULL OR m.paying IS NULL) OR o.account_id IS NOT NULL AND o.id IS DISTINCT FROM m.contra_id
    OR CASE WHEN paying THEN (m.current, m.historical) IS DISTINCT FROM (o.current, o.historical)
    ELSE m.current + m.historical IS DISTINCT FROM o.historical END
"""
# What left accounts for wallets and has not come back is on its way or in a wallet, or a wallet has paid care or a
# premium with it:
# accounts by their entries, what is on its way by the transfers, wallets by their rows.
WALLET_MONEY_CONSERVED = """
SELECT 'total' AS of, left_accounts, on_its_way, in_wallets, paid FROM (
    SELECT (SELECT coalesce(sum(-(current_delta + historical_delta - debt_delta)), 0) FROM settlements_entry
            WHERE contra = 'wallet') AS left_accounts,
        (SELECT coalesce(sum(amount), 0) FROM settlements_wallettransfer WHERE state = 'pending') AS on_its_way,
        (SELECT coalesce(sum(balance), 0) FROM settlements_wallet) AS in_wallets,
        (SELECT coalesce(sum(-delta), 0) FROM settlements_walletentry
            WHERE kind IN ('care', 'reversal', 'premium')) AS paid
) AS both_ways WHERE left_accounts <> on_its_way + in_wallets + paid
"""
WALLET_ROW_IS_LAST_ENTRY = """
SELECT w.id AS wallet, w.version, w.balance, e.after, counted.entries, counted.amount
FROM settlements_wallet w
LEFT JOIN settlements_walletentry e ON e.wallet_id = w.id AND e.version = w.version
LEFT JOIN (
    SELECT wallet_id, count(*) AS entries, sum(delta) AS amount FROM settlements_walletentry GROUP BY wallet_id
) AS counted ON counted.wallet_id = w.id
WHERE (w.balance, w.version) IS DISTINCT FROM (coalesce(e.after, 0), coalesce(counted.entries, 0))
    OR w.balance <> coalesce(counted.amount, 0)
"""
WALLET_AFTER_FOLLOWS_BEFORE = """
SELECT wallet_id AS wallet, version FROM (
    SELECT wallet_id, version, delta, after, lag(after, 1, 0::numeric) OVER (PARTITION BY wallet_id ORDER BY version) AS b
    FROM settlements_walletentry
) AS e WHERE after <> b + delta
"""
# What bills say that wallets paid, and reversals that they gave back, against the wallets' movements: in the same
# transaction, for the same amount, at the patient's own wallet. A claim takes nothing out of one.
WALLETS_PAY_BILLS = """
WITH said AS (
    SELECT s.transaction_id, s.patient_id AS member_id, t.kind, -s.wallet AS amount
    FROM settlements_settlement s JOIN settlements_ledgertransaction t ON t.id = s.transaction_id WHERE s.wallet <> 0
    UNION ALL
    SELECT r.id, s.patient_id, r.kind, s.wallet
    FROM settlements_settlement s JOIN settlements_ledgertransaction r ON r.reverses_id = s.transaction_id
    WHERE s.wallet <> 0
), booked AS (
    SELECT e.transaction_id, w.member_id, e.kind, sum(e.delta) AS amount
    FROM settlements_walletentry e JOIN settlements_wallet w ON w.id = e.wallet_id
    WHERE e.kind IN ('care', 'reversal') GROUP BY e.transaction_id, w.member_id, e.kind
)
SELECT transaction_id AS transaction, member_id AS member, kind, said.amount AS said, booked.amount AS booked
FROM said FULL JOIN booked USING (transaction_id, member_id, kind)
WHERE said.amount IS DISTINCT FROM booked.amount
"""
# Each leg of a transfer was booked once, in its own transaction, for its whole amount, at the purse it names.
TRANSFERS_ARE_ENTRIES = """
WITH legs AS (
    SELECT id AS transfer, sending_id AS transaction_id, source = 'account' AS of_account,
        CASE WHEN source = 'account' THEN account_id ELSE wallet_id END AS purse, -amount AS amount
    FROM settlements_wallettransfer
    UNION ALL
    SELECT id, ending_id, source = 'account', CASE WHEN source = 'account' THEN account_id ELSE wallet_id END, amount
    FROM settlements_wallettransfer WHERE state = 'returned'
    UNION ALL
    SELECT t.id, t.ending_id, false, w.id, t.amount
    FROM settlements_wallettransfer t LEFT JOIN settlements_wallet w ON w.member_id = t.receiver_id
    WHERE t.state = 'accepted'
), booked AS (
    SELECT contra_id AS transfer, transaction_id, true AS of_account, account_id AS purse,
        historical_delta AS amount, current_delta = 0 AND debt_delta = 0 AS whole
    FROM settlements_entry WHERE contra = 'wallet'
    UNION ALL
    SELECT transfer_id, transaction_id, false, wallet_id, delta, true FROM settlements_walletentry
    WHERE kind NOT IN ('care', 'reversal', 'premium')
)
SELECT transfer, transaction_id AS transaction, of_account, purse, legs.amount, booked.amount AS booked
FROM legs FULL JOIN booked USING (transfer, transaction_id, of_account, purse)
WHERE legs.amount IS DISTINCT FROM booked.amount OR NOT whole
"""
# Twice from one account, or beyond the day's number, is a rule of the wallet; the moment of the return is one too.
TRANSFERS_KEEP_THEIR_RULES = """
SELECT id AS transfer, 'returns at six of the next day' AS rule FROM settlements_wallettransfer
WHERE expires_at <> ((sent_at AT TIME ZONE 'Asia/Shanghai')::date + 1 + time '06:00') AT TIME ZONE 'Asia/Shanghai'
    OR state = 'accepted' AND ended_at >= expires_at OR state = 'returned' AND ended_at <> expires_at
UNION ALL
SELECT min(id), 'three a day' FROM settlements_wallettransfer
GROUP BY wallet_id, (sent_at AT TIME ZONE 'Asia/Shanghai')::date HAVING count(*) > 3
"""
# Keys that the database holds no constraint for, because what they name can never be deleted (decision 0028).
EVERY_KEY_NAMES_A_ROW = "UNION ALL".join(
    f"""
SELECT '{table}.{key}' AS key, t.{key}::text AS value FROM settlements_{table} t
WHERE t.{key} IS NOT NULL AND NOT EXISTS (SELECT FROM {named} n WHERE n.id = t.{key})
"""
    for table, key, named in [
        ("entry", "account_id", "settlements_personalaccount"),
        ("entry", "transaction_id", "settlements_ledgertransaction"),
        ("settlement", "transaction_id", "settlements_ledgertransaction"),
        ("settlement", "patient_id", "accounts_member"),
        ("settlementpayer", "settlement_id", "settlements_settlement"),
        ("settlementpayer", "account_id", "settlements_personalaccount"),
        ("settlementpayer", "member_id", "accounts_member"),
        ("settlementpayer", "grant_id", "family_sharinggrant"),
        ("usage", "member_id", "accounts_member"),
    ]
)

CHECKS = [
    Check("I1", "money is conserved: accounts = sum by contra", MONEY_CONSERVED),
    Check("I2", "every entry is balanced by its form", BALANCED_BY_FORM),
    Check("I2", "an entry's kind, cause and other side belong together", KIND_FITS),
    Check("I3", "an account's row is its last entry", ROW_IS_LAST_ENTRY),
    Check("I4", "versions have no gap", NO_GAP_IN_VERSIONS),
    Check("I5", "each balance follows from the one before", AFTER_FOLLOWS_BEFORE),
    Check("I6", "nothing is negative", NEVER_NEGATIVE),
    Check("I7", "every key has its answer", KEY_WITHOUT_ANSWER),
    Check("I8", "every key names a row", EVERY_KEY_NAMES_A_ROW),
    Check("I8", "one settlement for each settled key", ONE_SETTLEMENT_A_KEY),
    Check("I8", "a refusal moved nothing", REFUSED_MOVED_NOTHING),
    Check("I8", "the legs of a bill are its entries", LEGS_ARE_ENTRIES),
    Check("I8", "a bill adds up with its legs", BILL_IS_ITS_LEGS),
    Check("I8", "a bill is paid by the patient and those who share with him", LEGS_OF_THE_FAMILY),
    Check("I8", "money for care goes to the institution of the bill", INSTITUTION_OF_THE_BILL),
    Check("I10", "reversed once, and whole", REVERSED_ONCE_AND_WHOLE),
    Check("I10", "credits are what was booked", CREDITS_ARE_ENTRIES),
    Check("I10", "what was cleared and went back is what was booked", CLEARINGS_ARE_ENTRIES),
    Check("I10", "what was withdrawn is what was paid out", WITHDRAWN_IS_PAID_OUT),
    Check("I10", "a closed account is empty", CLOSED_IS_EMPTY),
    Check("I10", "premiums are what was booked, refunds whole", PREMIUMS_ARE_ENTRIES),
    Check("I1", "money for wallets is on its way, in wallets or spent", WALLET_MONEY_CONSERVED),
    Check("I3", "a wallet's row is its last entry", WALLET_ROW_IS_LAST_ENTRY),
    Check("I5", "each wallet balance follows from the one before", WALLET_AFTER_FOLLOWS_BEFORE),
    Check("I8", "what wallets paid of bills is their movements", WALLETS_PAY_BILLS),
    Check("I10", "transfers are what was booked", TRANSFERS_ARE_ENTRIES),
    Check("I10", "transfers keep their rules", TRANSFERS_KEEP_THEIR_RULES),
    Check("I10", "a year of an account is closed once", YEAR_ROLLED_ONCE),
    Check("I10", "every year passed was closed", EVERY_YEAR_ROLLED),
    Check("I10", "entries lie in the order of their years", YEARS_IN_ORDER),
    Check("I11", "a movement lies in a year that has not ended", MOVED_IN_ITS_YEAR),
    Check("I11", "current of a closed year went out whole", CURRENT_OF_A_CLOSED_YEAR),
    Check("I11", "chunks add up with their entries", CONTROL_TOTALS),
    Check("I11", "a chunk that is done left nobody behind", DONE_LEFT_NOBODY),
    Check("I11", "interest is rate times products", INTEREST_IS_RATE_TIMES_PRODUCTS),
    Check("I11", "products are balance times days", PRODUCTS_ARE_BALANCE_TIMES_DAYS),
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
