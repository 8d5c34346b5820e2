import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes that another one begins with, or that nothing asks: every bill wrote them all."""

    dependencies = [
        ("accounts", "0005_staff_person"),
        ("settlements", "0016_bill_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="ledgertransaction",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AlterField(
            model_name="ledgertransaction",
            name="region",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, to="accounts.region", verbose_name="region"
            ),
        ),
        migrations.AlterField(
            model_name="settlement",
            name="institution",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="accounts.institution",
                verbose_name="institution",
            ),
        ),
        migrations.AlterField(
            model_name="settlement",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settlements",
                to="accounts.member",
                verbose_name="patient",
            ),
        ),
        migrations.AlterField(
            model_name="settlement",
            name="region",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, to="accounts.region", verbose_name="region"
            ),
        ),
        migrations.AlterField(
            model_name="settlementpayer",
            name="member",
            field=models.ForeignKey(
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
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="usage", to="accounts.member"
            ),
        ),
    ]
