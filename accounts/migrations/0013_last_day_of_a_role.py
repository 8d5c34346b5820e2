from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_text_messages_grow_old")]
    operations = [
        migrations.AddField(
            model_name="roleassignment",
            name="last_day",
            field=models.DateField(
                blank=True,
                help_text="Empty: the role holds until somebody ends it.",
                null=True,
                verbose_name="last day",
            ),
        ),
    ]
