from django.db import migrations

# A visit, locked if its batch is to be settled, and then the batch: in one call, but one statement after the other, for
# what was committed while it waited for the lock counts. See queries.batch_of for the order of the values.
BATCH = """
CREATE FUNCTION gateway_batch(in_institution bigint, in_visit text, in_batch text, in_lock boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v gateway_visit;
    m accounts_member;
BEGIN
    IF in_lock THEN
        SELECT * INTO v FROM gateway_visit
        WHERE mdtrt_id = in_visit AND institution_id = in_institution FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v FROM gateway_visit WHERE mdtrt_id = in_visit AND institution_id = in_institution;
    END IF;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT m FROM accounts_member WHERE id = v.member_id;
    RETURN (
        SELECT json_build_array(
            json_build_array(v.id, v.mdtrt_id, v.member_id, v.region_id, v.insurance, v.kind, v.begun_at),
            json_build_array(
                m.id, m.public_id, m.name, encode(m.id_number, 'hex'), m.id_number_index, m.card_number_index, m.birth,
                m.sex, m.died_on
            ),
            json_build_array(
                count(f.id), coalesce(sum(f.amount), 0), coalesce(sum(f.in_scope), 0), coalesce(sum(f.pre_self_pay), 0),
                coalesce(sum(f.over_limit), 0), coalesce(sum(f.off_catalogue), 0)
            ),
            EXISTS (
                SELECT FROM gateway_visitsettlement
                WHERE visit_id = v.id AND batch = in_batch AND reversed_at IS NULL
            ),
            e.insurance, e.personal_status,
            (SELECT id FROM settlements_personalaccount
             WHERE member_id = v.member_id AND region_id = v.region_id AND status = 'open')
        )
        FROM (SELECT 1) one
        LEFT JOIN gateway_feeline f ON f.visit_id = v.id AND f.batch = in_batch
        LEFT JOIN accounts_enrolment e
            ON e.member_id = v.member_id AND e.valid_from <= (v.begun_at AT TIME ZONE 'Asia/Shanghai')::date
            AND (e.valid_to IS NULL OR e.valid_to > (v.begun_at AT TIME ZONE 'Asia/Shanghai')::date)
        GROUP BY e.insurance, e.personal_status
    );
END $$;
"""
# The settlement under the institution's numbers: of a batch, once.
KNOW = """
CREATE FUNCTION gateway_know(
    in_setl_id text, in_visit bigint, in_batch text, in_settlement bigint, in_msgid text, in_med_type text,
    in_cert_type text, in_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gateway_visitsettlement
        (setl_id, visit_id, batch, settlement_id, msgid, med_type, mdtrt_cert_type, settled_at)
    VALUES (in_setl_id, in_visit, in_batch, in_settlement, in_msgid, in_med_type, in_cert_type, in_at);
END $$;
"""
# The answer, and with it the claim of the msgid: of twins the second fails here.
FINISH = """
CREATE FUNCTION gateway_finish(in_message bigint, in_claim text, in_answer bytea, in_outcome text, in_duration integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gateway_gatewaymessage
    SET claim = in_claim, answer = in_answer, outcome = in_outcome, duration_ms = in_duration WHERE id = in_message;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0001_visits_keys_messages"),
        ("settlements", "0016_bill_functions"),
    ]
    operations = [
        migrations.RunSQL(BATCH, "DROP FUNCTION gateway_batch;"),
        migrations.RunSQL(KNOW, "DROP FUNCTION gateway_know;"),
        migrations.RunSQL(FINISH, "DROP FUNCTION gateway_finish;"),
    ]
