import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import settlements.models.fields

# What was cleared is counted as credited by the next clearing: a row taken away would be cleared again.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements_clearing
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_staff_person"),
        ("settlements", "0017_fewer_indexes_a_bill"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="credit",
            name="counted_on",
            field=models.DateField(null=True),
        ),
        migrations.CreateModel(
            name="ContributionFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("month", models.DateField(verbose_name="month")),
                ("name", models.CharField(max_length=120, verbose_name="name of the file")),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField(verbose_name="bytes")),
                ("content", models.BinaryField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("faulty", "Has mistakes"),
                            ("ready", "Waits for release"),
                            ("released", "Released"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="reading",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("refused", models.JSONField(blank=True, default=dict)),
                ("fault_count", models.IntegerField(default=0, verbose_name="rows with mistakes")),
                ("totals", models.JSONField(blank=True, default=dict, verbose_name="control totals")),
                ("uploaded_at", models.DateTimeField(verbose_name="uploaded at")),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read at")),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.region", verbose_name="region"
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "contribution file",
                "verbose_name_plural": "contribution files",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ContributionFault",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField(verbose_name="line")),
                ("column", models.CharField(blank=True, max_length=40, verbose_name="column")),
                ("code", models.CharField(max_length=40, verbose_name="mistake")),
                ("params", models.JSONField(blank=True, default=dict)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="faults",
                        to="settlements.contributionfile",
                    ),
                ),
            ],
            options={
                "verbose_name": "mistake in a contribution file",
                "verbose_name_plural": "mistakes in contribution files",
                "ordering": ["file", "line", "id"],
            },
        ),
        migrations.CreateModel(
            name="Contribution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField(verbose_name="line")),
                ("month", models.DateField(verbose_name="month")),
                (
                    "base",
                    models.DecimalField(decimal_places=2, max_digits=10, verbose_name="monthly contribution base"),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="accounts.member",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="settlements.contributionfile",
                        verbose_name="file",
                    ),
                ),
            ],
            options={
                "verbose_name": "contribution",
                "verbose_name_plural": "contributions",
                "ordering": ["file", "line"],
            },
        ),
        migrations.CreateModel(
            name="CreditRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("month", "Monthly credit"),
                            ("year", "Credit of the year"),
                            ("contributions", "Contributions of a file"),
                            ("clearing", "Clearing of a year"),
                        ],
                        max_length=14,
                        verbose_name="kind",
                    ),
                ),
                ("period", models.CharField(max_length=7, verbose_name="period")),
                ("on", models.DateField(verbose_name="business date")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Waits for release"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("planned_at", models.DateTimeField(verbose_name="planned at")),
                ("released_at", models.DateTimeField(blank=True, null=True, verbose_name="released at")),
                ("resumed_at", models.DateTimeField(blank=True, null=True)),
                ("worked_seconds", models.FloatField(default=0)),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                (
                    "file",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="run",
                        to="settlements.contributionfile",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="planned by",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.region", verbose_name="region"
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="released by",
                    ),
                ),
            ],
            options={
                "verbose_name": "crediting run",
                "verbose_name_plural": "crediting runs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CreditChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField(verbose_name="number")),
                ("first_id", models.BigIntegerField(verbose_name="first")),
                ("last_id", models.BigIntegerField(verbose_name="last")),
                ("planned", models.IntegerField(default=0, verbose_name="planned")),
                ("done", models.BooleanField(default=False, verbose_name="done")),
                ("accounts", models.IntegerField(default=0, verbose_name="accounts")),
                ("amount", settlements.models.fields.Yuan(default=0, verbose_name="credited")),
                ("taken", settlements.models.fields.Yuan(default=0, verbose_name="taken back")),
                ("debt", settlements.models.fields.Yuan(default=0, verbose_name="became a debt")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done at")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="settlements.creditrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "crediting chunk",
                "verbose_name_plural": "crediting chunks",
                "ordering": ["run", "number"],
            },
        ),
        migrations.CreateModel(
            name="Clearing",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "year",
                        "transaction_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("year", models.IntegerField(verbose_name="benefit year")),
                ("months", models.IntegerField(verbose_name="months")),
                ("base", models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ("due", settlements.models.fields.Yuan(verbose_name="due")),
                ("credited", settlements.models.fields.Yuan(verbose_name="credited")),
                ("amount", settlements.models.fields.Yuan(verbose_name="cleared")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clearings",
                        to="settlements.personalaccount",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clearings",
                        to="settlements.ledgertransaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "clearing",
                "verbose_name_plural": "clearings",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "amount",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("due"), "-", models.F("credited")
                                ),
                            )
                        ),
                        name="clearing_is_the_difference",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="contributionfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["faulty", "withdrawn"]), _negated=True),
                fields=("region", "sha256"),
                name="contribution_file_once",
            ),
        ),
        migrations.AddIndex(
            model_name="contribution",
            index=models.Index(fields=["member", "month"], name="contribution_of_member"),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.UniqueConstraint(fields=("file", "line"), name="contribution_line_once"),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.UniqueConstraint(fields=("file", "member", "month"), name="contribution_once_in_file"),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(condition=models.Q(("base__gt", 0)), name="contribution_base_positive"),
        ),
        migrations.AddConstraint(
            model_name="creditrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("released_by", None),
                    ("planned_by", None),
                    models.Q(("released_by", models.F("planned_by")), _negated=True),
                    _connector="OR",
                ),
                name="credit_run_released_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("file__isnull", False), ("kind", "contributions")),
                    models.Q(models.Q(("kind", "contributions"), _negated=True), ("file", None)),
                    _connector="OR",
                ),
                name="credit_run_of_file",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["planned", "cancelled"]), ("released_at__isnull", False), _connector="OR"
                ),
                name="credit_run_released_when_it_works",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("file", None), ("state__in", ["planned", "running", "paused"])),
                fields=("region", "kind", "period"),
                name="credit_run_once_open",
            ),
        ),
        migrations.AddIndex(
            model_name="creditchunk",
            index=models.Index(condition=models.Q(("done", False)), fields=["run", "number"], name="credit_chunk_todo"),
        ),
        migrations.AddConstraint(
            model_name="creditchunk",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="credit_chunk_once"),
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON settlements_clearing;"),
    ]
