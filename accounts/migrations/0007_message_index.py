import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The member's index is the beginning of `message_inbox`: every message wrote it twice."""

    dependencies = [("accounts", "0006_tell")]
    operations = [
        migrations.AlterField(
            model_name="message",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="accounts.member",
            ),
        ),
    ]
