from django.db import migrations

# What every bill does on the server, in functions: a bill is then three statements and not twenty, of which each cost
# more on its way there and back than on the server. They hold no rule: what is decided is decided in Python, between the
# second and the third. Each inner statement sees what was committed before it (VOLATILE, read committed), is planned
# once a connection, and touches one account at most, which is what keeps the tables ready to be sharded.

# The key of a transaction, or NULL if somebody has it: a twin waits in the INSERT until the first is committed or gone.
CLAIM = """
CREATE FUNCTION ledger_claim(
    in_kind text, in_on date, in_at timestamptz, in_region text, in_scope text, in_key text, in_hash text, in_by bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, refused, by_id)
    VALUES (in_kind, in_on, in_at, in_region, in_scope, in_key, in_hash, '', in_by)
    ON CONFLICT (scope, key) DO NOTHING RETURNING id INTO claimed;
    RETURN claimed;
END $$;
"""
ANSWER = """
CREATE FUNCTION ledger_answer(in_transaction bigint, in_answer jsonb, in_refused text, in_reverses bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE settlements_ledgertransaction SET answer = in_answer, refused = in_refused, reverses_id = in_reverses
    WHERE id = in_transaction;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no ledger transaction %', in_transaction;
    END IF;
END $$;
"""
# The locks, in the one order: the counters of the patient year by year (the row "fund" stands for the whole sheet, so it
# must be there to be locked before anything was used), then the accounts as they are given, in the order of their ids.
OPEN = """
CREATE FUNCTION ledger_open(in_member bigint, in_years integer[], in_accounts bigint[], in_on date, in_moment timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
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
        -- On the account table alone: an order after a join is no lock order.
        SELECT * INTO STRICT account FROM settlements_personalaccount WHERE id = wanted FOR NO KEY UPDATE;
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
# Account row and entry in step, so that they cannot part, and nothing if the version is not the one that was read; then
# the counters. What a bill gives back is there, so it is updated: an upsert would check the bare negative amount.
POST = """
CREATE FUNCTION ledger_post(
    in_transaction bigint, in_member bigint, in_on date, in_moves json, in_filled json, in_given_back json
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    move record;
    back record;
BEGIN
    FOR move IN SELECT * FROM json_to_recordset(in_moves) AS m(
        account bigint, version bigint, kind text, year integer, current numeric, historical numeric, debt numeric,
        current_after numeric, historical_after numeric, debt_after numeric,
        current_products numeric, historical_products numeric, products_on date, contra text, contra_id bigint
    ) LOOP
        UPDATE settlements_personalaccount
        SET version = version + 1, current = move.current_after, historical = move.historical_after,
            debt = move.debt_after, current_products = move.current_products,
            historical_products = move.historical_products, products_on = move.products_on
        WHERE id = move.account AND version = move.version;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'account % changed under its lock', move.account;
        END IF;
        INSERT INTO settlements_entry
            (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta,
             debt_delta, current_after, historical_after, debt_after, contra, contra_id)
        VALUES
            (move.account, move.version + 1, in_transaction, move.kind, in_on, move.year, move.current, move.historical,
             move.debt, move.current_after, move.historical_after, move.debt_after, move.contra, move.contra_id);
    END LOOP;
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
END $$;
"""
# What is so about a patient on the day of care and the day of settlement, and whose accounts he may use; see
# queries/care.py for the order of the values. A row of rules comes as its id and its version (xmin and place, which any
# change of the row changes): the reader parses it once. Somebody whose contributions have stopped keeps the use of his
# own money; sharing rests (domain.md 5, number 22). A grantor's account is that of the region where he is enrolled on
# the day of settlement, which need not be the patient's.
FACTS = """
CREATE FUNCTION care_facts(in_member bigint, in_kind text, in_on date, in_service_on date, in_family boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    patient record;
    grants json;
BEGIN
    SELECT e.region_id, e.insurance, e.status, e.personal_status, e.retired_on, e.signed_institution_id,
        m.birth, m.died_on, m.name, r.two_buckets, a.id AS account_id,
        (SELECT max(year) FROM accounts_benefityear y WHERE y.region_id = e.region_id AND y.starts_on <= in_on)
            AS settled_year,
        (SELECT max(year) FROM accounts_benefityear y WHERE y.region_id = e.region_id AND y.starts_on <= in_service_on)
            AS service_year,
        s.id AS scheme_id, s.xmin::text || s.ctid::text AS scheme_version,
        h.id AS rules_id, h.xmin::text || h.ctid::text AS rules_version
    INTO patient
    FROM accounts_enrolment e
    JOIN accounts_member m ON m.id = e.member_id
    JOIN accounts_region r ON r.code = e.region_id
    LEFT JOIN settlements_personalaccount a
        ON a.member_id = e.member_id AND a.region_id = e.region_id AND a.status = 'open'
    LEFT JOIN settlements_scheme s
        ON s.region_id = e.region_id AND s.insurance = e.insurance AND s.kind = in_kind
        AND s.valid_from <= in_service_on AND (s.valid_to IS NULL OR s.valid_to > in_service_on)
    LEFT JOIN family_sharingrules h
        ON in_family AND e.status = 'normal' AND h.region_id = e.region_id
        AND h.valid_from <= in_on AND (h.valid_to IS NULL OR h.valid_to > in_on)
    WHERE e.member_id = in_member AND e.valid_from <= in_service_on
        AND (e.valid_to IS NULL OR e.valid_to > in_service_on);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF patient.rules_id IS NOT NULL THEN
        SELECT json_agg(
            json_build_array(g.id, g.grantor_id, m.name, g.starts_on, g."limit", g.uses_care, a.id, e.status)
            ORDER BY array_position(o.grant_ids, g.id) NULLS LAST, g.bound_at, g.id
        ) INTO grants
        FROM family_sharinggrant g
        JOIN accounts_member m ON m.id = g.grantor_id AND (m.died_on IS NULL OR m.died_on > in_on)
        JOIN accounts_enrolment e
            ON e.member_id = g.grantor_id AND e.insurance = 'employee'
            AND e.valid_from <= in_on AND (e.valid_to IS NULL OR e.valid_to > in_on)
        JOIN settlements_personalaccount a
            ON a.member_id = g.grantor_id AND a.region_id = e.region_id AND a.status = 'open'
        LEFT JOIN family_deductionorder o ON o.beneficiary_id = g.beneficiary_id
        WHERE g.beneficiary_id = in_member AND g.uses_care AND g.paused_at IS NULL
            AND g.starts_on <= in_on AND (g.ends_on IS NULL OR g.ends_on > in_on);
    END IF;
    RETURN json_build_array(
        patient.region_id, patient.insurance, patient.status, patient.personal_status, patient.retired_on,
        patient.signed_institution_id, patient.birth, patient.died_on, patient.name, patient.two_buckets,
        patient.account_id, patient.settled_year, patient.service_year, patient.scheme_id, patient.scheme_version,
        patient.rules_id, patient.rules_version, grants
    );
END $$;
"""
# The bill and who paid it, in the order in which they were charged.
RECORD = """
CREATE FUNCTION care_record(in_settlement json, in_payers json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settlements_settlement
        (id, public_id, transaction_id, region_id, patient_id, institution_id, insurance, scheme_id, kind, level, signed,
         service_on, settled_on, counted_year, in_scope, pre_self_pay, self_paid, deductible, fund, supplement,
         own_current, own_historical, shared, cash, counters, steps, "order")
    SELECT id, public_id, transaction_id, region_id, patient_id, institution_id, insurance, scheme_id, kind, level, signed,
         service_on, settled_on, counted_year, in_scope, pre_self_pay, self_paid, deductible, fund, supplement,
         own_current, own_historical, shared, cash, counters, steps, "order"
    FROM json_populate_record(NULL::settlements_settlement, in_settlement);
    IF in_payers IS NOT NULL THEN
        INSERT INTO settlements_settlementpayer
            (settlement_id, position, account_id, member_id, grant_id, benefit_year, current, historical)
        SELECT (in_settlement ->> 'id')::bigint, position, account_id, member_id, grant_id, benefit_year, current, historical
        FROM json_populate_recordset(NULL::settlements_settlementpayer, in_payers);
    END IF;
END $$;
"""
FUNCTIONS = {
    "ledger_claim": CLAIM,
    "ledger_answer": ANSWER,
    "ledger_open": OPEN,
    "ledger_post": POST,
    "care_facts": FACTS,
    "care_record": RECORD,
}


class Migration(migrations.Migration):
    dependencies = [("settlements", "0015_claims"), ("family", "0004_limit_may_be_nothing")]
    operations = [migrations.RunSQL(made, f"DROP FUNCTION {name};") for name, made in FUNCTIONS.items()]
