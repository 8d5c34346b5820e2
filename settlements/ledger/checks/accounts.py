"""Accounts and their entries: no money is made or lost, no row is missing, each follows from the one before."""

from settlements.ledger.checks.check import Check

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
    # Sum of all accounts against the sum of all other sides. The other side of a row is minus its movement; it is summed by
    # contra, so the two sums share no column: rows there, deltas here.
    Check(
        "I1",
        "money is conserved: accounts = sum by contra",
        """
SELECT 'total' AS of, accounts, contras FROM (
    SELECT (SELECT coalesce(sum(current + historical - debt), 0) FROM settlements_personalaccount) AS accounts,
        (SELECT coalesce(sum(side), 0) FROM (
            SELECT contra, sum(current_delta + historical_delta - debt_delta) AS side
            FROM settlements_entry GROUP BY contra
        ) AS sides) AS contras
) AS both_ways WHERE accounts <> contras
""",
    ),
    Check(
        "I2",
        "every entry is balanced by its form",
        """
SELECT account_id, version, kind, contra FROM settlements_entry
WHERE (kind = 'rollover') <> (contra = '')
    OR kind = 'rollover' AND current_delta + historical_delta - debt_delta <> 0
""",
    ),
    # An entry of another kind than its cause, or with another side than its kind has, would put money into a sum by contra
    # that no contract or contribution stands behind.
    Check(
        "I2",
        "an entry's kind, cause and other side belong together",
        """
SELECT e.account_id, e.version, e.kind, e.contra, t.kind AS cause
FROM settlements_entry e JOIN settlements_ledgertransaction t ON t.id = e.transaction_id
LEFT JOIN settlements_ledgertransaction r ON r.id = t.reverses_id
WHERE t.kind <> e.kind AND (t.kind, e.kind) <> ('rollover', 'interest')
    OR e.contra <> CASE WHEN e.kind = 'reversal' AND r.kind = 'claim' THEN 'claim'
        WHEN e.kind IN ('care', 'reversal') THEN 'institution' WHEN e.kind = 'credit' THEN 'contribution'
        WHEN e.kind = 'rollover' THEN '' ELSE e.kind END
    OR e.kind = 'opening' AND e.version <> 1
""",
    ),
    Check(
        "I3",
        "an account's row is its last entry",
        """
SELECT a.id AS account_id, a.version, a.current, e.current_after, a.historical, e.historical_after, a.debt, e.debt_after
FROM settlements_personalaccount a LEFT JOIN settlements_entry e ON e.account_id = a.id AND e.version = a.version
WHERE (a.current, a.historical, a.debt)
    IS DISTINCT FROM (coalesce(e.current_after, 0), coalesce(e.historical_after, 0), coalesce(e.debt_after, 0))
    OR a.version > 0 AND e.version IS NULL
""",
    ),
    Check(
        "I4",
        "versions have no gap",
        """
SELECT a.id AS account_id, a.version, e.entries, e.last
FROM settlements_personalaccount a
FULL JOIN (SELECT account_id, count(*) AS entries, max(version) AS last FROM settlements_entry GROUP BY account_id) AS e
    ON e.account_id = a.id
WHERE (a.version, a.version) IS DISTINCT FROM (coalesce(e.entries, 0), coalesce(e.last, 0))
""",
    ),
    Check(
        "I5",
        "each balance follows from the one before",
        """
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
""",
    ),
    Check(
        "I6",
        "nothing is negative",
        """
SELECT 'account ' || id AS of FROM settlements_personalaccount WHERE least(current, historical, debt) < 0
UNION ALL SELECT 'entry ' || account_id || ':' || version FROM settlements_entry
WHERE least(current_after, historical_after, debt_after) < 0
UNION ALL SELECT 'usage ' || member_id || ' ' || benefit_year || ' ' || counter FROM settlements_usage WHERE amount < 0
""",
    ),
    Check(
        "I7",
        "every key has its answer",
        "SELECT id AS transaction, scope, key FROM settlements_ledgertransaction WHERE answer IS NULL",
    ),
    Check("I8", "every key names a row", EVERY_KEY_NAMES_A_ROW),
]
