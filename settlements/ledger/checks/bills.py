"""Bills: settled once, paid by the patient and his family, reversed whole, and what they fill of the counters."""

from settlements.ledger.checks.check import Check

CHECKS = [
    Check(
        "I8",
        "one settlement for each settled key",
        """
SELECT t.id AS transaction, t.kind, t.refused, s.id AS settlement
FROM settlements_ledgertransaction t FULL JOIN settlements_settlement s ON s.transaction_id = t.id
WHERE (t.kind IN ('care', 'claim') AND t.refused = '') <> (s.id IS NOT NULL)
    OR (t.answer ->> 'settlement')::bigint <> s.id
""",
    ),
    Check(
        "I8",
        "a refusal moved nothing",
        """
SELECT t.id AS transaction, t.refused FROM settlements_ledgertransaction t
WHERE t.refused <> '' AND (
    EXISTS (SELECT 1 FROM settlements_entry e WHERE e.transaction_id = t.id)
    OR EXISTS (SELECT 1 FROM settlements_walletentry e WHERE e.transaction_id = t.id)
)
""",
    ),
    # What the accounts paid by the entries against what the bill and its legs say.
    Check(
        "I8",
        "the legs of a bill are its entries",
        """
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
""",
    ),
    # Own legs and relatives' legs apart: what a relative paid must not stand as the patient's own, nor come from current.
    Check(
        "I8",
        "a bill adds up with its legs",
        """
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
""",
    ),
    # No leg from an account that is neither the patient's nor that of somebody who shared with him.
    Check(
        "I8",
        "a bill is paid by the patient and those who share with him",
        """
SELECT p.settlement_id AS settlement, p.position, p.account_id
FROM settlements_settlementpayer p
JOIN settlements_settlement s ON s.id = p.settlement_id
JOIN settlements_personalaccount a ON a.id = p.account_id
LEFT JOIN family_sharinggrant g ON g.id = p.grant_id
WHERE a.member_id <> p.member_id
    OR (p.member_id, s.patient_id) IS DISTINCT FROM (
        CASE WHEN p.grant_id IS NULL THEN s.patient_id ELSE g.grantor_id END, coalesce(g.beneficiary_id, s.patient_id))
""",
    ),
    # The sum by contra is what an institution is owed: a movement for another one than the bill's would pay the wrong one.
    Check(
        "I8",
        "money for care goes to the institution of the bill",
        """
SELECT e.account_id, e.version, e.contra_id AS institution, s.institution_id AS of_bill
FROM settlements_entry e
JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
LEFT JOIN settlements_settlement s ON s.transaction_id = coalesce(t.reverses_id, t.id)
WHERE e.kind IN ('care', 'claim', 'reversal') AND e.contra_id IS DISTINCT FROM s.institution_id
""",
    ),
    # A reversal gives back what was paid, account by account; the bucket may be another one after a rollover.
    Check(
        "I10",
        "reversed once, and whole",
        """
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
""",
    ),
    # What was counted for bills that stand is what the counters hold; what a member brought along stands under "opening:".
    Check(
        "I12",
        "counters are what standing bills counted",
        """
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
""",
    ),
]
