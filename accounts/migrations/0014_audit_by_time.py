import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_last_day_of_a_role")]
    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=django.contrib.postgres.indexes.BrinIndex(
                name="audit_by_time", fields=["at"], autosummarize=True, pages_per_range=32
            ),
        ),
    ]
