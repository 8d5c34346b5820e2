import django.db.models.deletion
from django.db import migrations, models

# Nothing that a bill points at with these keys is ever deleted: transactions and settlements had their trigger already,
# members, accounts and grants get it here. So a key that is right when it is written stays right, and it is written by
# functions that have just locked or inserted what it names. Each check at COMMIT cost more than the insert of its row.
STAYS = """
CREATE TRIGGER stays BEFORE DELETE OR UPDATE OF id ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_message_index"),
        ("family", "0004_limit_may_be_nothing"),
        ("settlements", "0023_bill_in_two"),
    ]
    operations = [
        *[
            migrations.RunSQL(STAYS.format(table=table), f"DROP TRIGGER stays ON {table};")
            for table in ("accounts_member", "settlements_personalaccount", "family_sharinggrant")
        ],
        migrations.AlterField(
            model_name="entry",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="settlements.personalaccount",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="transaction",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="settlements.ledgertransaction",
            ),
        ),
        migrations.AlterField(
            model_name="settlement",
            name="patient",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settlements",
                to="accounts.member",
                verbose_name="patient",
            ),
        ),
        migrations.AlterField(
            model_name="settlement",
            name="transaction",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settlement",
                to="settlements.ledgertransaction",
            ),
        ),
        migrations.AlterField(
            model_name="settlementpayer",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlements.personalaccount",
            ),
        ),
        migrations.AlterField(
            model_name="settlementpayer",
            name="grant",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="family.sharinggrant",
            ),
        ),
        migrations.AlterField(
            model_name="settlementpayer",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="paid_for",
                to="accounts.member",
            ),
        ),
        migrations.AlterField(
            model_name="settlementpayer",
            name="settlement",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payers",
                to="settlements.settlement",
            ),
        ),
        migrations.AlterField(
            model_name="usage",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage",
                to="accounts.member",
            ),
        ),
    ]
