import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.fields
import settlements.models.fields

# What was settled anew in the place of what cannot be told any more once the row is gone.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements_recalculatedbill
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_staff_person"),
        ("casework", "0004_event_names"),
        ("settlements", "0014_wallet"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="entry",
            name="contra",
            field=models.CharField(
                blank=True,
                choices=[
                    ("opening", "Opening balances"),
                    ("contribution", "Contributions"),
                    ("institution", "Institutions"),
                    ("claim", "Paid out for bills paid in cash"),
                    ("interest", "Interest"),
                    ("clearing", "Clearing"),
                    ("premium", "Premiums"),
                    ("wallet", "Wallets in transit"),
                    ("withdrawal", "Withdrawals"),
                    ("", "None: within the account"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opening", "Opening balance"),
                    ("credit", "Credit"),
                    ("care", "Care"),
                    ("claim", "Manual reimbursement"),
                    ("reversal", "Reversal"),
                    ("rollover", "Year-end rollover"),
                    ("interest", "Interest"),
                    ("clearing", "Clearing"),
                    ("premium", "Premium"),
                    ("wallet", "Wallet"),
                    ("withdrawal", "Withdrawal"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="ledgertransaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opening", "Opening balance"),
                    ("credit", "Credit"),
                    ("care", "Care"),
                    ("claim", "Manual reimbursement"),
                    ("reversal", "Reversal"),
                    ("rollover", "Year-end rollover"),
                    ("interest", "Interest"),
                    ("clearing", "Clearing"),
                    ("premium", "Premium"),
                    ("wallet", "Wallet"),
                    ("withdrawal", "Withdrawal"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Recalculation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("benefit_year", models.IntegerField(verbose_name="benefit year")),
                ("preview", models.JSONField(default=list, verbose_name="preview")),
                ("bank", models.CharField(blank=True, max_length=60, verbose_name="bank")),
                (
                    "bank_account",
                    accounts.fields.EncryptedTextField(blank=True, null=True, verbose_name="bank account"),
                ),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recalculation",
                        to="casework.case",
                        verbose_name="case",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recalculations",
                        to="accounts.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "recalculation",
                "verbose_name_plural": "recalculations",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("service_on", models.DateField(verbose_name="day of care")),
                (
                    "kind",
                    models.CharField(
                        choices=[("outpatient", "Outpatient"), ("inpatient", "Inpatient"), ("pharmacy", "Pharmacy")],
                        max_length=10,
                        verbose_name="kind of care",
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("primary", "Community or first level"),
                            ("secondary", "Second level"),
                            ("tertiary", "Third level"),
                            ("top", "Top hospital"),
                        ],
                        max_length=10,
                        verbose_name="level",
                    ),
                ),
                ("in_scope", settlements.models.fields.Yuan(verbose_name="in scope")),
                ("pre_self_pay", settlements.models.fields.Yuan(default=0, verbose_name="pre-self-pay")),
                ("self_paid", settlements.models.fields.Yuan(default=0, verbose_name="off-catalogue")),
                ("invoice_number", models.CharField(max_length=40, verbose_name="number of the invoice")),
                ("bank", models.CharField(max_length=60, verbose_name="bank")),
                ("bank_account", accounts.fields.EncryptedTextField(verbose_name="bank account")),
                ("void", models.BooleanField(default=False, verbose_name="void")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim",
                        to="casework.case",
                        verbose_name="case",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="accounts.member",
                        verbose_name="patient",
                    ),
                ),
                (
                    "settlement",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim",
                        to="settlements.settlement",
                        verbose_name="settlement",
                    ),
                ),
            ],
            options={
                "verbose_name": "claim",
                "verbose_name_plural": "claims",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("void", False)),
                        fields=("institution", "service_on", "invoice_number"),
                        name="invoice_claimed_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("in_scope__gte", 0), ("pre_self_pay__gte", 0), ("self_paid__gte", 0)),
                        name="claim_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(in_scope=0, pre_self_pay=0, self_paid=0, _negated=True),
                        name="claim_not_empty",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("void", False), ("settlement", None), _connector="OR"),
                        name="claim_void_not_settled",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecalculatedBill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "new",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaces",
                        to="settlements.settlement",
                    ),
                ),
                (
                    "old",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="settlements.settlement",
                    ),
                ),
                (
                    "recalculation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bills",
                        to="settlements.recalculation",
                    ),
                ),
            ],
            options={
                "verbose_name": "recalculated bill",
                "verbose_name_plural": "recalculated bills",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("old", models.F("new")), _negated=True), name="recalculated_is_another"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reimbursement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", settlements.models.fields.Yuan(verbose_name="amount, yuan")),
                ("bank", models.CharField(blank=True, max_length=60, verbose_name="bank")),
                (
                    "bank_account",
                    accounts.fields.EncryptedTextField(blank=True, null=True, verbose_name="bank account"),
                ),
                ("decided_on", models.DateField(verbose_name="decided on")),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="paid on")),
                ("reference", models.CharField(blank=True, max_length=40, verbose_name="number of the bank order")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reimbursement",
                        to="casework.case",
                        verbose_name="case",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="entered by",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reimbursements",
                        to="accounts.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "reimbursement",
                "verbose_name_plural": "reimbursements",
                "ordering": ["done_on", "decided_on", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="reimbursement_of_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_by", None), ("done_on", None), ("reference", "")),
                            models.Q(
                                ("done_by__isnull", False),
                                ("done_on__isnull", False),
                                models.Q(("reference", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="reimbursement_done_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON settlements_recalculatedbill;"),
    ]
