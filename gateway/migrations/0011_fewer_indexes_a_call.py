from django.db import migrations, models


class Migration(migrations.Migration):
    """A number that is unique has one index and not a second one for searches by its beginning; what nearly every row
    leaves empty has entries only where it is filled."""

    dependencies = [("gateway", "0010_keys_of_a_call")]
    operations = [
        migrations.RemoveConstraint(model_name="gatewaymessage", name="message_claim_once"),
        migrations.AddConstraint(
            model_name="gatewaymessage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("claim", None), _negated=True),
                fields=("institution", "claim"),
                name="message_claim_once",
            ),
        ),
        migrations.AlterField(
            model_name="visit",
            name="mdtrt_id",
            field=models.CharField(max_length=30, verbose_name="visit ID"),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.UniqueConstraint(fields=("mdtrt_id",), name="visit_number_once"),
        ),
        migrations.AlterField(
            model_name="visitsettlement",
            name="setl_id",
            field=models.CharField(max_length=30, verbose_name="settlement ID"),
        ),
        migrations.AlterField(
            model_name="visitsettlement",
            name="reversal_setl_id",
            field=models.CharField(max_length=30, null=True, verbose_name="settlement ID of the reversal"),
        ),
        migrations.AddConstraint(
            model_name="visitsettlement",
            constraint=models.UniqueConstraint(fields=("setl_id",), name="visit_settlement_number_once"),
        ),
        migrations.AddConstraint(
            model_name="visitsettlement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reversal_setl_id", None), _negated=True),
                fields=("reversal_setl_id",),
                name="visit_reversal_once",
            ),
        ),
    ]
