from importlib import import_module

from django.db import migrations

# account_next in two halves, for the batch: what a year is to everybody of a region (its first day, the rates), and what
# it does to one account. Asked for each account alone, the first half costs a look-up in two tables an account, and the
# planner cannot know that it is always the same; the batch reads it once a chunk. Still one definition: account_next
# is nothing but the two joined. SQL functions, inlined into the statement that calls them.
#
# Amounts in yuan, rates in percent a year, interest = balance x days x rate / 360, both parts summed before the one
# rounding (half up: round() of numeric rounds ties away from zero, and interest is never negative). A year whose run
# was not released rolls without interest; it is posted later from the products kept on the rollover entry.
ACCOUNT_YEARS = """
CREATE FUNCTION account_years(in_region text) RETURNS TABLE (
    year integer, boundary date, run_id bigint, current_rate numeric, historical_rate numeric
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT y.year, y.starts_on, r.id, coalesce(r.current_rate, 0), coalesce(r.historical_rate, 0)
    FROM accounts_benefityear y
    LEFT JOIN settlements_rolloverrun r
        ON r.region_id = y.region_id AND r.year = y.year - 1
        AND r.state IN ('released', 'running', 'paused', 'reconciled', 'closed')
    WHERE y.region_id = in_region
$$;
"""
# OFFSET 0 keeps the planner from writing the days' products out again in each place where they stand.
ACCOUNT_CLOSED = """
CREATE FUNCTION account_closed(
    in_current numeric, in_historical numeric, in_debt numeric,
    in_current_products numeric, in_historical_products numeric, in_since date,
    in_boundary date, in_current_rate numeric, in_historical_rate numeric
) RETURNS TABLE (
    current_products numeric, historical_products numeric,
    moved numeric, rolled_historical numeric, rolled_debt numeric,
    interest numeric, historical numeric, debt numeric
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT cp, hp, in_current, greatest(net, 0), greatest(-net, 0), gain, greatest(net + gain, 0), greatest(-net - gain, 0)
    FROM (
        SELECT in_historical + in_current - in_debt AS net, cp, hp,
            round((cp * in_current_rate + hp * in_historical_rate) / 36000, 2) AS gain
        FROM (
            SELECT in_current_products + in_current * greatest(in_boundary - in_since, 0) AS cp,
                in_historical_products + in_historical * greatest(in_boundary - in_since, 0) AS hp
            OFFSET 0
        ) AS products
        OFFSET 0
    ) AS closing
$$;
"""
ACCOUNT_NEXT = """
CREATE OR REPLACE FUNCTION account_next(
    in_region text, in_year integer, in_current numeric, in_historical numeric, in_debt numeric,
    in_current_products numeric, in_historical_products numeric, in_since date
) RETURNS TABLE (
    closed_year integer, year integer, boundary date,
    current_products numeric, historical_products numeric,
    moved numeric, rolled_historical numeric, rolled_debt numeric,
    interest numeric, historical numeric, debt numeric, run_id bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT in_year, in_year + 1, y.boundary, c.current_products, c.historical_products,
        c.moved, c.rolled_historical, c.rolled_debt, c.interest, c.historical, c.debt, y.run_id
    FROM account_years(in_region) y, LATERAL account_closed(
        in_current, in_historical, in_debt, in_current_products, in_historical_products, in_since,
        y.boundary, y.current_rate, y.historical_rate
    ) c
    WHERE y.year = in_year + 1
$$;
"""
BEFORE = import_module("settlements.migrations.0003_account_next").ACCOUNT_NEXT
BACK = BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("settlements", "0007_credit_append_only")]
    operations = [
        migrations.RunSQL(ACCOUNT_YEARS, "DROP FUNCTION account_years;"),
        migrations.RunSQL(ACCOUNT_CLOSED, "DROP FUNCTION account_closed;"),
        migrations.RunSQL(ACCOUNT_NEXT, BACK),
    ]
