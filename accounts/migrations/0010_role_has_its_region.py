from django.db import migrations, models


class Migration(migrations.Migration):
    """A clerk, supervisor or region administrator without a region held everywhere; such a slip ends here."""

    dependencies = [("accounts", "0009_password_set_at")]

    operations = [
        migrations.RunSQL(
            "UPDATE accounts_roleassignment SET ended_at = now() WHERE ended_at IS NULL AND region_id IS NULL"
            " AND role NOT IN ('system_admin', 'auditor')",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            "roleassignment",
            models.CheckConstraint(
                name="role_has_its_region",
                condition=models.Q(("ended_at", None), _negated=True)
                | models.Q(("region", None), _negated=True)
                | models.Q(("role__in", ["system_admin", "auditor"])),
                violation_error_message="Choose the region in which the role holds",
            ),
        ),
    ]
