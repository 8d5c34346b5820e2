import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import accounts.fields

# A typing mistake would shut an institution out, or let everybody in: the database takes networks only.
NETWORKS = """
ALTER TABLE gateway_institutionsettings ADD CONSTRAINT institution_networks CHECK (networks::cidr[] IS NOT NULL);
"""
EXTRA = """
ALTER TABLE gateway_institutionsettings ADD CONSTRAINT institution_extra_fields
CHECK (jsonb_typeof(extra_fields) = 'object' AND NOT extra_fields ?| ARRAY[
    'infcode', 'inf_refmsgid', 'refmsg_time', 'respond_time', 'warn_msg', 'cainfo', 'signtype', 'err_msg', 'output'
]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("gateway", "0002_bill_functions"),
    ]
    operations = [
        migrations.CreateModel(
            name="InstitutionSettings",
            fields=[
                (
                    "institution",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="gateway_settings",
                        serialize=False,
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
                (
                    "infcode_as_text",
                    models.BooleanField(
                        default=False,
                        help_text='Some programs compare infcode with "0", others with 0. The interface says: a number.',
                        verbose_name="infcode as text",
                    ),
                ),
                (
                    "extra_fields",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Fields that this software misses beside infcode, as JSON, for instance"
                        ' {"enctype": ""}.',
                        verbose_name="more fields of the answer",
                    ),
                ),
                (
                    "networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=43),
                        blank=True,
                        default=list,
                        help_text="Addresses or networks from which it calls, such as 203.0.113.0/24. Empty: from"
                        " anywhere.",
                        size=None,
                        verbose_name="allowed addresses",
                    ),
                ),
                (
                    "sign_in_required",
                    models.BooleanField(
                        default=False,
                        help_text="Every call but 9001 and 9002 must hold a sign_no of the day.",
                        verbose_name="sign in first",
                    ),
                ),
            ],
            options={
                "verbose_name": "interface settings",
                "verbose_name_plural": "interface settings",
                "ordering": ["institution"],
            },
        ),
        migrations.RunSQL(NETWORKS, migrations.RunSQL.noop),
        migrations.RunSQL(EXTRA, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sign_no", models.CharField(max_length=30, verbose_name="sign-in number")),
                ("operator", models.CharField(max_length=20, verbose_name="operator")),
                ("mac", models.CharField(max_length=20, verbose_name="MAC address")),
                ("ip", models.CharField(max_length=50, verbose_name="address, as told")),
                ("signed_in_at", models.DateTimeField(verbose_name="signed in at")),
                ("expires_at", models.DateTimeField(verbose_name="ends by itself at")),
                ("signed_out_at", models.DateTimeField(blank=True, null=True, verbose_name="signed out at")),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sign_ins",
                        to="accounts.institution",
                        verbose_name="institution",
                    ),
                ),
            ],
            options={"verbose_name": "sign-in", "verbose_name_plural": "sign-ins", "ordering": ["-id"]},
        ),
        migrations.AddConstraint(
            model_name="signin",
            constraint=models.UniqueConstraint(fields=("institution", "sign_no"), name="sign_no_once"),
        ),
        migrations.AddConstraint(
            model_name="signin",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("signed_in_at")),
                    models.Q(
                        ("signed_out_at", None), ("signed_out_at__gte", models.F("signed_in_at")), _connector="OR"
                    ),
                ),
                name="sign_in_period",
            ),
        ),
        migrations.AlterField(
            model_name="institutionkey",
            name="variant",
            field=models.CharField(
                choices=[
                    ("x-tif", "x-tif headers, SHA-256"),
                    ("x-ca", "x-ca headers, HMAC-SM3 over the body"),
                    ("api", "_api_ headers, HmacSHA1"),
                    ("apikey", "API key only, no signature"),
                ],
                default="x-tif",
                max_length=10,
                verbose_name="signature",
            ),
        ),
        migrations.AlterField(
            model_name="gatewaymessage",
            name="body",
            field=accounts.fields.EncryptedTextField(editable=False, null=True, verbose_name="request body"),
        ),
        migrations.AddIndex(
            model_name="gatewaymessage",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["received_at"], name="message_by_time", pages_per_range=32
            ),
        ),
    ]
