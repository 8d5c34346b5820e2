import django.db.models.deletion
from django.db import migrations, models

# As in 0002, with what the life of a visit needs: whether it has ended, its medical category, and only lines that stand.
BATCH = """
CREATE OR REPLACE FUNCTION gateway_batch(in_institution bigint, in_visit text, in_batch text, in_lock boolean)
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
            json_build_array(
                v.id, v.mdtrt_id, v.member_id, v.region_id, v.insurance, v.kind, v.begun_at, v.med_type, v.ended
            ),
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
        LEFT JOIN gateway_feeline f ON f.visit_id = v.id AND f.batch = in_batch AND f.cancelled_at IS NULL
        LEFT JOIN accounts_enrolment e
            ON e.member_id = v.member_id AND e.valid_from <= (v.begun_at AT TIME ZONE 'Asia/Shanghai')::date
            AND (e.valid_to IS NULL OR e.valid_to > (v.begun_at AT TIME ZONE 'Asia/Shanghai')::date)
        GROUP BY e.insurance, e.personal_status
    );
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION gateway_batch(in_institution bigint, in_visit text, in_batch text, in_lock boolean)
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


class Migration(migrations.Migration):
    dependencies = [("gateway", "0003_institution_settings")]
    operations = [
        migrations.CreateModel(
            name="Diagnosis",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=3, verbose_name="diagnosis category")),
                ("code", models.CharField(max_length=30, verbose_name="diagnosis code")),
                ("order", models.IntegerField(verbose_name="order")),
                ("name", models.CharField(max_length=100, verbose_name="diagnosis")),
                ("department", models.CharField(max_length=50, verbose_name="department")),
                ("doctor_code", models.CharField(max_length=30, verbose_name="doctor code")),
                ("doctor_name", models.CharField(max_length=50, verbose_name="doctor")),
                ("diagnosed_at", models.DateTimeField(verbose_name="diagnosed at")),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="diagnoses",
                        to="gateway.visit",
                        verbose_name="visit",
                    ),
                ),
            ],
            options={
                "verbose_name": "diagnosis",
                "verbose_name_plural": "diagnoses",
                "ordering": ["visit", "order", "id"],
            },
        ),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.UniqueConstraint(fields=("visit", "kind", "code"), name="diagnosis_once"),
        ),
        migrations.AddField(
            model_name="visit",
            name="med_type",
            field=models.CharField(default="", max_length=6, verbose_name="medical category"),
        ),
        migrations.AddField(
            model_name="visit",
            name="condition",
            field=models.CharField(default="", max_length=1000, verbose_name="main condition"),
        ),
        migrations.AddField(
            model_name="visit",
            name="disease_code",
            field=models.CharField(default="", max_length=30, verbose_name="disease code"),
        ),
        migrations.AddField(
            model_name="visit",
            name="disease_name",
            field=models.CharField(default="", max_length=500, verbose_name="disease"),
        ),
        migrations.AddField(
            model_name="visit",
            name="ended",
            field=models.CharField(default="", max_length=10, verbose_name="ended"),
        ),
        migrations.AddField(
            model_name="visit",
            name="ended_at",
            field=models.DateTimeField(null=True, verbose_name="ended at"),
        ),
        migrations.AddField(
            model_name="feeline",
            name="cancelled_at",
            field=models.DateTimeField(null=True, verbose_name="cancelled at"),
        ),
        migrations.RemoveConstraint(model_name="feeline", name="fee_line_once"),
        migrations.AddConstraint(
            model_name="feeline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cancelled_at", None)), fields=("visit", "sn"), name="fee_line_once"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(condition=models.Q(("ended", "")), fields=["registered_at"], name="visit_going_on"),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended", ""), ("ended_at", None)),
                    models.Q(("ended__in", ["cancelled", "expired"]), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="visit_ended_whole",
            ),
        ),
        migrations.RunSQL(BATCH, BEFORE),
    ]
