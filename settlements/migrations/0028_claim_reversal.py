import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A settled claim can be undone: its bill may then be claimed anew."""

    dependencies = [("settlements", "0027_wallet_pays_bills")]

    operations = [
        migrations.RemoveConstraint(model_name="claim", name="claim_void_not_settled"),
        migrations.CreateModel(
            name="ClaimReversal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim_reversal",
                        to="casework.case",
                        verbose_name="case",
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="settlements.claim",
                        verbose_name="claim",
                    ),
                ),
            ],
            options={
                "verbose_name": "reversal of a claim",
                "verbose_name_plural": "reversals of claims",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=~models.Q(reason=""), name="claim_reversal_has_reason")
                ],
            },
        ),
    ]
