import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_text_messages_grow_old"),
        ("gateway", "0017_no_plain_diagnoses"),
    ]

    operations = [
        migrations.CreateModel(
            name="TurnedAway",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("code", models.CharField(max_length=40, verbose_name="reason")),
                ("calls", models.IntegerField(verbose_name="calls")),
                ("last_at", models.DateTimeField(verbose_name="last call")),
                (
                    "institution",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
            ],
            options={
                "verbose_name": "calls turned away",
                "verbose_name_plural": "calls turned away",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "institution", "code"), name="turned_away_once", nulls_distinct=False
                    )
                ],
            },
        ),
    ]
