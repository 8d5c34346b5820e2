from django.db import migrations, models


class Migration(migrations.Migration):
    """What an institution reversed on a day, for reconciliation and clearing; a bill that stands is not in it."""

    dependencies = [("settlements", "0020_catalogue_files")]
    operations = [
        migrations.AddIndex(
            model_name="settlement",
            index=models.Index(
                condition=models.Q(("reversed_on__isnull", False)),
                fields=["institution", "reversed_on"],
                name="settlement_reversed_there",
            ),
        )
    ]
