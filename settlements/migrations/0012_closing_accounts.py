from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import accounts.fields
import settlements.models.fields

REASONS = [
    ("emigrated", "Settled abroad"),
    ("gave_up", "Gave up the employee insurance"),
    ("cannot_transfer", "Moved to a place that cannot receive the balance"),
    ("settled_elsewhere", "Lives elsewhere for good, in retirement or for work"),
    ("retired_elsewhere", "Registered elsewhere, of retirement age, and cannot transfer"),
    ("died", "Died"),
    ("moved", "Insured in another region now"),
]
RELATIONS = [
    ("spouse", "Spouse"),
    ("parent", "Parent"),
    ("child", "Child"),
    ("sibling", "Brother or sister"),
    ("grandparent", "Grandparent"),
    ("grandchild", "Grandchild"),
    ("parent_in_law", "Spouse's parent"),
]
WAYS = [
    ("bank", "To a bank account"),
    ("account", "Into a personal account"),
    ("region", "To another region"),
    ("fund", "To the pooled fund: no heir"),
]

# Shares are of one whole. Over several rows, so no CHECK can say it; deferred, so that rows may be written one by one.
SHARES_WHOLE = """
CREATE FUNCTION payees_are_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    application bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.application_id ELSE NEW.application_id END;
    total numeric;
BEGIN
    SELECT sum(percent) INTO total FROM settlements_payee WHERE application_id = application;
    IF total <> 100 THEN
        RAISE EXCEPTION 'the shares of application % come to % percent', application, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payees_are_whole AFTER INSERT OR UPDATE OR DELETE ON settlements_payee
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payees_are_whole();
"""

# Whatever comes back to a closed account (a reversed bill, interest of the year) is its payees' money. The account is
# marked by the same statement that brings it, whoever writes that, so that none of it is forgotten.
LATE = """
CREATE FUNCTION account_late_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := 'late';
    RETURN NEW;
END $$;
CREATE TRIGGER late_money BEFORE UPDATE ON settlements_personalaccount
FOR EACH ROW WHEN (OLD.status = 'closed' AND NEW.status = 'closed' AND (NEW.current <> 0 OR NEW.historical <> 0))
EXECUTE FUNCTION account_late_money();
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements_payout
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def key() -> tuple[str, models.Field]:
    return "id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def to(model: str, related: str, **more: object) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=f"{model}", related_name=related, **more)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_staff_person"),
        ("casework", "0004_event_names"),
        ("settlements", "0011_clawback"),
    ]
    operations = [
        migrations.AlterField(
            "personalaccount",
            "status",
            models.CharField(
                choices=[("open", "Open"), ("closed", "Closed"), ("late", "Closed, with late money")],
                default="open",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.AddConstraint(
            "personalaccount",
            models.CheckConstraint(
                name="account_closed_is_empty", condition=~Q(status="closed") | Q(current=0, historical=0)
            ),
        ),
        migrations.CreateModel(
            "WithdrawalApplication",
            fields=[
                key(),
                ("reason", models.CharField(choices=REASONS, max_length=20, verbose_name="reason")),
                ("since", models.DateField(verbose_name="since")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="casework.case",
                        verbose_name="case",
                    ),
                ),
                ("account", to("settlements.personalaccount", "withdrawals", verbose_name="personal account")),
            ],
            options={
                "verbose_name": "application to close an account",
                "verbose_name_plural": "applications to close accounts",
            },
        ),
        migrations.CreateModel(
            "Payee",
            fields=[
                key(),
                ("position", models.PositiveSmallIntegerField()),
                ("way", models.CharField(choices=WAYS, max_length=10, verbose_name="how it is paid")),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5, verbose_name="share, percent")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("id_number", accounts.fields.EncryptedTextField(null=True, verbose_name="ID number")),
                (
                    "relation",
                    models.CharField(blank=True, choices=RELATIONS, max_length=20, verbose_name="to the deceased"),
                ),
                ("bank", models.CharField(blank=True, max_length=60, verbose_name="bank")),
                ("bank_account", accounts.fields.EncryptedTextField(null=True, verbose_name="bank account")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="payees",
                        to="settlements.withdrawalapplication",
                    ),
                ),
                ("member", to("accounts.member", "+", null=True)),
                ("region", to("accounts.region", "+", null=True)),
            ],
            options={
                "verbose_name": "payee",
                "verbose_name_plural": "payees",
                "ordering": ["application", "position"],
                "constraints": [
                    models.UniqueConstraint(name="payee_position_once", fields=["application", "position"]),
                    models.CheckConstraint(name="payee_share", condition=Q(percent__gt=0, percent__lte=Decimal(100))),
                    models.CheckConstraint(
                        name="payee_can_be_paid",
                        condition=Q(way="bank", bank_account__isnull=False) & ~Q(bank="")
                        | Q(way="account", member__isnull=False)
                        | Q(way="region")
                        | Q(way="fund", percent=Decimal(100)),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Payout",
            fields=[
                key(),
                ("amount", settlements.models.fields.Yuan(verbose_name="amount, yuan")),
                ("payee", to("settlements.payee", "payouts", verbose_name="payee")),
                ("transaction", to("settlements.ledgertransaction", "payouts", verbose_name="ledger transaction")),
                ("from_account", to("settlements.personalaccount", "payouts", verbose_name="from the account")),
                ("to_account", to("settlements.personalaccount", "+", null=True, verbose_name="into the account")),
            ],
            options={
                "verbose_name": "payout",
                "verbose_name_plural": "payouts",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(name="payout_once_a_payee", fields=["transaction", "payee"]),
                    models.CheckConstraint(name="payout_positive", condition=Q(amount__gt=0)),
                ],
            },
        ),
        migrations.RunSQL(
            SHARES_WHOLE, "DROP TRIGGER payees_are_whole ON settlements_payee; DROP FUNCTION payees_are_whole();"
        ),
        migrations.RunSQL(
            LATE, "DROP TRIGGER late_money ON settlements_personalaccount; DROP FUNCTION account_late_money();"
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON settlements_payout;"),
    ]
