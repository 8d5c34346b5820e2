from importlib import import_module

from django.db import migrations, models
from django.db.models.functions import Least
from django.db.models.lookups import GreaterThanOrEqual

# What the functions of a bill cost beside their work. A join of six tables takes longer to start than to be run: six looks
# by key are half of it. A bill comes in values and not as JSON, which is read twice, field by field. PostgreSQL reads the
# text of CHECKs, and of a trigger's WHEN, anew in each statement: one comparison of the least says what eleven did. A
# region has the benefit years of this century: the present one is the last that has begun, not the greatest of those.
functions_0012 = import_module("settlements.migrations.0012_closing_accounts")
functions_0027 = import_module("settlements.migrations.0027_wallet_pays_bills")
functions_0030 = import_module("settlements.migrations.0030_accounts_locked_last")

GREATEST = """(
                SELECT max(year) FROM accounts_benefityear WHERE region_id = account.region_id AND starts_on <= in_on
            )"""
LATEST = """(
                SELECT year FROM accounts_benefityear
                WHERE region_id = account.region_id AND starts_on <= in_on ORDER BY starts_on DESC LIMIT 1
            )"""
# As it was, but what is so about the patient is of one moment, and the rules of his region are of one.
LOOK = """
CREATE OR REPLACE FUNCTION care_look(
    in_member bigint, in_kind text, in_on date, in_service_on date, in_own boolean, in_family boolean,
    in_wallet boolean, OUT facts text, OUT years integer[], OUT accounts bigint[], OUT wallet bigint
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    patient record;
    rules record;
    service_year integer;
    grants json;
BEGIN
    SELECT e.region_id, e.insurance, e.status, e.personal_status, e.retired_on, e.signed_institution_id,
        m.birth, m.died_on, m.name, a.id AS account_id
    INTO patient
    FROM accounts_enrolment e
    JOIN accounts_member m ON m.id = in_member
    LEFT JOIN settlements_personalaccount a
        ON a.member_id = in_member AND a.region_id = e.region_id AND a.status = 'open'
    WHERE e.member_id = in_member AND e.valid_from <= in_service_on
        AND (e.valid_to IS NULL OR e.valid_to > in_service_on);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT r.two_buckets, s.id AS scheme_id, s.xmin::text || s.ctid::text AS scheme_version,
        h.id AS rules_id, h.xmin::text || h.ctid::text AS rules_version,
        (SELECT year FROM accounts_benefityear
         WHERE region_id = patient.region_id AND starts_on <= in_on ORDER BY starts_on DESC LIMIT 1) AS settled_year
    INTO rules
    FROM accounts_region r
    LEFT JOIN settlements_scheme s
        ON s.region_id = patient.region_id AND s.insurance = patient.insurance AND s.kind = in_kind
        AND s.valid_from <= in_service_on AND (s.valid_to IS NULL OR s.valid_to > in_service_on)
    LEFT JOIN family_sharingrules h
        ON in_family AND patient.status = 'normal' AND h.region_id = patient.region_id
        AND h.valid_from <= in_service_on AND (h.valid_to IS NULL OR h.valid_to > in_service_on)
    WHERE r.code = patient.region_id;
    service_year := rules.settled_year;
    years := ARRAY[rules.settled_year];
    IF in_service_on <> in_on THEN
        SELECT year INTO service_year FROM accounts_benefityear
        WHERE region_id = patient.region_id AND starts_on <= in_service_on ORDER BY starts_on DESC LIMIT 1;
        IF service_year <> rules.settled_year THEN
            years := ARRAY[least(service_year, rules.settled_year), greatest(service_year, rules.settled_year)];
        END IF;
    END IF;
    accounts := '{}';
    IF in_own AND patient.account_id IS NOT NULL THEN
        accounts := ARRAY[patient.account_id];
    END IF;
    IF rules.rules_id IS NOT NULL AND EXISTS (
        SELECT FROM family_sharinggrant WHERE beneficiary_id = in_member
    ) THEN
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
        patient.signed_institution_id, patient.birth, patient.died_on, patient.name, rules.two_buckets,
        patient.account_id, rules.settled_year, service_year, rules.scheme_id, rules.scheme_version,
        rules.rules_id, rules.rules_version, grants, wallet
    );
END $$;
"""
OLD_OPEN = functions_0030.OPEN.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
OPEN = OLD_OPEN.replace(GREATEST, LATEST)
# The bill and who paid it, in the order in which they were charged; see actions/recording.py for the order of the values.
RECORD = """
CREATE FUNCTION care_record(
    in_id bigint, in_public_id uuid, in_transaction bigint, in_region text, in_patient bigint, in_institution bigint,
    in_insurance text, in_scheme bigint, in_kind text, in_level text, in_signed boolean, in_service_on date,
    in_settled_on date, in_counted_year integer, in_in_scope numeric, in_pre_self_pay numeric, in_self_paid numeric,
    in_deductible numeric, in_fund numeric, in_supplement numeric, in_own_current numeric, in_own_historical numeric,
    in_shared numeric, in_wallet numeric, in_cash numeric, in_counters jsonb, in_steps jsonb, in_order jsonb,
    in_payers json
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settlements_settlement
        (id, public_id, transaction_id, region_id, patient_id, institution_id, insurance, scheme_id, kind, level, signed,
         service_on, settled_on, counted_year, in_scope, pre_self_pay, self_paid, deductible, fund, supplement,
         own_current, own_historical, shared, wallet, cash, counters, steps, "order")
    VALUES
        (in_id, in_public_id, in_transaction, in_region, in_patient, in_institution, in_insurance, in_scheme, in_kind,
         in_level, in_signed, in_service_on, in_settled_on, in_counted_year, in_in_scope, in_pre_self_pay, in_self_paid,
         in_deductible, in_fund, in_supplement, in_own_current, in_own_historical, in_shared, in_wallet, in_cash,
         in_counters, in_steps, in_order);
    IF in_payers IS NOT NULL THEN
        INSERT INTO settlements_settlementpayer
            (settlement_id, position, account_id, member_id, grant_id, benefit_year, current, historical)
        SELECT in_id, position, account_id, member_id, grant_id, benefit_year, current, historical
        FROM json_to_recordset(in_payers) AS p(
            position integer, account_id bigint, member_id bigint, grant_id bigint, benefit_year integer,
            current numeric, historical numeric
        );
    END IF;
END $$;
"""
# As in 0012; what it looks at stands in the function, which is read once, and not in the trigger.
LATE = """
CREATE OR REPLACE FUNCTION account_late_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'closed' AND (NEW.current <> 0 OR NEW.historical <> 0) THEN
        NEW.status := 'late';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER late_money BEFORE UPDATE ON settlements_personalaccount
FOR EACH ROW WHEN (OLD.status = 'closed') EXECUTE FUNCTION account_late_money();
"""
OLD_LATE = functions_0012.LATE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(
    "CREATE TRIGGER", "CREATE OR REPLACE TRIGGER"
)
OLD_LOOK = import_module("settlements.migrations.0034_residents_use_what_is_left").LOOK
DROP_NEW = """
DROP FUNCTION care_record(bigint, uuid, bigint, text, bigint, bigint, text, bigint, text, text, boolean, date, date, integer,
    numeric, numeric, numeric, numeric, numeric, numeric, numeric, numeric, numeric, numeric, numeric, jsonb, jsonb, jsonb,
    json);
"""
AMOUNTS = {
    "personalaccount": ("account_never_negative", ["current", "historical", "debt"]),
    "entry": ("entry_never_negative", ["current_after", "historical_after", "debt_after"]),
    "settlement": (
        "settlement_never_negative",
        ["in_scope", "pre_self_pay", "self_paid", "deductible", "fund", "supplement", "own_current", "own_historical",
         "shared", "wallet", "cash"],
    ),
}  # fmt: skip


def least(model: str, name: str, amounts: list[str]) -> list[migrations.operations.base.Operation]:
    return [
        migrations.RemoveConstraint(model_name=model, name=name),
        migrations.AddConstraint(
            model_name=model,
            constraint=models.CheckConstraint(name=name, condition=GreaterThanOrEqual(Least(*amounts), 0)),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("settlements", "0034_residents_use_what_is_left")]
    operations = [
        migrations.RunSQL(LOOK, OLD_LOOK),
        migrations.RunSQL(OPEN, OLD_OPEN),
        migrations.RunSQL("DROP FUNCTION care_record(json, json);" + RECORD, DROP_NEW + functions_0027.RECORD),
        migrations.RunSQL(LATE, OLD_LATE),
        *(operation for model, named in AMOUNTS.items() for operation in least(model, *named)),
    ]
