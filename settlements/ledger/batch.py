"""The batch: makes the rollover of untouched accounts permanent, one range of account ids after the other."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts import clock
from settlements.enums import RunState
from settlements.ledger.once import request_hash
from settlements.models import RolloverChunk, RolloverRun

# Everything that happens to a chunk in one visit, in one statement. A row that a movement holds is skipped: its holder
# rolls it, and the chunk is visited again. Several years behind: one year after the other, each with its own rates.
# The totals of the chunk speak of the year that the run closes. `|| ''` and `+ 0` leave the planner no index but that
# of the ids: one by region and year would read the whole region for each chunk, once its statistics have aged.
# A visit that ended because it had enough is not counted: its chunk is the next to be gone on with.
ROLL = """
WITH RECURSIVE due AS MATERIALIZED (
    SELECT id, benefit_year, version, current, historical, debt, current_products, historical_products, products_on
    FROM settlements_personalaccount
    WHERE id BETWEEN %(first)s AND %(last)s AND region_id || '' = %(region)s AND benefit_year + 0 <= %(year)s
    ORDER BY id LIMIT %(most)s
    FOR NO KEY UPDATE SKIP LOCKED
), years AS MATERIALIZED (
    SELECT year - 1 AS closed_year, * FROM account_years(%(region)s) WHERE year <= %(year)s + 1
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
    FROM rolled r JOIN years y ON y.closed_year = r.year, LATERAL account_closed(
        0, r.historical, r.debt, 0, 0, r.boundary, y.boundary, y.current_rate, y.historical_rate
    ) n
), written AS (
    UPDATE settlements_personalaccount a
    SET benefit_year = r.year, current = 0, historical = r.historical, debt = r.debt,
        version = r.version + (r.interest <> 0)::int, current_products = 0, historical_products = 0,
        products_on = r.boundary
    FROM rolled r WHERE a.id = r.id AND r.closed_year = %(year)s
    RETURNING 1
), totals AS (
    SELECT count(*) AS accounts, coalesce(sum(current_before), 0) AS moved,
        coalesce(sum(debt_before - debt), 0) AS netted, coalesce(sum(interest), 0) AS interest
    FROM rolled WHERE closed_year = %(year)s
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    SELECT 'rollover', boundary, %(now)s, %(region)s, 'rollover', %(key)s, %(digest)s,
        jsonb_build_object('accounts', accounts, 'moved', moved::text, 'netted', netted::text,
                           'interest', interest::text), ''
    FROM totals, years WHERE closed_year = %(year)s
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
    WHERE id BETWEEN %(first)s AND %(last)s AND region_id || '' = %(region)s AND benefit_year + 0 <= %(year)s
)
UPDATE settlements_rolloverchunk c
SET accounts = c.accounts + totals.accounts, moved = c.moved + totals.moved, netted = c.netted + totals.netted,
    interest = c.interest + totals.interest,
    visits = visits + (totals.accounts IS DISTINCT FROM %(most)s OR behind.accounts = totals.accounts)::int,
    done = behind.accounts = totals.accounts,
    done_at = CASE WHEN behind.accounts = totals.accounts THEN %(now)s::timestamptz END
FROM totals, behind WHERE c.id = %(chunk)s
RETURNING totals.*, behind.accounts, (SELECT count(*) FROM written)
"""


@dataclass(frozen=True)
class Visit:
    """What one visit of a chunk did: accounts of the closing year rolled, and yuan; how many accounts stayed behind."""

    accounts: int
    moved: Decimal
    netted: Decimal
    interest: Decimal
    left: int

    @property
    def done(self) -> bool:
        """Whether nothing in the chunk's range is behind any more."""
        return self.left == 0


def claim_chunk(run: RolloverRun) -> RolloverChunk | None:
    """The next chunk of a running run that is not done and that nobody works on, locked until the transaction ends.

    It brings the run along as it is now; of `run` only the key is looked at. None if there is no such chunk. Call it
    inside a transaction, with `roll_chunk` in the same one: the claim is the row's lock, which dies with the session, so
    nothing has to be cleaned up after a killed worker. A chunk visited in vain (a movement held an account of it) waits
    behind those nobody has been to.
    """
    todo = RolloverChunk.objects.filter(run=run.pk, run__state=RunState.RUNNING, done=False).select_related("run")
    todo = todo.order_by("visits", "number")
    return todo.select_for_update(skip_locked=True, of=("self",)).first()


def roll_chunk(run: RolloverRun, chunk: RolloverChunk, most: int | None = None) -> Visit:
    """Roll what is behind in a claimed chunk, `most` accounts of it, with entries, totals and the chunk's state, or nothing.

    Amounts in yuan. Accounts rolled by a movement meanwhile are not touched; accounts that a movement holds are left
    and counted in `left`. The chunk's row changes in the database only.
    """
    key = f"{run.pk}:{chunk.number}:{chunk.visits + 1}:{chunk.accounts}"
    parameters: dict[str, Any] = {
        "region": run.region_id,
        "year": run.year,
        "first": chunk.first_id,
        "last": chunk.last_id,
        "most": most,
        "chunk": chunk.pk,
        "now": clock.now(),
        "key": key,
        "digest": request_hash({"rollover": key}),
    }
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(ROLL, parameters)
        accounts, moved, netted, interest, behind, written = cursor.fetchone()
        visit = Visit(accounts, moved, netted, interest, left=behind - accounts)
        if written != visit.accounts:
            # Entries without their account, or the other way round: better no chunk than half of one.
            raise RuntimeError(f"chunk {key}: {visit.accounts} accounts rolled, {written} written")
    return visit
