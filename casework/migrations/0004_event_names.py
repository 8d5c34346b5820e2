from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casework", "0003_holidays_2026")]

    operations = [
        migrations.AlterField("caseevent", "actor_role", models.CharField("role", max_length=12)),
        migrations.AlterField("caseevent", "verb", models.CharField("step", max_length=20)),
    ]
