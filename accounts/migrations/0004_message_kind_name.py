from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_role_exclusion")]

    operations = [migrations.AlterField("message", "kind", models.CharField("kind", max_length=40))]
