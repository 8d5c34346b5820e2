from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("settlements", "0040_why_a_draft_was_discarded")]

    operations = [
        migrations.AddField(
            model_name="reimbursement",
            name="listed_on",
            field=models.DateField(blank=True, null=True, verbose_name="in a file for the bank since"),
        ),
    ]
