"""Many accounts at once, each moved once: locked in the order of their ids, rolled where behind, written by one statement."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.money import ZERO
from settlements.ledger.rolling import roll

# The same lock order as every movement; whoever is behind the day's year is rolled before anything is decided.
LOCK = """
SELECT a.id, a.benefit_year < (
        SELECT max(year) FROM accounts_benefityear y WHERE y.region_id = a.region_id AND y.starts_on <= %s
    ) AS behind
FROM settlements_personalaccount a WHERE a.id = ANY(%s) ORDER BY a.id FOR NO KEY UPDATE
"""
READ = "SELECT id, benefit_year, current, historical, debt FROM settlements_personalaccount WHERE id = ANY(%s)"
# Rows and entries in one statement, so that they cannot part.
MOVE = """
WITH move AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(current)s::numeric[], %(historical)s::numeric[], %(debt)s::numeric[])
        AS move(account_id, current, historical, debt)
), moved AS (
    UPDATE settlements_personalaccount a SET
        current = a.current + m.current, historical = a.historical + m.historical, debt = a.debt + m.debt,
        current_products = a.current_products + a.current * greatest(%(on)s - a.products_on, 0),
        historical_products = a.historical_products + a.historical * greatest(%(on)s - a.products_on, 0),
        products_on = greatest(a.products_on, %(on)s),
        version = a.version + 1
    FROM move m WHERE a.id = m.account_id
    RETURNING a.id, a.version, a.benefit_year, a.current AS current_after, a.historical AS historical_after,
        a.debt AS debt_after, m.current, m.historical, m.debt
)
INSERT INTO settlements_entry
    (account_id, version, transaction_id, kind, business_date, benefit_year, current_delta, historical_delta, debt_delta,
     current_after, historical_after, debt_after, contra)
SELECT id, version, %(transaction)s, %(kind)s, %(on)s, benefit_year, current, historical, debt, current_after,
    historical_after, debt_after, %(contra)s
FROM moved
"""


@dataclass(frozen=True)
class Held:
    """What a locked account holds, in yuan, and its benefit year: the day's, or a later one if it has moved since."""

    benefit_year: int
    current: Decimal
    historical: Decimal
    debt: Decimal


@dataclass(frozen=True)
class Move:
    """What one account is moved by, in yuan."""

    current: Decimal = ZERO
    historical: Decimal = ZERO
    debt: Decimal = ZERO


def lock_many(account_ids: Iterable[int], on: datetime.date) -> dict[int, Held]:
    """Lock accounts in the order of their ids and roll those that are behind the day's year; what each holds then.

    Call it inside a transaction. Nothing may be decided on a balance that was read before.
    """
    ids = sorted(set(account_ids))
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [on, ids])
        for account_id, behind in cursor.fetchall():
            if behind:
                roll(account_id, on)
        cursor.execute(READ, [ids])
        return {row[0]: Held(*row[1:]) for row in cursor.fetchall()}


def post_many(*, transaction_id: int, kind: str, contra: str, on: datetime.date, moves: Mapping[int, Move]) -> None:
    """Write one movement of each account under one transaction. Raises IntegrityError below zero."""
    if not moves:
        return
    facts: dict[str, Any] = {
        "ids": list(moves),
        "on": on,
        "transaction": transaction_id,
        "kind": kind,
        "contra": contra,
    }
    for name in ("current", "historical", "debt"):
        facts[name] = [getattr(move, name) for move in moves.values()]
    with connection.cursor() as cursor:
        cursor.execute(MOVE, facts)
        if cursor.rowcount != len(moves):
            raise RuntimeError(f"{len(moves)} accounts were to move, {cursor.rowcount} did")
