import django.contrib.postgres.indexes
from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_audit_by_login")]
    operations = [
        migrations.AlterField(
            model_name="smsoutbox",
            name="text",
            field=accounts.fields.EncryptedTextField(editable=False, null=True, verbose_name="text"),
        ),
        # Backwards: what was emptied cannot be told again.
        migrations.RunSQL(migrations.RunSQL.noop, "DELETE FROM accounts_smsoutbox WHERE text IS NULL;"),
        migrations.AddIndex(
            model_name="smsoutbox",
            index=models.Index(
                name="sms_code_text",
                fields=["created_at"],
                condition=models.Q(kind__regex="^(code|unknown):") & models.Q(text__isnull=False),
            ),
        ),
        migrations.AddIndex(
            model_name="smsoutbox",
            index=django.contrib.postgres.indexes.BrinIndex(
                name="sms_by_time", fields=["created_at"], autosummarize=True, pages_per_range=32
            ),
        ),
    ]
