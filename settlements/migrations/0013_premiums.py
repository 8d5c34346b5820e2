import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import settlements.models.fields

# A payment is a fact; all that may still happen to it is to be given back, once.
REFUNDED_ONCE = """
CREATE FUNCTION premium_refunded_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.refunded_on IS NOT NULL OR NEW.refunded_on IS NULL
       OR to_jsonb(OLD) - 'refunded_on' IS DISTINCT FROM to_jsonb(NEW) - 'refunded_on'
    THEN
        RAISE EXCEPTION 'premium payment % is a fact', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refunded_once BEFORE UPDATE ON settlements_premiumpayment
FOR EACH ROW EXECUTE FUNCTION premium_refunded_once();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON settlements_premiumpayment
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
BACK = """
DROP TRIGGER refunded_once ON settlements_premiumpayment;
DROP TRIGGER append_only ON settlements_premiumpayment;
DROP FUNCTION premium_refunded_once();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_staff_person"),
        ("family", "0004_limit_may_be_nothing"),
        ("settlements", "0012_closing_accounts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="PremiumPayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "insurance",
                    models.CharField(
                        choices=[
                            ("employee", "Employee medical insurance"),
                            ("resident", "Resident medical insurance"),
                        ],
                        max_length=10,
                        verbose_name="insurance",
                    ),
                ),
                ("year", models.IntegerField(verbose_name="year")),
                ("group", models.CharField(blank=True, max_length=40, verbose_name="group")),
                ("group_names", models.JSONField(default=dict)),
                ("amount", settlements.models.fields.Yuan(verbose_name="amount")),
                ("benefit_from", models.DateField(verbose_name="benefits from")),
                ("benefit_year", models.IntegerField()),
                ("current", settlements.models.fields.Yuan(default=0, verbose_name="from current")),
                ("historical", settlements.models.fields.Yuan(default=0, verbose_name="from historical")),
                ("paid_on", models.DateField(verbose_name="paid on")),
                ("refunded_on", models.DateField(blank=True, null=True, verbose_name="refunded on")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlements.personalaccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="family.sharinggrant",
                        verbose_name="grant",
                    ),
                ),
                (
                    "insured",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.member",
                        verbose_name="insured person",
                    ),
                ),
                (
                    "payer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss_for",
                        to="accounts.member",
                        verbose_name="payer",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.region",
                        verbose_name="region",
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="premium",
                        to="settlements.ledgertransaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "premium payment",
                "verbose_name_plural": "premium payments",
                "ordering": ["-paid_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="PremiumOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "insurance",
                    models.CharField(
                        choices=[
                            ("employee", "Employee medical insurance"),
                            ("resident", "Resident medical insurance"),
                        ],
                        max_length=10,
                        verbose_name="insurance",
                    ),
                ),
                ("year", models.IntegerField(verbose_name="year")),
                ("group", models.CharField(blank=True, max_length=40, verbose_name="group")),
                ("group_names", models.JSONField(default=dict)),
                ("amount", settlements.models.fields.Yuan(verbose_name="amount")),
                ("benefit_from", models.DateField(verbose_name="benefits from")),
                ("buckets", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for the month's end"),
                            ("paid", "Paid"),
                            ("failed", "Passed on to the tax office"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("ordered_at", models.DateTimeField(verbose_name="ordered at")),
                ("due_on", models.DateField(verbose_name="debited on")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("refused", models.CharField(blank=True, max_length=40, verbose_name="refused because")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="family.sharinggrant",
                        verbose_name="grant",
                    ),
                ),
                (
                    "insured",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.member",
                        verbose_name="insured person",
                    ),
                ),
                (
                    "payer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss_for",
                        to="accounts.member",
                        verbose_name="payer",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.region",
                        verbose_name="region",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="order",
                        to="settlements.premiumpayment",
                        verbose_name="payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "premium order",
                "verbose_name_plural": "premium orders",
                "ordering": ["-ordered_at"],
            },
        ),
        migrations.CreateModel(
            name="PremiumPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "insurance",
                    models.CharField(
                        choices=[
                            ("employee", "Employee medical insurance"),
                            ("resident", "Resident medical insurance"),
                        ],
                        max_length=10,
                        verbose_name="insurance",
                    ),
                ),
                ("year", models.IntegerField(verbose_name="year")),
                ("valid_from", models.DateField(verbose_name="from")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="until, exclusive")),
                ("data", models.JSONField(verbose_name="rule")),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="premium_plans",
                        to="accounts.region",
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "verbose_name": "premium",
                "verbose_name_plural": "premiums",
                "ordering": ["region", "insurance", "-year", "-valid_from"],
            },
        ),
        migrations.AddIndex(
            model_name="premiumpayment",
            index=models.Index(fields=["payer", "-paid_on"], name="premium_by_payer"),
        ),
        migrations.AddConstraint(
            model_name="premiumpayment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("refunded_on", None)), fields=("insured", "insurance", "year"), name="premium_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="premiumpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount", models.F("current") + models.F("historical")),
                    ("amount__gt", 0),
                    ("current__gte", 0),
                    ("historical__gte", 0),
                ),
                name="premium_adds_up",
            ),
        ),
        migrations.AddIndex(
            model_name="premiumorder",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["due_on"], name="premium_order_due"),
        ),
        migrations.AddConstraint(
            model_name="premiumorder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting")),
                fields=("insured", "insurance", "year"),
                name="premium_order_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="premiumorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("payment", None), ("refused", ""), ("state", "waiting")),
                    models.Q(
                        ("ended_at__isnull", False), ("payment__isnull", False), ("refused", ""), ("state", "paid")
                    ),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("payment", None),
                        ("state", "failed"),
                        models.Q(("refused", ""), _negated=True),
                    ),
                    models.Q(("ended_at__isnull", False), ("payment", None), ("refused", ""), ("state", "withdrawn")),
                    _connector="OR",
                ),
                name="premium_order_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="premiumorder",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="premium_order_positive"),
        ),
        migrations.AddConstraint(
            model_name="premiumplan",
            constraint=models.UniqueConstraint(
                fields=("region", "insurance", "year", "valid_from"), name="premium_plan_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="premiumplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"),
                name="premium_plan_period",
            ),
        ),
        migrations.RunSQL(REFUNDED_ONCE, BACK),
    ]
