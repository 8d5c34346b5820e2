from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_role_has_its_region")]
    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                name="audit_by_login", fields=["actor_id", "at"], condition=models.Q(actor_id__isnull=False)
            ),
        ),
    ]
