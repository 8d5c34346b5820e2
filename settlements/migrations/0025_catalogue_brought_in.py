from django.db import migrations, models
from django.db.models import Q

STATES = [
    ("reading", "Being read"),
    ("faulty", "Has mistakes"),
    ("ready", "Waits for release"),
    ("releasing", "Being brought in"),
    ("released", "Released"),
    ("withdrawn", "Withdrawn"),
]
LET_GO = ["releasing", "released"]


def state() -> models.CharField:
    return models.CharField(choices=STATES, default="reading", max_length=10, verbose_name="state")


class Migration(migrations.Migration):
    """A released catalogue is brought in by a worker: until it is, it is released already, by whom and when."""

    dependencies = [("settlements", "0024_keys_of_a_bill")]

    operations = [
        migrations.AlterField("cataloguefile", "state", state()),
        migrations.AlterField("contributionfile", "state", state()),
        migrations.RemoveConstraint("cataloguefile", "catalogue_released_whole"),
        migrations.AddConstraint(
            "cataloguefile",
            models.CheckConstraint(
                name="catalogue_released_whole",
                condition=Q(state__in=LET_GO, released_by__isnull=False, released_at__isnull=False)
                | ~Q(state__in=LET_GO) & Q(released_by=None),
            ),
        ),
    ]
