import uuid

import django.db.models.deletion
from django.db import migrations, models

import settlements.models.fields

# A transfer ends once, and what was sent stays what it was; afterwards only that the sender was told may be noted.
ENDS_ONCE = """
CREATE FUNCTION transfer_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - ARRAY['state', 'ended_at', 'ending_id', 'told_at']
       IS DISTINCT FROM to_jsonb(NEW) - ARRAY['state', 'ended_at', 'ending_id', 'told_at']
       OR OLD.state <> 'pending' AND (to_jsonb(OLD) - 'told_at' IS DISTINCT FROM to_jsonb(NEW) - 'told_at')
       OR OLD.told_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'transfer % is a fact', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE ON settlements_wallettransfer
FOR EACH ROW EXECUTE FUNCTION transfer_ends_once();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON settlements_wallettransfer
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements_walletentry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
BACK = """
DROP TRIGGER ends_once ON settlements_wallettransfer;
DROP TRIGGER append_only ON settlements_wallettransfer;
DROP TRIGGER append_only ON settlements_walletentry;
DROP FUNCTION transfer_ends_once();
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0013_premiums")]
    operations = [
        migrations.CreateModel(
            name="Wallet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("balance", settlements.models.fields.Yuan(default=0, verbose_name="balance")),
                ("version", models.BigIntegerField(default=0, verbose_name="version")),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet",
                        to="accounts.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.region",
                        verbose_name="place of use",
                    ),
                ),
            ],
            options={
                "verbose_name": "wallet",
                "verbose_name_plural": "wallets",
            },
        ),
        migrations.CreateModel(
            name="WalletTransfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("spouse", "Spouse"),
                            ("parent", "Parent"),
                            ("child", "Child"),
                            ("sibling", "Brother or sister"),
                            ("grandparent", "Grandparent"),
                            ("grandchild", "Grandchild"),
                            ("parent_in_law", "Spouse's parent"),
                        ],
                        max_length=20,
                        verbose_name="relation",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("account", "Personal account"), ("wallet", "Wallet")],
                        max_length=10,
                        verbose_name="from",
                    ),
                ),
                ("amount", settlements.models.fields.Yuan(verbose_name="amount")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("expires_at", models.DateTimeField(verbose_name="returns at")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting to be accepted"),
                            ("accepted", "Taken into the wallet"),
                            ("returned", "Returned"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="settlements.personalaccount",
                        verbose_name="personal account",
                    ),
                ),
                (
                    "ending",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfer_ended",
                        to="settlements.ledgertransaction",
                    ),
                ),
                (
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_received",
                        to="accounts.member",
                        verbose_name="receiver",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_sent",
                        to="accounts.member",
                        verbose_name="sender",
                    ),
                ),
                (
                    "sending",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfer_sent",
                        to="settlements.ledgertransaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sent",
                        to="settlements.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "wallet transfer",
                "verbose_name_plural": "wallet transfers",
                "ordering": ["-sent_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="WalletEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id", "version", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("sent", "Sent"),
                            ("returned", "Returned"),
                            ("care", "Care"),
                            ("reversal", "Reversal"),
                        ],
                        max_length=10,
                    ),
                ),
                ("business_date", models.DateField()),
                ("delta", settlements.models.fields.Yuan()),
                ("after", settlements.models.fields.Yuan()),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_entries",
                        to="settlements.ledgertransaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="settlements.wallet",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="settlements.wallettransfer",
                    ),
                ),
            ],
            options={
                "verbose_name": "wallet entry",
                "verbose_name_plural": "wallet entries",
                "ordering": ["wallet", "-version"],
            },
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(condition=models.Q(("balance__gte", 0)), name="wallet_never_negative"),
        ),
        migrations.AddIndex(
            model_name="wallettransfer",
            index=models.Index(
                condition=models.Q(("state", "pending")), fields=["account"], name="transfer_pending_by_account"
            ),
        ),
        migrations.AddIndex(
            model_name="wallettransfer",
            index=models.Index(fields=["receiver", "-sent_at"], name="transfer_by_receiver"),
        ),
        migrations.AddIndex(
            model_name="wallettransfer",
            index=models.Index(fields=["sender", "-sent_at"], name="transfer_by_sender"),
        ),
        migrations.AddConstraint(
            model_name="wallettransfer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "pending")), fields=("sender",), name="transfer_one_pending"
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(("sender", models.F("receiver")), _negated=True), name="transfer_not_to_self"
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransfer",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="transfer_positive"),
        ),
        migrations.AddConstraint(
            model_name="wallettransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account__isnull", False), ("source", "account")),
                    models.Q(("account", None), ("source", "wallet")),
                    _connector="OR",
                ),
                name="transfer_has_its_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallettransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ending", None), ("state", "pending")),
                    models.Q(
                        models.Q(("state", "pending"), _negated=True),
                        ("ended_at__isnull", False),
                        ("ending__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="transfer_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("after__gte", 0), ("version__gt", 0)), name="wallet_entry_never_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="walletentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delta__gt", 0), ("kind__in", ["received", "returned"]), ("transfer__isnull", False)),
                    models.Q(("delta__lt", 0), ("kind", "sent"), ("transfer__isnull", False)),
                    models.Q(("delta__lt", 0), ("kind", "care"), ("transfer", None)),
                    models.Q(("delta__gt", 0), ("kind", "reversal"), ("transfer", None)),
                    _connector="OR",
                ),
                name="wallet_entry_has_its_cause",
            ),
        ),
        migrations.RunSQL(ENDS_ONCE, BACK),
    ]
