import django.db.models.deletion
from django.db import migrations, models

# As in settlements 0023: a plan made while the table was nearly empty read the whole table for every call. Whoever
# replaces one of these functions says it again, for CREATE OR REPLACE forgets it.
BY_INDEX = """
ALTER FUNCTION gateway_batch(bigint, text, text, boolean) SET enable_seqscan = off;
ALTER FUNCTION gateway_finish(bigint, text, bytea, text, integer) SET enable_seqscan = off;
"""
AS_BEFORE = BY_INDEX.replace("SET enable_seqscan = off", "RESET enable_seqscan")


class Migration(migrations.Migration):
    """Indexes that another one begins with, or that nothing asks: every call wrote them, the message's twice."""

    dependencies = [
        ("accounts", "0007_message_index"),
        ("gateway", "0006_reconciling"),
    ]

    operations = [
        migrations.RunSQL(BY_INDEX, AS_BEFORE),
        migrations.AlterField(
            model_name="gatewaymessage",
            name="key",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="gateway.institutionkey",
                verbose_name="signing key",
            ),
        ),
        migrations.AlterField(
            model_name="gatewaymessage",
            name="institution",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gateway_messages",
                to="accounts.institution",
                verbose_name="institution",
            ),
        ),
        migrations.AlterField(
            model_name="visit",
            name="institution",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="visits",
                to="accounts.institution",
                verbose_name="institution",
            ),
        ),
        migrations.AlterField(
            model_name="visit",
            name="region",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                to="accounts.region",
                verbose_name="region of insurance",
            ),
        ),
    ]
