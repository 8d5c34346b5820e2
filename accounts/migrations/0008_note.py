from django.db import migrations

# A line of the audit log about what a machine did, written in the statement that writes what it tells of.
NOTE = """
CREATE FUNCTION accounts_note(
    in_at timestamptz, in_actor text, in_action text, in_target text, in_member_id bigint, in_details jsonb, in_channel text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_auditevent (at, actor, action, target, member_id, reason, details, channel, session)
    VALUES (in_at, in_actor, in_action, in_target, in_member_id, '', in_details, in_channel, '');
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_message_index")]
    operations = [migrations.RunSQL(NOTE, "DROP FUNCTION accounts_note;")]
