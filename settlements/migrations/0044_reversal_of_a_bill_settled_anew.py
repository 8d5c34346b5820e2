import django.db.models.deletion
from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    """At the window a bill of an institution can be reversed, if it was settled anew."""

    dependencies = [("settlements", "0043_reversal_of_a_bill")]

    operations = [
        migrations.AlterField(
            model_name="billreversal",
            name="claim",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversals",
                to="settlements.claim",
                verbose_name="claim",
            ),
        ),
        migrations.AddField(
            model_name="billreversal",
            name="bill",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversals",
                to="settlements.settlement",
                verbose_name="bill",
            ),
        ),
        migrations.AddField(
            model_name="billreversal",
            name="bank",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="bank"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="billreversal",
            name="bank_account",
            field=accounts.fields.EncryptedTextField(blank=True, null=True, verbose_name="bank account"),
        ),
        migrations.AddConstraint(
            model_name="billreversal",
            constraint=models.CheckConstraint(
                condition=models.Q(("bill", None), ("claim__isnull", False))
                | models.Q(("bill__isnull", False), ("claim", None)),
                name="bill_reversal_of_one",
            ),
        ),
    ]
