from django.db import migrations

# Messages about transfers told their moment as "2026-11-23 06:00"; a fact called `…_at` is told as every other date is.
AS_MOMENT = """
UPDATE accounts_message
SET params = params - 'until'
    || jsonb_build_object('until_at', replace(params ->> 'until', ' ', 'T') || ':00+08:00')
WHERE kind IN ('wallet_sent', 'wallet_accepted', 'wallet_returned') AND params ? 'until'
"""
AS_TEXT = """
UPDATE accounts_message
SET params = params - 'until_at' || jsonb_build_object('until', to_char(
    (params ->> 'until_at')::timestamptz AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'))
WHERE kind IN ('wallet_sent', 'wallet_accepted', 'wallet_returned') AND params ? 'until_at'
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_message_index"), ("settlements", "0035_less_a_bill")]
    operations = [migrations.RunSQL(AS_MOMENT, AS_TEXT)]
