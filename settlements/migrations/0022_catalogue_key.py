import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.expressions
from django.db import migrations, models

# A range over text knows no distance, so gist cannot keep an index over it in order: with two hundred thousand codes a
# catalogue took minutes to bring in. A hash of 62 bits in its place is a number, and two codes of one region practically
# never share one; if they did, the second would be refused, not mixed up.
KEY = """
CREATE FUNCTION catalogue_key(in_region text, in_code text) RETURNS int8range LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT int8range(key, key, '[]')
    FROM (SELECT hashtextextended(in_region || ' ' || in_code, 0) & 4611686018427387903) AS hashed(key)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0021_reversals_by_day")]

    operations = [
        migrations.RemoveConstraint("catalogueitem", "catalogue_no_overlap"),
        migrations.RunSQL(
            "DROP TYPE code_range;", 'CREATE TYPE code_range AS RANGE (subtype = text, collation = "C");'
        ),
        migrations.RunSQL(KEY, "DROP FUNCTION catalogue_key;"),
        migrations.AddConstraint(
            "catalogueitem",
            django.contrib.postgres.constraints.ExclusionConstraint(
                name="catalogue_no_overlap",
                expressions=[
                    (models.Func(models.F("region"), models.F("code"), function="catalogue_key"), "&&"),
                    (
                        models.Func(
                            models.F("valid_from"),
                            models.F("valid_to"),
                            models.Value("[)"),
                            function="daterange",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
            ),
        ),
    ]
