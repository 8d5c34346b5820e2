"""The lazy touch: a movement of the new year first rolls the accounts it has locked, one closed year after the other."""

import datetime

from django.db import connection

from accounts import clock

# What the row will hold once rolled to a day, and each closed year on the way; `account_next` is the one definition.
ROLLED = """
WITH RECURSIVE rolled AS (
    SELECT id, region_id, benefit_year AS year, version, current::numeric, historical::numeric, debt::numeric,
        current_products::numeric, historical_products::numeric, products_on AS boundary,
        0::numeric AS rolled_historical, 0::numeric AS rolled_debt, 0::numeric AS interest
    FROM settlements_personalaccount WHERE id = ANY(%s)
    UNION ALL
    SELECT r.id, r.region_id, n.year, r.version, 0, n.historical, n.debt,
        0, 0, n.boundary, n.rolled_historical, n.rolled_debt, n.interest
    FROM rolled r, LATERAL account_next(
        r.region_id, r.year, r.current, r.historical, r.debt, r.current_products, r.historical_products, r.boundary
    ) n
    WHERE n.boundary <= %s
)
"""

ROLL_ONE_YEAR = """
WITH due AS (
    SELECT a.*, n.year AS next_year, n.boundary, n.current_products AS closing_current,
        n.historical_products AS closing_historical, n.rolled_historical, n.rolled_debt, n.interest,
        n.historical AS next_historical, n.debt AS next_debt, n.run_id
    FROM settlements_personalaccount a, LATERAL account_next(
        a.region_id, a.benefit_year, a.current, a.historical, a.debt, a.current_products, a.historical_products,
        a.products_on
    ) n
    WHERE a.id = %(account)s AND n.boundary <= %(on)s
), cause AS (
    INSERT INTO settlements_ledgertransaction
        (kind, business_date, recorded_at, region_id, scope, key, request_hash, answer, refused)
    SELECT 'rollover', boundary, %(now)s, region_id, 'lazy-rollover', id || ':' || benefit_year, '', '{}', '' FROM due
    RETURNING id
), entries AS (
    INSERT INTO settlements_entry
        (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta,
         debt_delta, current_after, historical_after, debt_after, contra, contra_id, current_products,
         historical_products)
    SELECT due.id, version + 1, cause.id, 'rollover', boundary, benefit_year, -current, rolled_historical - historical,
        rolled_debt - debt, 0, rolled_historical, rolled_debt, '', NULL, closing_current, closing_historical
    FROM due, cause
    UNION ALL
    SELECT due.id, version + 2, cause.id, 'interest', boundary, next_year, 0, next_historical - rolled_historical,
        next_debt - rolled_debt, 0, next_historical, next_debt, 'interest', run_id, NULL, NULL
    FROM due, cause WHERE interest <> 0
)
UPDATE settlements_personalaccount a
SET benefit_year = next_year, current = 0, historical = next_historical, debt = next_debt,
    version = a.version + 1 + (interest <> 0)::int, current_products = 0, historical_products = 0,
    products_on = boundary
FROM due WHERE a.id = due.id
"""


def roll(account_id: int, on: datetime.date) -> int:
    """Roll one locked account up to a day; returns how many benefit years were closed (0: it was up to date)."""
    years = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(ROLL_ONE_YEAR, {"account": account_id, "on": on, "now": clock.now()})
            if not cursor.rowcount:
                return years
            years += 1
