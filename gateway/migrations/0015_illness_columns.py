from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    """Beside the plain ones, which the next two migrations read and drop."""

    dependencies = [("gateway", "0014_keyed_hashes")]
    operations = [
        migrations.AddField(
            model_name="visit",
            name="illness",
            field=accounts.fields.EncryptedTextField(editable=False, null=True, verbose_name="condition and disease"),
        ),
        migrations.AddField(
            model_name="diagnosis",
            name="said",
            field=accounts.fields.EncryptedTextField(editable=False, null=True, verbose_name="diagnosis"),
        ),
        migrations.AddField(
            model_name="diagnosis", name="code_index", field=models.CharField(editable=False, max_length=64, null=True)
        ),
    ]
