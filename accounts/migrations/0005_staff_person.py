from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_message_kind_name")]

    operations = [
        migrations.AddField("user", "person_index", models.CharField(editable=False, max_length=64, null=True))
    ]
