from django.db import migrations, models


class Migration(migrations.Migration):
    """A bill that was settled anew and goes back at the window goes back on another day than its settlement: what went
    back is looked for by the institution's own record."""

    dependencies = [("gateway", "0018_calls_turned_away")]

    operations = [
        migrations.AddIndex(
            model_name="visitsettlement",
            index=models.Index(
                condition=models.Q(("reversed_at__isnull", False)),
                fields=["reversed_at"],
                name="visit_settlement_back",
            ),
        )
    ]
