"""Wallets: what left accounts for them, their rows, the bills that they pay, and transfers."""

from settlements.ledger.checks.check import Check

CHECKS = [
    # What left accounts for wallets and has not come back is on its way or in a wallet, or a wallet has paid care or a
    # premium with it, or heirs have it:
    # accounts by their entries, what is on its way by the transfers, wallets by their rows.
    Check(
        "I1",
        "money for wallets is on its way, in wallets or spent",
        """
SELECT 'total' AS of, left_accounts, on_its_way, in_wallets, paid FROM (
    SELECT (SELECT coalesce(sum(-(current_delta + historical_delta - debt_delta)), 0) FROM settlements_entry
            WHERE contra = 'wallet') AS left_accounts,
        (SELECT coalesce(sum(amount), 0) FROM settlements_wallettransfer WHERE state = 'pending') AS on_its_way,
        (SELECT coalesce(sum(balance), 0) FROM settlements_wallet) AS in_wallets,
        (SELECT coalesce(sum(-delta), 0) FROM settlements_walletentry
            WHERE kind IN ('care', 'reversal', 'premium', 'inherited')) AS paid
) AS both_ways WHERE left_accounts <> on_its_way + in_wallets + paid
""",
    ),
    Check(
        "I3",
        "a wallet's row is its last entry",
        """
SELECT w.id AS wallet, w.version, w.balance, e.after, counted.entries, counted.amount
FROM settlements_wallet w
LEFT JOIN settlements_walletentry e ON e.wallet_id = w.id AND e.version = w.version
LEFT JOIN (
    SELECT wallet_id, count(*) AS entries, sum(delta) AS amount FROM settlements_walletentry GROUP BY wallet_id
) AS counted ON counted.wallet_id = w.id
WHERE (w.balance, w.version) IS DISTINCT FROM (coalesce(e.after, 0), coalesce(counted.entries, 0))
    OR w.balance <> coalesce(counted.amount, 0)
""",
    ),
    Check(
        "I5",
        "each wallet balance follows from the one before",
        """
SELECT wallet_id AS wallet, version FROM (
    SELECT wallet_id, version, delta, after, lag(after, 1, 0::numeric) OVER (PARTITION BY wallet_id ORDER BY version) AS b
    FROM settlements_walletentry
) AS e WHERE after <> b + delta
""",
    ),
    # What bills say that wallets paid, and reversals that they gave back, against the wallets' movements: in the same
    # transaction, for the same amount, at the patient's own wallet. A claim takes nothing out of one.
    Check(
        "I8",
        "what wallets paid of bills is their movements",
        """
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
""",
    ),
    # Each leg of a transfer was booked once, in its own transaction, for its whole amount, at the purse it names.
    Check(
        "I10",
        "transfers are what was booked",
        """
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
    WHERE kind NOT IN ('care', 'reversal', 'premium', 'inherited')
)
SELECT transfer, transaction_id AS transaction, of_account, purse, legs.amount, booked.amount AS booked
FROM legs FULL JOIN booked USING (transfer, transaction_id, of_account, purse)
WHERE legs.amount IS DISTINCT FROM booked.amount OR NOT whole
""",
    ),
    # Twice from one account, or beyond the day's number, is a rule of the wallet; the moment of the return is one too.
    Check(
        "I10",
        "transfers keep their rules",
        """
SELECT id AS transfer, 'returns at six of the next day' AS rule FROM settlements_wallettransfer
WHERE expires_at <> ((sent_at AT TIME ZONE 'Asia/Shanghai')::date + 1 + time '06:00') AT TIME ZONE 'Asia/Shanghai'
    OR state = 'accepted' AND ended_at >= expires_at OR state = 'returned' AND ended_at <> expires_at
UNION ALL
SELECT min(id), 'three a day' FROM settlements_wallettransfer
GROUP BY wallet_id, (sent_at AT TIME ZONE 'Asia/Shanghai')::date HAVING count(*) > 3
""",
    ),
]
