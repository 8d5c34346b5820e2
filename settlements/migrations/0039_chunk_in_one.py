from django.db import migrations

# A visit of a chunk by one call: its claim, what was planned of it and what commits it were three trips, and its plan was
# made anew for each thousand accounts.
#
# A row that a movement holds is skipped: its holder rolls it, and the chunk is visited again. Several years behind: one
# year after the other, each with its own rates and as a transaction of its own. The chunk's totals, and what is given
# back ([accounts, moved, netted, interest, left], in yuan), speak of the year that the run closes.
#
# `|| ''` and `+ 0` leave the planner no index but that of the ids: one by region and year would read the whole region for
# each chunk, once its statistics have aged. It then takes a thousand accounts for two: so no nested loops, or each account
# would be looked up by itself a second time to be written. A visit that ended because it had enough is not counted: its
# chunk is the next to be gone on with. Whoever replaces this with CREATE OR REPLACE says the settings again.
ROLLOVER_CHUNK = """
CREATE FUNCTION rollover_chunk(in_chunk bigint, in_most integer, in_now timestamptz) RETURNS text
LANGUAGE plpgsql SET enable_seqscan = off SET enable_nestloop = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    todo record;
    behind record;
    closing record;
    visit record;
BEGIN
    SELECT c.first_id, c.last_id, r.region_id, r.year,
        format('%s:%s:%s:%s', r.id, c.number, c.visits + 1, c.accounts) AS key INTO STRICT todo
    FROM settlements_rolloverchunk c JOIN settlements_rolloverrun r ON r.id = c.run_id WHERE c.id = in_chunk;

    SELECT count(*) AS accounts, min(benefit_year) AS year INTO behind FROM settlements_personalaccount
    WHERE id BETWEEN todo.first_id AND todo.last_id
        AND region_id || '' = todo.region_id AND benefit_year + 0 <= todo.year;

    -- Types as in the loop: the plan of what comes after it is kept.
    SELECT 0::bigint AS accounts, 0::numeric AS moved, 0::numeric AS netted, 0::numeric AS interest INTO visit;
    FOR closing IN
        SELECT y.year - 1 AS closed_year, y.* FROM account_years(todo.region_id) y
        WHERE y.year BETWEEN behind.year + 1 AND todo.year + 1 ORDER BY y.year
    LOOP
        WITH due AS MATERIALIZED (
            SELECT id, version, current, historical, debt, current_products, historical_products, products_on
            FROM settlements_personalaccount
            WHERE id BETWEEN todo.first_id AND todo.last_id
                AND region_id || '' = todo.region_id AND benefit_year + 0 = closing.closed_year
            ORDER BY id LIMIT in_most
            FOR NO KEY UPDATE SKIP LOCKED
        ), rolled AS (
            UPDATE settlements_personalaccount a
            SET benefit_year = closing.year, current = 0, historical = n.historical, debt = n.debt,
                version = d.version + 1 + (n.interest <> 0)::int, current_products = 0, historical_products = 0,
                products_on = closing.boundary
            FROM due d, LATERAL account_closed(
                d.current, d.historical, d.debt, d.current_products, d.historical_products, d.products_on,
                closing.boundary, closing.current_rate, closing.historical_rate
            ) n
            WHERE a.id BETWEEN todo.first_id AND todo.last_id AND a.id = d.id
            RETURNING a.id, d.version + 1 AS version, d.current AS current_before, d.historical AS historical_before,
                d.debt AS debt_before, n.*
        ), totals AS (
            SELECT count(*) AS accounts, coalesce(sum(current_before), 0) AS moved,
                coalesce(sum(debt_before - debt), 0) AS netted, coalesce(sum(interest), 0) AS interest
            FROM rolled
        ), cause AS (
            INSERT INTO settlements_ledgertransaction
                (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
            SELECT 'rollover', closing.boundary, in_now, todo.region_id, 'rollover',
                todo.key || ':' || closing.closed_year, '',
                jsonb_build_object('accounts', accounts, 'moved', moved::text, 'netted', netted::text,
                                   'interest', interest::text), ''
            FROM totals
            RETURNING id
        ), entered AS (
            INSERT INTO settlements_entry
                (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta,
                 historical_delta, debt_delta, current_after, historical_after, debt_after, contra, contra_id,
                 current_products, historical_products)
            SELECT r.id, version, cause.id, 'rollover', closing.boundary, closing.closed_year, -current_before,
                rolled_historical - historical_before, rolled_debt - debt_before, 0, rolled_historical, rolled_debt,
                '', NULL, current_products, historical_products
            FROM rolled r, cause
            UNION ALL
            SELECT r.id, version + 1, cause.id, 'interest', closing.boundary, closing.year, 0,
                historical - rolled_historical, debt - rolled_debt, 0, historical, debt,
                'interest', closing.run_id, NULL, NULL
            FROM rolled r, cause WHERE interest <> 0
        )
        SELECT * INTO visit FROM totals;
    END LOOP;

    UPDATE settlements_rolloverchunk c
    SET accounts = c.accounts + visit.accounts, moved = c.moved + visit.moved, netted = c.netted + visit.netted,
        interest = c.interest + visit.interest,
        visits = visits + (visit.accounts IS DISTINCT FROM in_most OR behind.accounts = visit.accounts)::int,
        done = behind.accounts = visit.accounts,
        done_at = CASE WHEN behind.accounts = visit.accounts THEN in_now END
    WHERE c.id = in_chunk;
    RETURN json_build_array(
        visit.accounts, visit.moved, visit.netted, visit.interest, behind.accounts - visit.accounts
    )::text;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0038_plans_kept")]
    operations = [migrations.RunSQL(ROLLOVER_CHUNK, "DROP FUNCTION rollover_chunk;")]
