from django.db import migrations

# A visit of a chunk by one call: its claim, what was planned of it and what commits it were three trips, and its plan was
# made anew for each thousand accounts.
#
# A row that a movement holds is skipped: its holder rolls it, and the chunk is visited again. Several years behind: one
# year after the other, each with its own rates. The totals of the chunk speak of the year that the run closes.
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
    visit record;
BEGIN
    SELECT c.first_id, c.last_id, r.region_id, r.year,
        format('%s:%s:%s:%s', r.id, c.number, c.visits + 1, c.accounts) AS key INTO STRICT todo
    FROM settlements_rolloverchunk c JOIN settlements_rolloverrun r ON r.id = c.run_id WHERE c.id = in_chunk;

    WITH RECURSIVE due AS MATERIALIZED (
        SELECT id, benefit_year, version, current, historical, debt, current_products, historical_products, products_on
        FROM settlements_personalaccount
        WHERE id BETWEEN todo.first_id AND todo.last_id
            AND region_id || '' = todo.region_id AND benefit_year + 0 <= todo.year
        ORDER BY id LIMIT in_most
        FOR NO KEY UPDATE SKIP LOCKED
    ), years AS MATERIALIZED (
        SELECT y.year - 1 AS closed_year, y.* FROM account_years(todo.region_id) y WHERE y.year <= todo.year + 1
    ), rolled AS (
        SELECT d.id, d.version + 1 AS version, d.current::numeric AS current_before,
            d.historical::numeric AS historical_before, d.debt::numeric AS debt_before,
            y.closed_year, y.year, y.boundary, y.run_id, n.*
        FROM due d JOIN years y ON y.closed_year = d.benefit_year, LATERAL account_closed(
            d.current, d.historical, d.debt, d.current_products, d.historical_products, d.products_on,
            y.boundary, y.current_rate, y.historical_rate
        ) n
        UNION ALL
        SELECT r.id, r.version + 1 + (r.interest <> 0)::int, 0, r.historical, r.debt,
            y.closed_year, y.year, y.boundary, y.run_id, n.*
        FROM rolled r JOIN years y ON y.closed_year = r.year AND r.year <= todo.year, LATERAL account_closed(
            0, r.historical, r.debt, 0, 0, r.boundary, y.boundary, y.current_rate, y.historical_rate
        ) n
    ), written AS (
        UPDATE settlements_personalaccount a
        SET benefit_year = r.year, current = 0, historical = r.historical, debt = r.debt,
            version = r.version + (r.interest <> 0)::int, current_products = 0, historical_products = 0,
            products_on = r.boundary
        FROM rolled r
        WHERE a.id BETWEEN todo.first_id AND todo.last_id AND a.id = r.id AND r.closed_year = todo.year
        RETURNING 1
    ), totals AS (
        SELECT count(*) AS accounts, coalesce(sum(current_before), 0) AS moved,
            coalesce(sum(debt_before - debt), 0) AS netted, coalesce(sum(interest), 0) AS interest
        FROM rolled WHERE closed_year = todo.year
    ), cause AS (
        INSERT INTO settlements_ledgertransaction
            (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
        SELECT 'rollover', boundary, in_now, todo.region_id, 'rollover', todo.key, '',
            jsonb_build_object('accounts', accounts, 'moved', moved::text, 'netted', netted::text,
                               'interest', interest::text), ''
        FROM totals, years WHERE closed_year = todo.year
        RETURNING id
    ), entered AS (
        INSERT INTO settlements_entry
            (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta,
             debt_delta, current_after, historical_after, debt_after, contra, contra_id, current_products,
             historical_products)
        SELECT r.id, version, cause.id, 'rollover', boundary, closed_year, -current_before,
            rolled_historical - historical_before, rolled_debt - debt_before, 0, rolled_historical, rolled_debt, '', NULL,
            current_products, historical_products
        FROM rolled r, cause
        UNION ALL
        SELECT r.id, version + 1, cause.id, 'interest', boundary, year, 0, historical - rolled_historical,
            debt - rolled_debt, 0, historical, debt, 'interest', run_id, NULL, NULL
        FROM rolled r, cause WHERE interest <> 0
    ), behind AS (
        SELECT count(*) AS accounts FROM settlements_personalaccount
        WHERE id BETWEEN todo.first_id AND todo.last_id
            AND region_id || '' = todo.region_id AND benefit_year + 0 <= todo.year
    )
    UPDATE settlements_rolloverchunk c
    SET accounts = c.accounts + totals.accounts, moved = c.moved + totals.moved, netted = c.netted + totals.netted,
        interest = c.interest + totals.interest,
        visits = visits + (totals.accounts IS DISTINCT FROM in_most OR behind.accounts = totals.accounts)::int,
        done = behind.accounts = totals.accounts,
        done_at = CASE WHEN behind.accounts = totals.accounts THEN in_now END
    FROM totals, behind WHERE c.id = in_chunk
    RETURNING totals.*, behind.accounts - totals.accounts AS "left", (SELECT count(*) FROM written) AS written INTO visit;

    -- Entries without their account, or the other way round: better no chunk than half of one.
    IF visit.written <> visit.accounts THEN
        RAISE EXCEPTION 'chunk %: % accounts rolled, % written', todo.key, visit.accounts, visit.written;
    END IF;
    RETURN json_build_array(visit.accounts, visit.moved, visit.netted, visit.interest, visit.left)::text;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0038_plans_kept")]
    operations = [migrations.RunSQL(ROLLOVER_CHUNK, "DROP FUNCTION rollover_chunk;")]
