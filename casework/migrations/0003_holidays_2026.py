import datetime

from django.db import migrations

# General Office of the State Council, 4 November 2025, printed by Xinhua the same day
# (politics.gmw.cn/2025-11/04/content_38391083.htm). Only days that differ from their weekday.
HOLIDAYS = [
    ("元旦", ["2026-01-01", "2026-01-02"]),
    ("春节", ["2026-02-16", "2026-02-17", "2026-02-18", "2026-02-19", "2026-02-20", "2026-02-23"]),
    ("清明节", ["2026-04-06"]),
    ("劳动节", ["2026-05-01", "2026-05-04", "2026-05-05"]),
    ("端午节", ["2026-06-19"]),
    ("中秋节", ["2026-09-25"]),
    ("国庆节", ["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"]),
]
WORKED = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def add(apps, schema_editor):
    exceptions = apps.get_model("casework", "WorkingDayException")
    rows = [(day, False, name) for name, days in HOLIDAYS for day in days] + [(day, True, "调休上班") for day in WORKED]
    for day, is_working, name in rows:
        exceptions.objects.get_or_create(
            day=datetime.date.fromisoformat(day), defaults={"is_working": is_working, "name": name}
        )


class Migration(migrations.Migration):
    dependencies = [("casework", "0002_timeline_append_only")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
