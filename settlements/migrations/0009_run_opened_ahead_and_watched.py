from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("settlements", "0008_account_years")]
    operations = [
        migrations.AddField(
            model_name="rolloverrun",
            name="resting_ms",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="rolloverrun",
            name="stalled_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="rolloverrun",
            name="current_rate",
            field=models.DecimalField(
                decimal_places=4, max_digits=7, null=True, verbose_name="interest on current, percent a year"
            ),
        ),
        migrations.AlterField(
            model_name="rolloverrun",
            name="historical_rate",
            field=models.DecimalField(
                decimal_places=4, max_digits=7, null=True, verbose_name="interest on historical, percent a year"
            ),
        ),
        migrations.AlterField(
            model_name="rolloverrun",
            name="state",
            field=models.CharField(
                choices=[
                    ("opened", "Waiting for rates"),
                    ("planned", "Planned"),
                    ("rehearsed", "Rehearsed"),
                    ("released", "Released"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("reconciled", "Reconciled"),
                    ("closed", "Closed"),
                    ("cancelled", "Cancelled"),
                ],
                default="planned",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloverrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_by", None),
                    ("planned_by", None),
                    models.Q(("closed_by", models.F("planned_by")), _negated=True),
                    _connector="OR",
                ),
                name="run_closed_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloverrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["opened", "cancelled"]),
                    models.Q(("current_rate__isnull", False), ("historical_rate__isnull", False)),
                    _connector="OR",
                ),
                name="run_planned_with_rates",
            ),
        ),
    ]
