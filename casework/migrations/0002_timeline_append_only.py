from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("casework", "0001_initial"), ("accounts", "0002_audit_append_only")]
    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON casework_caseevent"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();",
            "DROP TRIGGER append_only ON casework_caseevent;",
        )
    ]
