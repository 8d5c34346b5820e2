from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("settlements", "0041_payments_listed_for_the_bank")]

    operations = [
        migrations.RemoveConstraint(model_name="walletentry", name="wallet_entry_has_its_cause"),
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
                    ("inherited", "To the heirs"),
                ],
                max_length=10,
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
                | Q(kind="premium", transfer=None) & ~Q(delta=0)
                | Q(kind="inherited", delta__lt=0, transfer=None),
            ),
        ),
    ]
