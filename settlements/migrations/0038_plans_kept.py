from django.db import migrations

# PostgreSQL takes a list of unknown length for ten, so a plan made for the list that is there always looks cheaper than one
# that is kept: it was made anew for every bill, which was two fifths of claiming, looking and locking. A bill touches each
# table by its key: there is one plan.
KEPT = """
ALTER FUNCTION ledger_open(bigint, integer[], bigint[], date, timestamptz, boolean) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION care_look(bigint, text, date, date, boolean, boolean, boolean) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION care_begin(text, date, timestamptz, text, text, text, text, bigint, bigint, text, date, boolean, boolean,
    boolean, timestamptz, boolean) SET plan_cache_mode = force_generic_plan;
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0037_quote_in_one")]
    operations = [
        migrations.RunSQL(KEPT, KEPT.replace("SET plan_cache_mode = force_generic_plan", "RESET plan_cache_mode"))
    ]
