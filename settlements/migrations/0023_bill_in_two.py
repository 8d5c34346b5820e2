from importlib import import_module

from django.db import migrations

functions_0016 = import_module("settlements.migrations.0016_bill_functions")

# A bill is two statements (decision 0027): what claimed, looked and locked in two is one function, and the claim is
# written once, with its answer. As before no function holds a rule: locked is what the patient may use.

# The key of a transaction, or NULL if somebody has it: a twin waits in the INSERT until the first is committed or gone.
# Whoever knows the answer beforehand (a bill's is the number of its settlement) writes it here and nothing afterwards.
CLAIM = """
CREATE FUNCTION ledger_claim(
    in_kind text, in_on date, in_at timestamptz, in_region text, in_scope text, in_key text, in_hash text, in_by bigint,
    in_answer jsonb DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused, by_id)
    VALUES (in_kind, in_on, in_at, in_region, in_scope, in_key, in_hash, in_answer, '', in_by)
    ON CONFLICT (scope, key) DO NOTHING RETURNING id INTO claimed;
    RETURN claimed;
END $$;
"""
# What is so about a patient on the day of care and the day of settlement, and whose accounts he may use; see
# queries/care.py for the order of the values. A row of rules comes as its id and its version (xmin and place, which any
# change of the row changes): the reader parses it once. Somebody whose contributions have stopped keeps the use of his
# own money; sharing rests (domain.md 5, number 22). A grantor's account is that of the region where he is enrolled on
# the day of settlement, which need not be the patient's. `years` and `accounts` are what a bill may touch, in order.
LOOK = """
CREATE FUNCTION care_look(
    in_member bigint, in_kind text, in_on date, in_service_on date, in_own boolean, in_family boolean,
    OUT facts text, OUT years integer[], OUT accounts bigint[]
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    patient record;
    service_year integer;
    grants json;
BEGIN
    SELECT e.region_id, e.insurance, e.status, e.personal_status, e.retired_on, e.signed_institution_id,
        m.birth, m.died_on, m.name, r.two_buckets, a.id AS account_id,
        (SELECT max(year) FROM accounts_benefityear y WHERE y.region_id = e.region_id AND y.starts_on <= in_on)
            AS settled_year,
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
        RETURN;
    END IF;
    service_year := patient.settled_year;
    years := ARRAY[patient.settled_year];
    IF in_service_on <> in_on THEN
        SELECT max(year) INTO service_year FROM accounts_benefityear
        WHERE region_id = patient.region_id AND starts_on <= in_service_on;
        IF service_year <> patient.settled_year THEN
            years := ARRAY[least(service_year, patient.settled_year), greatest(service_year, patient.settled_year)];
        END IF;
    END IF;
    accounts := '{}';
    IF in_own AND patient.insurance = 'employee' AND patient.account_id IS NOT NULL THEN
        accounts := ARRAY[patient.account_id];
    END IF;
    IF patient.rules_id IS NOT NULL THEN
        SELECT json_agg(
            json_build_array(g.id, g.grantor_id, m.name, g.starts_on, g."limit", g.uses_care, a.id, e.status)
            ORDER BY array_position(o.grant_ids, g.id) NULLS LAST, g.bound_at, g.id
        ), array_agg(DISTINCT a.id) || accounts
        INTO grants, accounts
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
        IF grants IS NOT NULL THEN
            accounts := (SELECT array_agg(DISTINCT one ORDER BY one) FROM unnest(accounts) one);
        END IF;
    END IF;
    facts := json_build_array(
        patient.region_id, patient.insurance, patient.status, patient.personal_status, patient.retired_on,
        patient.signed_institution_id, patient.birth, patient.died_on, patient.name, patient.two_buckets,
        patient.account_id, patient.settled_year, service_year, patient.scheme_id, patient.scheme_version,
        patient.rules_id, patient.rules_version, grants
    );
END $$;
"""
FACTS = """
CREATE OR REPLACE FUNCTION care_facts(
    in_member bigint, in_kind text, in_on date, in_service_on date, in_family boolean
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT facts FROM care_look(in_member, in_kind, in_on, in_service_on, false, in_family));
END $$;
"""
# The claim, the facts, the locks: each is a statement of its own and sees what was committed while the one before it
# waited. NULL if somebody has the key. A patient of whom nothing can be said has nothing locked: he is refused.
BEGIN = """
CREATE FUNCTION care_begin(
    in_kind text, in_on date, in_at timestamptz, in_region text, in_scope text, in_key text, in_hash text, in_by bigint,
    in_member bigint, in_care text, in_service_on date, in_own boolean, in_family boolean, in_moment timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    settlement bigint := nextval('settlements_settlement_id_seq');
    claimed bigint;
    patient record;
    opened text;
BEGIN
    claimed := ledger_claim(
        in_kind, in_on, in_at, in_region, in_scope, in_key, in_hash, in_by, jsonb_build_object('settlement', settlement)
    );
    IF claimed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO patient FROM care_look(in_member, in_care, in_on, in_service_on, in_own, in_family);
    IF patient.years IS NOT NULL AND array_position(patient.years, NULL) IS NULL THEN
        opened := ledger_open(in_member, patient.years, patient.accounts, in_on, in_moment);
    END IF;
    RETURN format('[%s, %s, %s, %s]', claimed, settlement, coalesce(patient.facts, 'null'), coalesce(opened, 'null'));
END $$;
"""
# A plan is made once a connection. Made while a table was nearly empty it read the whole table, and so it went on for
# every bill until the table was next analysed: a day of bills between two analyses read itself again and again.
BY_INDEX = """
ALTER FUNCTION ledger_open(bigint, integer[], bigint[], date, timestamptz) SET enable_seqscan = off;
ALTER FUNCTION ledger_post(bigint, bigint, date, json, json, json) SET enable_seqscan = off;
ALTER FUNCTION ledger_answer(bigint, jsonb, text, bigint) SET enable_seqscan = off;
"""
AS_BEFORE = BY_INDEX.replace("SET enable_seqscan = off", "RESET enable_seqscan")


class Migration(migrations.Migration):
    dependencies = [("settlements", "0022_catalogue_key")]
    operations = [
        migrations.RunSQL(
            "DROP FUNCTION ledger_claim(text, date, timestamptz, text, text, text, text, bigint);" + CLAIM,
            "DROP FUNCTION ledger_claim(text, date, timestamptz, text, text, text, text, bigint, jsonb);"
            + functions_0016.CLAIM,
        ),
        migrations.RunSQL(LOOK, "DROP FUNCTION care_look(bigint, text, date, date, boolean, boolean);"),
        migrations.RunSQL(FACTS, functions_0016.FACTS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")),
        migrations.RunSQL(
            BEGIN,
            "DROP FUNCTION care_begin(text, date, timestamptz, text, text, text, text, bigint, bigint, text, date,"
            " boolean, boolean, timestamptz);",
        ),
        migrations.RunSQL(BY_INDEX, AS_BEFORE),
    ]
