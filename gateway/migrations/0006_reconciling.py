import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.fields

# What was compared when, and what came out, is what an alarm and a dispute go by.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gateway_reconciliation
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_message_index"),
        ("gateway", "0005_stays"),
        ("settlements", "0021_reversals_by_day"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GatewayFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=30, unique=True, verbose_name="file query number")),
                (
                    "way",
                    models.CharField(
                        choices=[("uploaded", "sent to us"), ("result", "result")], max_length=10, verbose_name="way"
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name of the file")),
                ("size", models.IntegerField(verbose_name="bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("content", accounts.fields.EncryptedTextField(null=True)),
                ("made_at", models.DateTimeField(verbose_name="received at")),
                ("kept_until", models.DateTimeField(verbose_name="kept until")),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gateway_files",
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
            ],
            options={
                "verbose_name": "file of an institution",
                "verbose_name_plural": "files of institutions",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "infno",
                    models.CharField(
                        choices=[("3201", "totals (3201)"), ("3202", "details (3202)")],
                        max_length=4,
                        verbose_name="comparison",
                    ),
                ),
                ("msgid", models.CharField(max_length=30, verbose_name="message ID")),
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
                ("clr_type", models.CharField(max_length=6, verbose_name="clearing category")),
                ("refunds", models.CharField(blank=True, max_length=3, verbose_name="refund flag")),
                ("begins_on", models.DateField(verbose_name="from")),
                ("ends_on", models.DateField(verbose_name="to")),
                ("theirs", models.JSONField(default=dict, verbose_name="at the institution")),
                ("ours", models.JSONField(default=dict, verbose_name="here")),
                ("balanced", models.BooleanField(verbose_name="agrees")),
                ("differences_found", models.IntegerField(default=0, verbose_name="differences")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "institution",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reconciliations",
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.region",
                        verbose_name="region of insurance",
                    ),
                ),
                (
                    "result",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="gateway.gatewayfile",
                        verbose_name="result",
                    ),
                ),
                (
                    "uploaded",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="gateway.gatewayfile",
                        verbose_name="file",
                    ),
                ),
            ],
            options={
                "verbose_name": "reconciliation",
                "verbose_name_plural": "reconciliations",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Difference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing_here", "Only at the institution"),
                            ("missing_there", "Only here"),
                            ("amounts", "Amounts differ"),
                            ("reversed_here", "Reversed here only"),
                            ("reversed_there", "Reversed at the institution only"),
                            ("elsewhere", "Of another period or category here"),
                            ("repeated", "Twice in the institution's file"),
                        ],
                        max_length=14,
                        verbose_name="kind",
                    ),
                ),
                ("setl_id", models.CharField(max_length=30, verbose_name="settlement ID")),
                ("reversal", models.BooleanField(default=False, verbose_name="reversal")),
                ("mdtrt_id", models.CharField(blank=True, max_length=30, verbose_name="visit ID")),
                ("psn_no", models.CharField(blank=True, max_length=30, verbose_name="person number")),
                ("msgid", models.CharField(blank=True, max_length=30, verbose_name="message ID")),
                ("line", models.IntegerField(null=True, verbose_name="line of the file")),
                (
                    "our_total",
                    models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="total here"),
                ),
                (
                    "our_fund",
                    models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="funds here"),
                ),
                (
                    "our_accounts",
                    models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="accounts here"),
                ),
                (
                    "their_total",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="total there"),
                ),
                (
                    "their_fund",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="funds there"),
                ),
                (
                    "their_accounts",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="accounts there"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To be explained"),
                            ("explained", "Explained"),
                            ("closed", "Closed, nothing more to do"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="note")),
                ("found_at", models.DateTimeField(verbose_name="found at")),
                ("changed_at", models.DateTimeField(null=True, verbose_name="changed at")),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="changed by",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="differences",
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
                (
                    "found_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="found_first",
                        to="gateway.reconciliation",
                        verbose_name="found by",
                    ),
                ),
                (
                    "seen_last_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="found_again",
                        to="gateway.reconciliation",
                        verbose_name="seen last by",
                    ),
                ),
            ],
            options={
                "verbose_name": "difference",
                "verbose_name_plural": "differences",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("settlements", models.IntegerField(verbose_name="settlements and reversals")),
                (
                    "state",
                    models.CharField(
                        choices=[("balanced", "Agrees"), ("differs", "Does not agree"), ("missing", "Not reconciled")],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("parts", models.JSONField(default=list, verbose_name="parts")),
                ("looked_at", models.DateTimeField(verbose_name="looked at")),
                (
                    "institution",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reconciliation_days",
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
            ],
            options={
                "verbose_name": "day to reconcile",
                "verbose_name_plural": "days to reconcile",
                "ordering": ["-day", "institution"],
            },
        ),
        migrations.AddIndex(
            model_name="gatewayfile",
            index=models.Index(
                condition=models.Q(("content__isnull", False)), fields=["kept_until"], name="gateway_file_to_delete"
            ),
        ),
        migrations.AddIndex(
            model_name="gatewayfile",
            index=models.Index(
                condition=models.Q(("content__isnull", False)), fields=["institution"], name="gateway_file_kept"
            ),
        ),
        migrations.AddIndex(
            model_name="reconciliation",
            index=models.Index(fields=["institution", "-ends_on"], name="reconciliation_of_institution"),
        ),
        migrations.AddConstraint(
            model_name="reconciliation",
            constraint=models.CheckConstraint(
                condition=models.Q(("begins_on__lte", models.F("ends_on"))), name="reconciliation_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="reconciliation",
            constraint=models.CheckConstraint(
                condition=models.Q(("balanced", False), ("differences_found", 0), _connector="OR"),
                name="reconciliation_balanced_without_differences",
            ),
        ),
        migrations.AddIndex(
            model_name="difference",
            index=models.Index(fields=["institution", "state"], name="difference_by_state"),
        ),
        migrations.AddConstraint(
            model_name="difference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "closed"), _negated=True),
                fields=("institution", "setl_id", "reversal"),
                name="difference_once_unclosed",
            ),
        ),
        migrations.AddConstraint(
            model_name="difference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "open"),
                    models.Q(models.Q(("note", ""), _negated=True), ("changed_at__isnull", False)),
                    _connector="OR",
                ),
                name="difference_changed_with_note",
            ),
        ),
        migrations.AddIndex(
            model_name="reconciliationday",
            index=models.Index(fields=["-day", "state"], name="reconciliation_day_by_day"),
        ),
        migrations.AddConstraint(
            model_name="reconciliationday",
            constraint=models.UniqueConstraint(fields=("institution", "day"), name="reconciliation_day_once"),
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON gateway_reconciliation;"),
    ]
