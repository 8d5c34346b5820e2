"""What else moves an account, against its entries: a credit, a clearing, a withdrawal, a premium."""

from settlements.ledger.checks.check import Check

CHECKS = [
    # A period is credited once by the key of its row: so every movement of that kind has one, of the same amount.
    Check(
        "I10",
        "credits are what was booked",
        """
WITH booked AS (
    SELECT account_id, transaction_id, sum(current_delta + historical_delta - debt_delta) AS amount
    FROM settlements_entry WHERE kind = 'credit' GROUP BY account_id, transaction_id
), credited AS (
    SELECT account_id, transaction_id, sum(amount) AS amount FROM settlements_credit GROUP BY account_id, transaction_id
)
SELECT account_id, transaction_id AS transaction, credited.amount AS credited, booked.amount AS booked
FROM booked FULL JOIN credited USING (account_id, transaction_id)
WHERE booked.amount IS DISTINCT FROM credited.amount
""",
    ),
    # What was to go back, or came out as the difference of a cleared year, is what the movement says, debt and all.
    Check(
        "I10",
        "what was cleared and went back is what was booked",
        """
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
""",
    ),
    # What left closed accounts and wallets of the dead for good is what payees outside got; what stayed inside is an
    # entry of the same amount.
    Check(
        "I10",
        "what was withdrawn is what was paid out",
        """
WITH left_for_good AS (
    SELECT transaction_id, sum(amount) AS amount FROM (
        SELECT transaction_id, debt_delta - current_delta - historical_delta AS amount
        FROM settlements_entry WHERE kind = 'withdrawal'
        UNION ALL SELECT transaction_id, -delta FROM settlements_walletentry WHERE kind = 'inherited'
    ) AS both_purses GROUP BY transaction_id
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
""",
    ),
    # A closed account holds nothing; what came in later waits marked, and goes on to the payees.
    Check(
        "I10",
        "a closed account is empty",
        """
SELECT id AS account_id, status, current, historical FROM settlements_personalaccount
WHERE status = 'closed' AND (current <> 0 OR historical <> 0)
    OR status = 'late' AND NOT EXISTS (
        SELECT 1 FROM settlements_withdrawalapplication w JOIN casework_case c ON c.id = w.case_id
        WHERE w.account_id = settlements_personalaccount.id AND c.state = 'granted'
    )
""",
    ),
    # Who left has not taken with him what his region had credited ahead: of a year's credit something went back, or the
    # year was cleared. Whoever leaves in the last months of it may have had nothing to give back.
    Check(
        "I10",
        "what was credited ahead was not paid out with the account",
        """
SELECT a.id AS account_id, c.period, c.amount, w.since FROM settlements_personalaccount a
CROSS JOIN LATERAL (
    SELECT w.since FROM settlements_withdrawalapplication w JOIN casework_case k ON k.id = w.case_id
    WHERE w.account_id = a.id AND k.state = 'granted' ORDER BY w.id DESC LIMIT 1
) AS w
JOIN settlements_credit c ON c.account_id = a.id AND c.period ~ '^[0-9]{4}([.][0-9]+)?$' AND c.amount >= 1
JOIN accounts_benefityear y ON y.region_id = a.region_id AND y.year = left(c.period, 4)::int + 1
WHERE a.status <> 'open' AND w.since < y.starts_on - interval '2 months'
    AND NOT EXISTS (SELECT FROM settlements_clawback b WHERE b.account_id = a.id AND b.period = c.period)
    AND NOT EXISTS (SELECT FROM settlements_clearing l WHERE l.account_id = a.id AND l.year = y.year - 1)
""",
    ),
    # A premium stands with what its transaction took, account and bucket, or wallet; refunded ones were given back whole,
    # once.
    Check(
        "I10",
        "premiums are what was booked, refunds whole",
        """
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
""",
    ),
]
