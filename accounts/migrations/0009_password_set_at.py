from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_note")]

    operations = [
        migrations.AddField("user", "password_set_at", models.DateTimeField(null=True, editable=False)),
    ]
