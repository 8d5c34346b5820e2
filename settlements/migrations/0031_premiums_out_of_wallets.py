import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

# A premium is paid out of an account or out of a wallet (decision 0026), never out of both.
OF_ACCOUNT = Q(wallet=None, account__isnull=False, benefit_year__isnull=False, amount=F("current") + F("historical"))
OF_WALLET = Q(wallet__isnull=False, account=None, benefit_year=None, current=0, historical=0)


class Migration(migrations.Migration):
    dependencies = [("settlements", "0030_accounts_locked_last")]
    operations = [
        migrations.RemoveConstraint(model_name="premiumpayment", name="premium_adds_up"),
        migrations.RemoveConstraint(model_name="walletentry", name="wallet_entry_has_its_cause"),
        migrations.AddField(
            model_name="premiumpayment",
            name="wallet",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlements.wallet",
                verbose_name="wallet",
            ),
        ),
        migrations.AlterField(
            model_name="premiumpayment",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlements.personalaccount",
                verbose_name="account",
            ),
        ),
        migrations.AlterField(model_name="premiumpayment", name="benefit_year", field=models.IntegerField(null=True)),
        migrations.AlterField(
            model_name="walletentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("sent", "Sent"),
                    ("returned", "Returned"),
                    ("care", "Care"),
                    ("reversal", "Reversal"),
                    ("premium", "Premium"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="premiumpayment",
            constraint=models.CheckConstraint(
                name="premium_adds_up",
                condition=Q(amount__gt=0, current__gte=0, historical__gte=0) & (OF_ACCOUNT | OF_WALLET),
            ),
        ),
        migrations.AddConstraint(
            model_name="walletentry",
            constraint=models.CheckConstraint(
                name="wallet_entry_has_its_cause",
                condition=Q(kind__in=["received", "returned"], delta__gt=0, transfer__isnull=False)
                | Q(kind="sent", delta__lt=0, transfer__isnull=False)
                | Q(kind="care", delta__lt=0, transfer=None)
                | Q(kind="reversal", delta__gt=0, transfer=None)
                | Q(kind="premium", transfer=None) & ~Q(delta=0),
            ),
        ),
    ]
