import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What was published, or discarded, is what happened.
DRAFT_FROZEN = """
CREATE FUNCTION draft_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'draft % is %: it does not change any more', OLD.id, OLD.state;
END $$;
CREATE TRIGGER draft_frozen BEFORE UPDATE OR DELETE ON settlements_ruledraft
FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION draft_frozen();
"""
# A version that was published by two people here changes in one thing: that a successor ends it, once.
VERSION_FROZEN = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked {table};
BEGIN
    IF NOT EXISTS (SELECT 1 FROM settlements_ruledraft WHERE {column} = OLD.id) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        asked := NEW;
        asked.valid_to := OLD.valid_to;
        IF asked IS NOT DISTINCT FROM OLD AND (OLD.valid_to IS NULL OR NEW.valid_to IS NOT DISTINCT FROM OLD.valid_to) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'version % was published: it does not change; publish a successor', OLD.id;
END $$;
CREATE TRIGGER published_version BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {name}();
"""
VERSIONS = [
    ("settlements_scheme", "scheme_frozen", "published_scheme_id"),
    ("family_sharingrules", "sharing_frozen", "published_sharing_id"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_message_index"),
        ("family", "0004_limit_may_be_nothing"),
        ("settlements", "0018_crediting_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RuleDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "part",
                    models.CharField(
                        choices=[("scheme", "Scheme"), ("sharing", "Sharing rules")],
                        max_length=8,
                        verbose_name="part of the rules",
                    ),
                ),
                (
                    "insurance",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("employee", "Employee medical insurance"),
                            ("resident", "Resident medical insurance"),
                        ],
                        max_length=10,
                        verbose_name="insurance",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[("outpatient", "Outpatient"), ("inpatient", "Inpatient"), ("pharmacy", "Pharmacy")],
                        max_length=10,
                        verbose_name="kind of care",
                    ),
                ),
                ("text", models.TextField(verbose_name="text")),
                ("data", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("discarded", "Discarded")],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("edited_at", models.DateTimeField(verbose_name="last edited at")),
                ("valid_from", models.DateField(null=True, verbose_name="holds from")),
                ("published_at", models.DateTimeField(null=True, verbose_name="published at")),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="published by",
                    ),
                ),
                (
                    "published_scheme",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="draft",
                        to="settlements.scheme",
                    ),
                ),
                (
                    "published_sharing",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="draft",
                        to="family.sharingrules",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts",
                        to="accounts.region",
                        verbose_name="region",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts_after",
                        to="settlements.scheme",
                    ),
                ),
                (
                    "sharing",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts_after",
                        to="family.sharingrules",
                    ),
                ),
            ],
            options={
                "verbose_name": "draft of rules",
                "verbose_name_plural": "drafts of rules",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("data", models.JSONField()),
                ("month", models.CharField(blank=True, max_length=7)),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("cursor", models.BigIntegerField()),
                ("total", models.IntegerField()),
                ("done", models.IntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("result", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField()),
                ("resumed_at", models.DateTimeField(null=True)),
                ("worked_seconds", models.FloatField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trials", to="settlements.ruledraft"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="TrialDrift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=5)),
                ("ref", models.BigIntegerField()),
                ("year", models.IntegerField()),
                ("name", models.CharField(max_length=60)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14)),
                (
                    "trial",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drifts",
                        to="settlements.trial",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrialPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bills", models.IntegerField()),
                ("paid", models.DecimalField(decimal_places=2, max_digits=14)),
                ("paid_draft", models.DecimalField(decimal_places=2, max_digits=14)),
                ("cash", models.DecimalField(decimal_places=2, max_digits=14)),
                ("cash_draft", models.DecimalField(decimal_places=2, max_digits=14)),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="people",
                        to="settlements.trial",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="ruledraft",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_by", None),
                    models.Q(("published_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="draft_published_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruledraft",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("part", "scheme"), ("scheme__isnull", False), ("sharing", None)),
                    models.Q(("part", "sharing"), ("scheme", None), ("sharing__isnull", False)),
                    _connector="OR",
                ),
                name="draft_of_one_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruledraft",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("published_at__isnull", False),
                        ("published_by__isnull", False),
                        ("state", "published"),
                        ("valid_from__isnull", False),
                        models.Q(
                            ("published_scheme__isnull", False), ("published_sharing__isnull", False), _connector="OR"
                        ),
                    ),
                    models.Q(
                        models.Q(("state", "published"), _negated=True),
                        ("published_by", None),
                        ("published_scheme", None),
                        ("published_sharing", None),
                        ("valid_from", None),
                    ),
                    _connector="OR",
                ),
                name="draft_published_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["running", "paused"])), fields=("draft",), name="trial_once_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="trialdrift",
            constraint=models.UniqueConstraint(
                fields=("trial", "kind", "ref", "year", "name"), name="trial_drift_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="trialperson",
            constraint=models.UniqueConstraint(fields=("trial", "member"), name="trial_person_once"),
        ),
        migrations.RunSQL(
            DRAFT_FROZEN, "DROP TRIGGER draft_frozen ON settlements_ruledraft; DROP FUNCTION draft_frozen;"
        ),
        *[
            migrations.RunSQL(
                VERSION_FROZEN.format(table=table, name=name, column=column),
                f"DROP TRIGGER published_version ON {table}; DROP FUNCTION {name};",
            )
            for table, name, column in VERSIONS
        ],
    ]
