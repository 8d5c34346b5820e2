from django.db import migrations, models

# `output` may stand among the fields that an institution's software misses: what it is told where a transaction has none.
OWN = "'infcode', 'inf_refmsgid', 'refmsg_time', 'respond_time', 'warn_msg', 'cainfo', 'signtype', 'err_msg'"
ALTER = """
ALTER TABLE gateway_institutionsettings DROP CONSTRAINT institution_extra_fields;
ALTER TABLE gateway_institutionsettings ADD CONSTRAINT institution_extra_fields
CHECK (jsonb_typeof(extra_fields) = 'object' AND NOT extra_fields ?| ARRAY[%s] AND %s);
"""
SOMETHING = """(
    NOT extra_fields ? 'output'
    OR (jsonb_typeof(extra_fields -> 'output') = 'object' AND extra_fields -> 'output' <> '{}')
)"""


class Migration(migrations.Migration):
    dependencies = [("gateway", "0012_lines_in_a_function")]
    operations = [
        migrations.RunSQL(ALTER % (OWN, SOMETHING), ALTER % (f"{OWN}, 'output'", "true")),
        migrations.AlterField(
            model_name="institutionsettings",
            name="extra_fields",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text='Fields that this software misses beside infcode, as JSON, for instance {"enctype": ""}. If it'
                ' takes an answer without output for a failure: {"output": {"result": "ok"}}, told where a transaction'
                " has none.",
                verbose_name="more fields of the answer",
            ),
        ),
    ]
