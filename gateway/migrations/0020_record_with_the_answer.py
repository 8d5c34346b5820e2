from importlib import import_module

from django.db import migrations

functions_0009 = import_module("gateway.migrations.0009_calls_in_functions")

# As in 0009, and with answer and claim where there is an answer already: such a call was answered by what the process
# remembers of the caller, of which `in_mark` is the state: xmin and place of both rows. If that is no longer so, if the key
# has ended or the nonce was used, nothing is written, and the result is NULL.
RECORD = """
CREATE FUNCTION gateway_record(
    in_key text, in_nonce text, in_msgid text, in_infno text, in_hash text, in_at timestamptz, in_code text,
    in_body bytea, in_address inet, in_signing boolean, in_sign_no text, in_mark text, in_claim text, in_answer bytea,
    in_outcome text, in_duration integer, in_flush text
) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    caller record;
    recorded bigint;
    acted bigint;
BEGIN
    SELECT k.id, k.valid_from <= in_at AND (k.valid_until IS NULL OR k.valid_until > in_at) AS valid,
        i.id AS institution_id, i.code, i.name, i.region_id, i.kind, i.level, i.is_active,
        s.infcode_as_text, s.extra_fields, s.one_is_own,
        format('%s %s %s %s', i.xmin, i.ctid, s.xmin, s.ctid) AS mark,
        coalesce(cardinality(s.networks), 0) > 0 AS bound,
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
    IF NOT FOUND OR caller.mark <> in_mark THEN
        RETURN NULL;
    END IF;
    IF caller.valid AND caller.is_active AND caller.code = in_code AND caller.from_there AND caller.signed_in THEN
        IF in_flush = 'off' THEN
            PERFORM set_config('synchronous_commit', in_flush, true);
        END IF;
        INSERT INTO gateway_gatewaymessage
            (key_id, institution_id, nonce, msgid, infno, request_hash, claim, received_at, body, answer, outcome,
            duration_ms)
        VALUES (caller.id, caller.institution_id, in_nonce, in_msgid, in_infno, in_hash, in_claim, in_at, in_body,
            in_answer, in_outcome, in_duration)
        ON CONFLICT (key_id, nonce) DO NOTHING RETURNING id INTO recorded;
        IF in_mark IS NULL THEN
            SELECT id INTO acted FROM gateway_gatewaymessage
            WHERE institution_id = caller.institution_id AND claim = in_msgid;
        END IF;
    END IF;
    IF in_mark IS NOT NULL THEN
        RETURN recorded::text;
    END IF;
    RETURN json_build_array(
        recorded, acted, caller.valid, caller.from_there, caller.signed_in, caller.infcode_as_text,
        caller.extra_fields, caller.one_is_own, caller.mark, caller.bound, caller.institution_id, caller.code, caller.name,
        caller.region_id, caller.kind, caller.level, caller.is_active
    );
END $$;
"""
OLD = "text, text, text, text, text, timestamptz, text, bytea, inet, boolean, text, text"
NEW = f"{OLD}, text, bytea, text, integer, text"


class Migration(migrations.Migration):
    dependencies = [("gateway", "0019_what_was_taken_back")]
    operations = [
        migrations.RunSQL(
            f"DROP FUNCTION gateway_record({OLD});" + RECORD,
            f"DROP FUNCTION gateway_record({NEW});" + functions_0009.RECORD,
        )
    ]
