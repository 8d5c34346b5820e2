from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="issueddocument",
            name="copy_hashes",
            field=ArrayField(
                base_field=models.CharField(max_length=64), blank=True, default=list, editable=False, size=None
            ),
        ),
    ]
