import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

# The binaries bring no extension: a range over text makes equality known to gist, and pairs of characters are what a
# name is found by.
RANGE = 'CREATE TYPE code_range AS RANGE (subtype = text, collation = "C");'
GRAMS = """
CREATE FUNCTION catalogue_grams(in_region text, in_name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT in_region || ' ' || substr(lower(in_name), place, wide))
    FROM generate_series(1, length(in_name)) place, generate_series(1, 2) wide
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_message_index"),
        ("settlements", "0019_drafts_of_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(RANGE, "DROP TYPE code_range;"),
        migrations.RunSQL(GRAMS, "DROP FUNCTION catalogue_grams;"),
        migrations.CreateModel(
            name="CatalogueFault",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField(verbose_name="line")),
                ("column", models.CharField(blank=True, max_length=40, verbose_name="column")),
                ("code", models.CharField(max_length=40, verbose_name="mistake")),
                ("params", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "ordering": ["file", "line", "id"],
            },
        ),
        migrations.CreateModel(
            name="CatalogueFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateField(verbose_name="holds from")),
                ("whole", models.BooleanField(verbose_name="the whole catalogue")),
                ("name", models.CharField(max_length=120, verbose_name="name of the file")),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField(verbose_name="bytes")),
                ("content", models.BinaryField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("faulty", "Has mistakes"),
                            ("ready", "Waits for release"),
                            ("released", "Released"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="reading",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("refused", models.JSONField(blank=True, default=dict)),
                ("fault_count", models.IntegerField(default=0, verbose_name="rows with mistakes")),
                ("totals", models.JSONField(blank=True, default=dict, verbose_name="control totals")),
                ("uploaded_at", models.DateTimeField(verbose_name="uploaded at")),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read at")),
                ("released_at", models.DateTimeField(blank=True, null=True, verbose_name="released at")),
            ],
            options={
                "verbose_name": "catalogue file",
                "verbose_name_plural": "catalogue files",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CatalogueRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField(verbose_name="line")),
                ("code", models.CharField(max_length=50, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "item_class",
                    models.CharField(
                        choices=[("A", "Class A"), ("B", "Class B"), ("C", "Class C")],
                        max_length=1,
                        verbose_name="class",
                    ),
                ),
                ("self_pay_percent", models.DecimalField(decimal_places=2, max_digits=5)),
                ("price_limit", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                (
                    "change",
                    models.CharField(
                        choices=[("new", "New"), ("changed", "Changed"), ("unchanged", "Unchanged")],
                        default="new",
                        max_length=9,
                    ),
                ),
                ("class_before", models.CharField(blank=True, max_length=1)),
                ("percent_before", models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                ("limit_before", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                ("ends_on", models.DateField(null=True)),
            ],
            options={
                "ordering": ["file", "line"],
            },
        ),
        migrations.AddIndex(
            model_name="catalogueitem",
            index=models.Index(
                fields=["region", "code"],
                name="catalogue_by_code",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="catalogueitem",
            index=django.contrib.postgres.indexes.GinIndex(
                models.Func(models.F("region"), models.F("name"), function="catalogue_grams"), name="catalogue_by_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"),
                name="catalogue_period",
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    (
                        models.Func(
                            django.db.models.functions.comparison.Cast("code", models.TextField()),
                            django.db.models.functions.comparison.Cast("code", models.TextField()),
                            models.Value("[]"),
                            function="code_range",
                        ),
                        "&&",
                    ),
                    (
                        models.Func(
                            django.db.models.functions.comparison.Cast("region", models.TextField()),
                            django.db.models.functions.comparison.Cast("region", models.TextField()),
                            models.Value("[]"),
                            function="code_range",
                        ),
                        "&&",
                    ),
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
                name="catalogue_no_overlap",
            ),
        ),
        migrations.AddField(
            model_name="cataloguefile",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="accounts.region", verbose_name="region"
            ),
        ),
        migrations.AddField(
            model_name="cataloguefile",
            name="released_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="released by",
            ),
        ),
        migrations.AddField(
            model_name="cataloguefile",
            name="uploaded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="uploaded by",
            ),
        ),
        migrations.AddField(
            model_name="cataloguefault",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="faults", to="settlements.cataloguefile"
            ),
        ),
        migrations.AddField(
            model_name="cataloguerow",
            name="file",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rows",
                to="settlements.cataloguefile",
            ),
        ),
        migrations.AddField(
            model_name="cataloguerow",
            name="item",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="settlements.catalogueitem",
            ),
        ),
        migrations.AddConstraint(
            model_name="cataloguefile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["faulty", "withdrawn"]), _negated=True),
                fields=("region", "valid_from", "sha256"),
                name="catalogue_file_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="cataloguefile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("released_by", None),
                    models.Q(("released_by", models.F("uploaded_by")), _negated=True),
                    _connector="OR",
                ),
                name="catalogue_released_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="cataloguefile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("released_at__isnull", False), ("released_by__isnull", False), ("state", "released")),
                    models.Q(models.Q(("state", "released"), _negated=True), ("released_by", None)),
                    _connector="OR",
                ),
                name="catalogue_released_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="cataloguerow",
            constraint=models.UniqueConstraint(fields=("file", "code"), name="catalogue_code_once_in_file"),
        ),
    ]
