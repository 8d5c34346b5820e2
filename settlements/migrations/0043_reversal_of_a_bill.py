import django.db.models.deletion
from django.db import migrations, models

# The cases name their kind by a text.
KIND = "UPDATE casework_case SET kind = '{new}' WHERE kind = '{old}'"


class Migration(migrations.Migration):
    """The reversal of a claim becomes that of a bill; of which, the next migration says."""

    dependencies = [("settlements", "0042_wallets_are_inherited"), ("casework", "0004_event_names")]

    operations = [
        migrations.RenameModel("ClaimReversal", "BillReversal"),
        migrations.AlterModelOptions(
            name="billreversal",
            options={
                "ordering": ["-id"],
                "verbose_name": "reversal of a bill",
                "verbose_name_plural": "reversals of bills",
            },
        ),
        migrations.AlterField(
            model_name="billreversal",
            name="case",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bill_reversal",
                to="casework.case",
                verbose_name="case",
            ),
        ),
        migrations.RemoveConstraint(model_name="billreversal", name="claim_reversal_has_reason"),
        migrations.AddConstraint(
            model_name="billreversal",
            constraint=models.CheckConstraint(condition=~models.Q(("reason", "")), name="bill_reversal_has_reason"),
        ),
        migrations.RunSQL(
            KIND.format(old="claim_reversal", new="bill_reversal"),
            KIND.format(old="bill_reversal", new="claim_reversal"),
        ),
    ]
