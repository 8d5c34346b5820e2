from importlib import import_module

from django.db import migrations, models
from django.db.models import F, Q

import settlements.models.fields

# A wallet pays bills of its member (decision 0026): a column of the bill, a switch of the wallet, and the functions of a
# bill, which look for the wallet and lock it last. As before no function holds a rule.
functions_0016 = import_module("settlements.migrations.0016_bill_functions")
functions_0023 = import_module("settlements.migrations.0023_bill_in_two")

# A wallet is locked after counters and accounts. Told with it: whether a transfer from it has to be brought back first.
WALLET_OPEN = """
CREATE FUNCTION wallet_open(in_wallet bigint, in_moment timestamptz) RETURNS text
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    purse settlements_wallet;
BEGIN
    SELECT * INTO STRICT purse FROM settlements_wallet WHERE id = in_wallet FOR NO KEY UPDATE;
    RETURN json_build_array(purse.id, purse.version, purse.balance, EXISTS (
        SELECT 1 FROM settlements_wallettransfer t
        WHERE t.wallet_id = in_wallet AND t.source = 'wallet' AND t.state = 'pending' AND t.expires_at <= in_moment
    ));
END $$;
"""
# Row and entry in step, and nothing if the version is not the one that was read.
WALLET_MOVE = """
CREATE FUNCTION wallet_move(
    in_wallet bigint, in_version bigint, in_transaction bigint, in_kind text, in_on date, in_delta numeric,
    in_transfer bigint
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    held numeric;
BEGIN
    UPDATE settlements_wallet SET balance = balance + in_delta, version = version + 1
    WHERE id = in_wallet AND version = in_version RETURNING balance INTO held;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'wallet % changed under its lock', in_wallet;
    END IF;
    INSERT INTO settlements_walletentry
        (wallet_id, version, transaction_id, kind, business_date, delta, after, transfer_id)
    VALUES (in_wallet, in_version + 1, in_transaction, in_kind, in_on, in_delta, held, in_transfer);
END $$;
"""
# As in 0023, and the patient's wallet: one that he lets pay, while his region takes part on the day of settlement.
LOOK = """
CREATE FUNCTION care_look(
    in_member bigint, in_kind text, in_on date, in_service_on date, in_own boolean, in_family boolean,
    in_wallet boolean, OUT facts text, OUT years integer[], OUT accounts bigint[], OUT wallet bigint
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
    IF in_wallet THEN
        SELECT w.id INTO wallet FROM settlements_wallet w WHERE w.member_id = in_member AND w.pays_care;
        IF wallet IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts_region r, jsonb_array_elements(r.data -> 'wallet') AS v
            WHERE r.code = patient.region_id AND (v ->> 'valid_from')::date <= in_on
                AND ((v ->> 'valid_to') IS NULL OR (v ->> 'valid_to')::date > in_on)
        ) THEN
            wallet := NULL;
        END IF;
    END IF;
    facts := json_build_array(
        patient.region_id, patient.insurance, patient.status, patient.personal_status, patient.retired_on,
        patient.signed_institution_id, patient.birth, patient.died_on, patient.name, patient.two_buckets,
        patient.account_id, patient.settled_year, service_year, patient.scheme_id, patient.scheme_version,
        patient.rules_id, patient.rules_version, grants, wallet
    );
END $$;
"""
FACTS = """
CREATE FUNCTION care_facts(
    in_member bigint, in_kind text, in_on date, in_service_on date, in_family boolean, in_wallet boolean
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT facts FROM care_look(in_member, in_kind, in_on, in_service_on, false, in_family, in_wallet));
END $$;
"""
BEGIN = """
CREATE FUNCTION care_begin(
    in_kind text, in_on date, in_at timestamptz, in_region text, in_scope text, in_key text, in_hash text, in_by bigint,
    in_member bigint, in_care text, in_service_on date, in_own boolean, in_family boolean,
    in_wallet boolean, in_moment timestamptz
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
        opened := ledger_open(in_member, patient.years, patient.accounts, in_on, in_moment);
        IF patient.wallet IS NOT NULL THEN
            purse := wallet_open(patient.wallet, in_moment);
        END IF;
    END IF;
    RETURN format(
        '[%s, %s, %s, %s, %s]',
        claimed, settlement, coalesce(patient.facts, 'null'), coalesce(opened, 'null'), coalesce(purse, 'null')
    );
END $$;
"""
RECORD = functions_0016.RECORD.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(
    " shared, cash,", " shared, wallet, cash,"
)
OLD_RECORD = functions_0016.RECORD.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
DROP_OLD = """
DROP FUNCTION care_begin(text, date, timestamptz, text, text, text, text, bigint, bigint, text, date, boolean, boolean,
    timestamptz);
DROP FUNCTION care_facts(bigint, text, date, date, boolean);
DROP FUNCTION care_look(bigint, text, date, date, boolean, boolean);
"""
DROP_NEW = """
DROP FUNCTION care_begin(text, date, timestamptz, text, text, text, text, bigint, bigint, text, date, boolean, boolean,
    boolean, timestamptz);
DROP FUNCTION care_facts(bigint, text, date, date, boolean, boolean);
DROP FUNCTION care_look(bigint, text, date, date, boolean, boolean, boolean);
DROP FUNCTION wallet_open(bigint, timestamptz);
DROP FUNCTION wallet_move(bigint, bigint, bigint, text, date, numeric, bigint);
"""
PARTS = ("fund", "supplement", "own_current", "own_historical", "shared", "wallet", "cash")


def adds_up(*parts: str) -> Q:
    first, *others = (F(part) for part in parts)
    for part in others:
        first += part
    return Q(in_scope=first - F("pre_self_pay") - F("self_paid"))


def never_negative(*parts: str) -> Q:
    return Q(**{f"{part}__gte": 0 for part in parts})


NOT_PAYING = ("in_scope", "pre_self_pay", "self_paid", "deductible")


class Migration(migrations.Migration):
    dependencies = [("settlements", "0026_catalogue_grams_faster")]
    operations = [
        migrations.AddField(
            model_name="wallet",
            name="pays_care",
            field=models.BooleanField(default=True, verbose_name="pays bills"),
        ),
        migrations.AddField(
            model_name="settlement",
            name="wallet",
            field=settlements.models.fields.Yuan(default=0, verbose_name="wallet"),
        ),
        migrations.RemoveConstraint(model_name="settlement", name="settlement_adds_up"),
        migrations.RemoveConstraint(model_name="settlement", name="settlement_never_negative"),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(name="settlement_adds_up", condition=adds_up(*PARTS)),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                name="settlement_never_negative", condition=never_negative(*NOT_PAYING, *PARTS)
            ),
        ),
        migrations.RunSQL(
            DROP_OLD, functions_0023.LOOK + functions_0023.FACTS.replace("OR REPLACE ", "") + functions_0023.BEGIN
        ),
        migrations.RunSQL(WALLET_OPEN + WALLET_MOVE + LOOK + FACTS + BEGIN, DROP_NEW),
        migrations.RunSQL(RECORD, OLD_RECORD),
    ]
