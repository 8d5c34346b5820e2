from django.db import migrations

# Its key is what keeps a period from being credited twice: a row that could be taken away would undo that.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements_credit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0006_fewer_indexes")]
    operations = [migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON settlements_credit;")]
