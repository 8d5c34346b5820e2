import django.db.models.deletion
from django.db import migrations, models

# As in settlements 0024: what these keys name is never deleted. Members and settlements have their trigger; a visit gets
# it here, and a signing key, which keeps its institution too. A check locked the row of the institution for every call, so
# that calls of one institution wrote the same row at the same time.
STAYS = """
CREATE TRIGGER stays BEFORE DELETE OR UPDATE OF {columns} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
# Both are encrypted: nothing would come of trying to make them smaller.
AS_THEY_ARE = """
ALTER TABLE gateway_gatewaymessage ALTER COLUMN body SET STORAGE {0}, ALTER COLUMN answer SET STORAGE {0};
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_note"),
        ("gateway", "0009_calls_in_functions"),
        ("settlements", "0027_wallet_pays_bills"),
    ]
    operations = [
        *[
            migrations.RunSQL(STAYS.format(table=table, columns=columns), f"DROP TRIGGER stays ON {table};")
            for table, columns in (("gateway_visit", "id"), ("gateway_institutionkey", "id, institution_id"))
        ],
        migrations.RunSQL(AS_THEY_ARE.format("EXTERNAL"), AS_THEY_ARE.format("EXTENDED")),
        migrations.AlterField(
            model_name="feeline",
            name="visit",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="gateway.visit",
                verbose_name="visit",
            ),
        ),
        migrations.AlterField(
            model_name="gatewaymessage",
            name="institution",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gateway_messages",
                to="accounts.institution",
                verbose_name="institution",
            ),
        ),
        migrations.AlterField(
            model_name="gatewaymessage",
            name="key",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="gateway.institutionkey",
                verbose_name="signing key",
            ),
        ),
        migrations.AlterField(
            model_name="visit",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="visits",
                to="accounts.member",
                verbose_name="member",
            ),
        ),
        migrations.AlterField(
            model_name="visitsettlement",
            name="settlement",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="visit_settlement",
                to="settlements.settlement",
                verbose_name="settlement",
            ),
        ),
        migrations.AlterField(
            model_name="visitsettlement",
            name="visit",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settlements",
                to="gateway.visit",
                verbose_name="visit",
            ),
        ),
    ]
