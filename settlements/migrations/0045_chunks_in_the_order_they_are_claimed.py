from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("settlements", "0044_reversal_of_a_bill_settled_anew")]
    operations = [
        migrations.RemoveIndex(model_name="rolloverchunk", name="chunk_todo"),
        migrations.AddIndex(
            model_name="rolloverchunk",
            index=models.Index(
                name="chunk_todo", fields=["run", "visits", "number"], condition=models.Q(("done", False))
            ),
        ),
    ]
