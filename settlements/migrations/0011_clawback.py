import django.db.models.deletion
from django.db import migrations, models

import settlements.models.fields

# What went back is the reason why the rest of a year may be credited a second time: a row taken away would undo that.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements_clawback
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0010_rollover_adjustment")]
    operations = [
        # "2025.2", "2026-04.2": credited again after it went back.
        migrations.AlterField("credit", "period", models.CharField(max_length=10)),
        migrations.CreateModel(
            name="Clawback",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "period",
                        "transaction_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("period", models.CharField(max_length=10)),
                ("left_on", models.DateField(verbose_name="left on")),
                ("amount", settlements.models.fields.Yuan(verbose_name="goes back")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clawbacks",
                        to="settlements.personalaccount",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clawbacks",
                        to="settlements.ledgertransaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "clawback",
                "verbose_name_plural": "clawbacks",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="clawback_positive")
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON settlements_clawback;"),
    ]
