from django.db import migrations

# The one definition of "the account in the next benefit year": the shown balance, the lazy touch and the batch all
# read it. One row in, one row out, of the same shape, so that several years are one call after the other. A SQL
# function, not PL/pgSQL: it is inlined into the statement that calls it.
#
# Amounts in yuan, rates in percent a year, interest = balance x days x rate / 360, both parts summed before the one
# rounding (half up: round() of numeric rounds ties away from zero, and interest is never negative). A year whose run
# was not released rolls without interest; it is posted later from the products kept on the rollover entry.
ACCOUNT_NEXT = """
CREATE FUNCTION account_next(
    in_region text, in_year integer, in_current numeric, in_historical numeric, in_debt numeric,
    in_current_products numeric, in_historical_products numeric, in_since date
) RETURNS TABLE (
    closed_year integer, year integer, boundary date,
    current_products numeric, historical_products numeric,
    moved numeric, rolled_historical numeric, rolled_debt numeric,
    interest numeric, historical numeric, debt numeric, run_id bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT in_year, in_year + 1, starts_on,
        cp, hp,
        in_current, greatest(net, 0), greatest(-net, 0),
        gain, greatest(net + gain, 0), greatest(-net - gain, 0), run
    FROM (
        SELECT y.starts_on, r.id AS run,
            in_historical + in_current - in_debt AS net,
            in_current_products + in_current * greatest(y.starts_on - in_since, 0) AS cp,
            in_historical_products + in_historical * greatest(y.starts_on - in_since, 0) AS hp,
            round((
                (in_current_products + in_current * greatest(y.starts_on - in_since, 0)) * coalesce(r.current_rate, 0)
                + (in_historical_products + in_historical * greatest(y.starts_on - in_since, 0))
                  * coalesce(r.historical_rate, 0)
            ) / 36000, 2) AS gain
        FROM accounts_benefityear y
        LEFT JOIN settlements_rolloverrun r
            ON r.region_id = y.region_id AND r.year = in_year
            AND r.state IN ('released', 'running', 'paused', 'reconciled', 'closed')
        WHERE y.region_id = in_region AND y.year = in_year + 1
    ) AS closing
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0002_ledger_append_only"), ("accounts", "0002_audit_append_only")]
    operations = [migrations.RunSQL(ACCOUNT_NEXT, "DROP FUNCTION account_next;")]
