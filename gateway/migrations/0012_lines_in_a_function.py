from django.db import migrations

# New lines, in the order in which they are given: sent with the answer of 2204 and with the bill of 2102.
CHARGE = """
CREATE FUNCTION gateway_charge(in_lines json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gateway_feeline
        (visit_id, sn, batch, code, own_code, occurred_at, quantity, price, amount, item_class, self_pay_percent,
         price_limit, in_scope, pre_self_pay, over_limit, off_catalogue, cancelled_at, takes_back_id)
    SELECT visit_id, sn, batch, code, own_code, occurred_at, quantity, price, amount, item_class, self_pay_percent,
        price_limit, in_scope, pre_self_pay, over_limit, off_catalogue, cancelled_at, takes_back_id
    FROM json_populate_recordset(NULL::gateway_feeline, in_lines);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("gateway", "0011_fewer_indexes_a_call")]
    operations = [migrations.RunSQL(CHARGE, "DROP FUNCTION gateway_charge;")]
