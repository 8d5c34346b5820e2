from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gateway", "0007_less_a_call")]
    operations = [
        migrations.AddField(
            model_name="institutionsettings",
            name="one_is_own",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "Usually 1 is the own account and then the relatives', 2 the relatives' alone. Where the region's"
                    " edition knows 2 as the relatives' too, tick this: 1 is the own account alone, 2 the own and then"
                    " the relatives'."
                ),
                verbose_name="acct_used_flag 1 is the own account alone",
            ),
        )
    ]
