from django.db import migrations

# Messages to several members at once, sent in the statement that writes what they tell of.
TELL = """
CREATE FUNCTION accounts_tell(in_messages json, in_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_message (public_id, member_id, kind, params, created_at)
    SELECT gen_random_uuid(), member_id, kind, params, in_at
    FROM json_to_recordset(in_messages) AS m(member_id bigint, kind text, params jsonb);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_staff_person")]
    operations = [migrations.RunSQL(TELL, "DROP FUNCTION accounts_tell;")]
