import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import settlements.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("settlements", "0009_run_opened_ahead_and_watched"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="AdjustmentChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("counted", models.BooleanField(default=False)),
                ("due_accounts", models.IntegerField(default=0)),
                ("due", settlements.models.fields.Yuan(default=0)),
                ("due_debt", settlements.models.fields.Yuan(default=0)),
                ("by_products", settlements.models.fields.Yuan(default=0)),
                ("done", models.BooleanField(default=False)),
                ("accounts", models.IntegerField(default=0)),
                ("posted", settlements.models.fields.Yuan(default=0)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "adjustment chunk",
                "verbose_name_plural": "adjustment chunks",
                "ordering": ["adjustment", "number"],
            },
        ),
        migrations.CreateModel(
            name="RolloverAdjustment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("counting", "Being counted"),
                            ("counted", "Counted"),
                            ("running", "Posting"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="counting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("old_current_rate", models.DecimalField(decimal_places=4, max_digits=7)),
                ("old_historical_rate", models.DecimalField(decimal_places=4, max_digits=7)),
                ("current_rate", models.DecimalField(decimal_places=4, max_digits=7)),
                ("historical_rate", models.DecimalField(decimal_places=4, max_digits=7)),
                ("planned_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "rollover adjustment",
                "verbose_name_plural": "rollover adjustments",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="rolloveradjustment",
            name="planned_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="rolloveradjustment",
            name="released_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="rolloveradjustment",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustments",
                to="settlements.rolloverrun",
                verbose_name="rollover run",
            ),
        ),
        migrations.AddField(
            model_name="adjustmentchunk",
            name="adjustment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="settlements.rolloveradjustment"
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloveradjustment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["counting", "counted", "running"])),
                fields=("run",),
                name="adjustment_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloveradjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("released_by", None),
                    ("planned_by", None),
                    models.Q(("released_by", models.F("planned_by")), _negated=True),
                    _connector="OR",
                ),
                name="adjustment_released_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloveradjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["running", "done"]), _negated=True),
                    ("released_at__isnull", False),
                    _connector="OR",
                ),
                name="adjustment_released_when_it_posts",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloveradjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("current_rate__gte", 0),
                    ("current_rate__lt", 20),
                    ("historical_rate__gte", 0),
                    ("historical_rate__lt", 20),
                ),
                name="adjustment_rates_sane",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloveradjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("current_rate", models.F("old_current_rate")),
                    ("historical_rate", models.F("old_historical_rate")),
                    _negated=True,
                ),
                name="adjustment_changes_a_rate",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentchunk",
            constraint=models.UniqueConstraint(fields=("adjustment", "number"), name="adjustment_chunk_once"),
        ),
    ]
