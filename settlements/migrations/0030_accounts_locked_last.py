from importlib import import_module

from django.db import migrations

# A bill holds the accounts that pay it only while it is written (decision 0039). What was locked before it was decided is
# read then, and locked by the statement that writes, if it still is as what was decided needs it.
functions_0016 = import_module("settlements.migrations.0016_bill_functions")
functions_0023 = import_module("settlements.migrations.0023_bill_in_two")
functions_0027 = import_module("settlements.migrations.0027_wallet_pays_bills")

# The patient's counters are locked in any case; the accounts if the caller decides under their locks.
OPEN = """
CREATE FUNCTION ledger_open(
    in_member bigint, in_years integer[], in_accounts bigint[], in_on date, in_moment timestamptz,
    in_lock boolean DEFAULT true
) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    counted integer;
    wanted bigint;
    account settlements_personalaccount;
    accounts json[] := '{}';
    counters json;
BEGIN
    FOREACH counted IN ARRAY in_years LOOP
        PERFORM 1 FROM settlements_usage
        WHERE member_id = in_member AND benefit_year = counted AND counter = 'fund' FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            INSERT INTO settlements_usage (member_id, benefit_year, counter, amount)
            VALUES (in_member, counted, 'fund', 0) ON CONFLICT DO NOTHING;
            PERFORM 1 FROM settlements_usage
            WHERE member_id = in_member AND benefit_year = counted AND counter = 'fund' FOR NO KEY UPDATE;
        END IF;
    END LOOP;
    FOREACH wanted IN ARRAY in_accounts LOOP
        IF in_lock THEN
            -- On the account table alone: an order after a join is no lock order.
            SELECT * INTO STRICT account FROM settlements_personalaccount WHERE id = wanted FOR NO KEY UPDATE;
        ELSE
            SELECT * INTO STRICT account FROM settlements_personalaccount WHERE id = wanted;
        END IF;
        accounts := accounts || json_build_array(
            account.id, account.benefit_year, account.version, account.current, account.historical, account.debt,
            account.current_products, account.historical_products, account.products_on,
            account.benefit_year < (
                SELECT max(year) FROM accounts_benefityear WHERE region_id = account.region_id AND starts_on <= in_on
            ),
            EXISTS (SELECT 1 FROM settlements_wallettransfer t WHERE t.account_id = wanted AND t.state = 'pending' AND t.expires_at <= in_moment)
        );
    END LOOP;
    SELECT json_agg(json_build_array(benefit_year, counter, amount)) INTO counters
    FROM settlements_usage WHERE member_id = in_member AND benefit_year = ANY (in_years);
    RETURN json_build_object('accounts', to_json(accounts), 'counters', counters);
END $$;
"""
WALLET_OPEN = """
CREATE FUNCTION wallet_open(in_wallet bigint, in_moment timestamptz, in_lock boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    purse settlements_wallet;
BEGIN
    IF in_lock THEN
        SELECT * INTO STRICT purse FROM settlements_wallet WHERE id = in_wallet FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO STRICT purse FROM settlements_wallet WHERE id = in_wallet;
    END IF;
    RETURN json_build_array(purse.id, purse.version, purse.balance, EXISTS (
        SELECT 1 FROM settlements_wallettransfer t
        WHERE t.wallet_id = in_wallet AND t.source = 'wallet' AND t.state = 'pending' AND t.expires_at <= in_moment
    ));
END $$;
"""
WALLET_MOVE = """
CREATE OR REPLACE FUNCTION wallet_move(
    in_wallet bigint, in_version bigint, in_transaction bigint, in_kind text, in_on date, in_delta numeric,
    in_transfer bigint
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    held numeric;
BEGIN
    UPDATE settlements_wallet SET balance = balance + in_delta, version = version + 1
    WHERE id = in_wallet AND version = in_version RETURNING balance INTO held;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'wallet % is not as it was', in_wallet USING ERRCODE = 'MOVED';
    END IF;
    INSERT INTO settlements_walletentry
        (wallet_id, version, transaction_id, kind, business_date, delta, after, transfer_id)
    VALUES (in_wallet, in_version + 1, in_transaction, in_kind, in_on, in_delta, held, in_transfer);
END $$;
"""
BEGIN = """
CREATE FUNCTION care_begin(
    in_kind text, in_on date, in_at timestamptz, in_region text, in_scope text, in_key text, in_hash text, in_by bigint,
    in_member bigint, in_care text, in_service_on date, in_own boolean, in_family boolean,
    in_wallet boolean, in_moment timestamptz, in_lock boolean
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    settlement bigint := nextval('settlements_settlement_id_seq');
    claimed bigint;
    patient record;
    opened text;
    purse text;
BEGIN
    claimed := ledger_claim(
        in_kind, in_on, in_at, in_region, in_scope, in_key, in_hash, in_by, jsonb_build_object('settlement', settlement)
    );
    IF claimed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO patient FROM care_look(in_member, in_care, in_on, in_service_on, in_own, in_family, in_wallet);
    IF patient.years IS NOT NULL AND array_position(patient.years, NULL) IS NULL THEN
        opened := ledger_open(in_member, patient.years, patient.accounts, in_on, in_moment, in_lock);
        IF patient.wallet IS NOT NULL THEN
            purse := wallet_open(patient.wallet, in_moment, in_lock);
        END IF;
    END IF;
    RETURN format(
        '[%s, %s, %s, %s, %s]',
        claimed, settlement, coalesce(patient.facts, 'null'), coalesce(opened, 'null'), coalesce(purse, 'null')
    );
END $$;
"""
# Account row and entry in step, the counters before: whoever waits for an account waits for that alone. A row must be in
# its year, and of the version that was read or with a historical balance between two amounts; or nothing is written. One
# without a kind is only looked at.
POST = """
CREATE FUNCTION ledger_post(
    in_transaction bigint, in_member bigint, in_on date, in_moves json, in_filled json, in_given_back json
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    move record;
    back record;
    held settlements_personalaccount;
BEGIN
    IF in_filled IS NOT NULL THEN
        INSERT INTO settlements_usage (member_id, benefit_year, counter, amount)
        SELECT in_member, year, counter, amount
        FROM json_to_recordset(in_filled) AS f(year integer, counter text, amount numeric)
        ON CONFLICT (member_id, benefit_year, counter)
        DO UPDATE SET amount = settlements_usage.amount + excluded.amount;
    END IF;
    IF in_given_back IS NOT NULL THEN
        FOR back IN
            SELECT * FROM json_to_recordset(in_given_back) AS b(year integer, counter text, amount numeric)
        LOOP
            UPDATE settlements_usage SET amount = amount + back.amount
            WHERE member_id = in_member AND benefit_year = back.year AND counter = back.counter;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'a counter of member % that a bill filled is gone', in_member;
            END IF;
        END LOOP;
    END IF;
    FOR move IN SELECT * FROM json_to_recordset(in_moves) AS m(
        account bigint, year integer, version bigint, least numeric, most numeric, kind text,
        current numeric, historical numeric, debt numeric, contra text, contra_id bigint
    ) LOOP
        IF move.kind IS NULL THEN
            PERFORM 1 FROM settlements_personalaccount a
            WHERE a.id = move.account AND a.benefit_year = move.year AND a.version = coalesce(move.version, a.version)
                AND a.historical >= coalesce(move.least, 0) AND a.historical <= coalesce(move.most, a.historical)
            FOR NO KEY UPDATE;
        ELSE
            UPDATE settlements_personalaccount a
            SET version = a.version + 1, current = a.current + move.current, historical = a.historical + move.historical,
                debt = a.debt + move.debt,
                current_products = a.current_products + a.current * greatest(in_on - a.products_on, 0),
                historical_products = a.historical_products + a.historical * greatest(in_on - a.products_on, 0),
                products_on = greatest(a.products_on, in_on)
            WHERE a.id = move.account AND a.benefit_year = move.year AND a.version = coalesce(move.version, a.version)
                AND a.historical >= coalesce(move.least, 0) AND a.historical <= coalesce(move.most, a.historical)
            RETURNING a.* INTO held;
        END IF;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'account % is not as it was', move.account USING ERRCODE = 'MOVED';
        END IF;
        IF move.kind IS NOT NULL THEN
            INSERT INTO settlements_entry
                (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta,
                 debt_delta, current_after, historical_after, debt_after, contra, contra_id)
            VALUES
                (move.account, held.version, in_transaction, move.kind, in_on, move.year, move.current, move.historical,
                 move.debt, held.current, held.historical, held.debt, move.contra, move.contra_id);
        END IF;
    END LOOP;
END $$;
"""
DROP_OLD = """
DROP FUNCTION care_begin(text, date, timestamptz, text, text, text, text, bigint, bigint, text, date, boolean, boolean,
    boolean, timestamptz);
DROP FUNCTION wallet_open(bigint, timestamptz);
DROP FUNCTION ledger_open(bigint, integer[], bigint[], date, timestamptz);
DROP FUNCTION ledger_post(bigint, bigint, date, json, json, json);
"""
DROP_NEW = """
DROP FUNCTION care_begin(text, date, timestamptz, text, text, text, text, bigint, bigint, text, date, boolean, boolean,
    boolean, timestamptz, boolean);
DROP FUNCTION wallet_open(bigint, timestamptz, boolean);
DROP FUNCTION ledger_open(bigint, integer[], bigint[], date, timestamptz, boolean);
DROP FUNCTION ledger_post(bigint, bigint, date, json, json, json);
"""
OLD = [
    functions_0016.OPEN,
    functions_0016.POST,
    *(
        statement
        for statement in functions_0023.BY_INDEX.split("\n")
        if "ledger_open" in statement or "ledger_post" in statement
    ),
    functions_0027.WALLET_OPEN,
    functions_0027.WALLET_MOVE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"),
    functions_0027.BEGIN,
]


class Migration(migrations.Migration):
    dependencies = [("settlements", "0029_catalogue_box")]
    operations = [
        migrations.RunSQL(DROP_OLD, "\n".join(OLD)),
        migrations.RunSQL(OPEN + POST + WALLET_OPEN + BEGIN, DROP_NEW),
        migrations.RunSQL(WALLET_MOVE, migrations.RunSQL.noop),
    ]
