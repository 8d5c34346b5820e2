import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("settlements", "0045_chunks_in_the_order_they_are_claimed")]

    operations = [
        migrations.AlterField(
            model_name="withdrawalapplication",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="withdrawals",
                to="settlements.personalaccount",
                verbose_name="personal account",
            ),
        ),
        migrations.AddConstraint(
            model_name="withdrawalapplication",
            constraint=models.CheckConstraint(
                name="without_account_it_is_inherited", condition=Q(account__isnull=False) | Q(reason="died")
            ),
        ),
        migrations.AlterField(
            model_name="payout",
            name="from_account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payouts",
                to="settlements.personalaccount",
                verbose_name="from the account",
            ),
        ),
    ]
