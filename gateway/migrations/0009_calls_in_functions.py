from importlib import import_module

from django.db import migrations

functions_0002 = import_module("gateway.migrations.0002_bill_functions")
functions_0004 = import_module("gateway.migrations.0004_life_of_a_visit")

# Who calls, and the record of the call: two plain statements, each planned once a connection and by index. As one
# statement of the client, with a join of four tables and the insert in it, half of its time went into starting it; and its
# plan, made while the messages were few, read them all for every call.
# The key may be one that the process remembers: whether it is still valid, what the institution is by now, from where it
# may call and whether it has signed in, is read here. An earlier message may have acted for the msgid already.
RECORD = """
CREATE FUNCTION gateway_record(
    in_key text, in_nonce text, in_msgid text, in_infno text, in_hash text, in_at timestamptz, in_code text,
    in_body bytea, in_address inet, in_signing boolean, in_sign_no text, in_flush text
) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    caller record;
    recorded bigint;
    acted bigint;
BEGIN
    SELECT k.id, k.valid_from <= in_at AND (k.valid_until IS NULL OR k.valid_until > in_at) AS valid,
        i.id AS institution_id, i.code, i.name, i.region_id, i.kind, i.level, i.is_active,
        s.infcode_as_text, s.extra_fields, s.one_is_own,
        coalesce(cardinality(s.networks), 0) = 0 OR coalesce(in_address <<= ANY (s.networks::cidr[]), false)
            AS from_there,
        NOT coalesce(s.sign_in_required, false) OR in_signing OR EXISTS (
            SELECT FROM gateway_signin WHERE institution_id = i.id AND sign_no = in_sign_no
                AND signed_out_at IS NULL AND expires_at > in_at
        ) AS signed_in
    INTO caller
    FROM gateway_institutionkey k JOIN accounts_institution i ON i.id = k.institution_id
    LEFT JOIN gateway_institutionsettings s ON s.institution_id = i.id
    WHERE k.key_id = in_key;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF caller.valid AND caller.is_active AND caller.code = in_code AND caller.from_there AND caller.signed_in THEN
        PERFORM set_config('synchronous_commit', in_flush, true);
        INSERT INTO gateway_gatewaymessage
            (key_id, institution_id, nonce, msgid, infno, request_hash, received_at, outcome, body)
        VALUES (caller.id, caller.institution_id, in_nonce, in_msgid, in_infno, in_hash, in_at, '', in_body)
        ON CONFLICT (key_id, nonce) DO NOTHING RETURNING id INTO recorded;
        SELECT id INTO acted FROM gateway_gatewaymessage
        WHERE institution_id = caller.institution_id AND claim = in_msgid;
    END IF;
    RETURN json_build_array(
        recorded, acted, caller.valid, caller.from_there, caller.signed_in, caller.infcode_as_text,
        caller.extra_fields, caller.one_is_own, caller.institution_id, caller.code, caller.name, caller.region_id,
        caller.kind, caller.level, caller.is_active
    );
END $$;
"""
# A visit, locked if its batch is to be settled, and then the batch: one statement after the other, for what was committed
# while it waited for the lock counts. See queries.batch_of for the order of the values.
BATCH = """
CREATE OR REPLACE FUNCTION gateway_batch(in_institution bigint, in_visit text, in_batch text, in_lock boolean)
RETURNS text LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v record;
    m record;
    e record;
    sums record;
    account bigint;
    settled boolean;
    day date;
BEGIN
    IF in_lock THEN
        PERFORM FROM gateway_visit
        WHERE mdtrt_id = in_visit AND institution_id = in_institution FOR NO KEY UPDATE;
    END IF;
    SELECT id, mdtrt_id, member_id, region_id, insurance, kind, begun_at, med_type, ended INTO v
    FROM gateway_visit WHERE mdtrt_id = in_visit AND institution_id = in_institution;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    day := (v.begun_at AT TIME ZONE 'Asia/Shanghai')::date;
    SELECT id, public_id, name, encode(id_number, 'hex') AS id_number, id_number_index, card_number_index, birth, sex,
        died_on
    INTO STRICT m FROM accounts_member WHERE id = v.member_id;
    SELECT insurance, personal_status INTO e FROM accounts_enrolment
    WHERE member_id = v.member_id AND valid_from <= day AND (valid_to IS NULL OR valid_to > day);
    SELECT id INTO account FROM settlements_personalaccount
    WHERE member_id = v.member_id AND region_id = v.region_id AND status = 'open';
    SELECT count(*) AS lines, coalesce(sum(amount), 0) AS amount, coalesce(sum(in_scope), 0) AS in_scope,
        coalesce(sum(pre_self_pay), 0) AS pre_self_pay, coalesce(sum(over_limit), 0) AS over_limit,
        coalesce(sum(off_catalogue), 0) AS off_catalogue
    INTO sums FROM gateway_feeline WHERE visit_id = v.id AND batch = in_batch AND cancelled_at IS NULL;
    PERFORM FROM gateway_visitsettlement WHERE visit_id = v.id AND batch = in_batch AND reversed_at IS NULL;
    settled := FOUND;
    RETURN json_build_array(
        v.id, v.mdtrt_id, v.member_id, v.region_id, v.insurance, v.kind, v.begun_at, v.med_type, v.ended,
        m.id, m.public_id, m.name, m.id_number, m.id_number_index, m.card_number_index, m.birth, m.sex, m.died_on,
        sums.lines, sums.amount, sums.in_scope, sums.pre_self_pay, sums.over_limit, sums.off_catalogue,
        settled, e.insurance, e.personal_status, account
    );
END $$;
"""
# The answer, and with it the claim of the msgid: of twins the second fails here. As with the record, what promises nothing
# need not be on disk before it is told.
FINISH = """
CREATE FUNCTION gateway_finish(
    in_message bigint, in_claim text, in_answer bytea, in_outcome text, in_duration integer, in_flush text
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF in_flush = 'off' THEN
        PERFORM set_config('synchronous_commit', in_flush, true);
    END IF;
    UPDATE gateway_gatewaymessage
    SET claim = in_claim, answer = in_answer, outcome = in_outcome, duration_ms = in_duration WHERE id = in_message;
END $$;
"""
BY_INDEX = "ALTER FUNCTION gateway_batch(bigint, text, text, boolean) SET enable_seqscan = off;"
FINISH_BEFORE = (
    functions_0002.FINISH
    + "ALTER FUNCTION gateway_finish(bigint, text, bytea, text, integer) SET enable_seqscan = off;"
)


class Migration(migrations.Migration):
    dependencies = [("gateway", "0008_what_one_means")]
    operations = [
        migrations.RunSQL(RECORD, "DROP FUNCTION gateway_record;"),
        migrations.RunSQL(BATCH, functions_0004.BATCH + BY_INDEX),
        migrations.RunSQL(
            "DROP FUNCTION gateway_finish(bigint, text, bytea, text, integer);" + FINISH,
            "DROP FUNCTION gateway_finish(bigint, text, bytea, text, integer, text);" + FINISH_BEFORE,
        ),
    ]
