"""Writing a settlement with its payers: one statement, since every bill waits for it."""

from collections.abc import Sequence
from functools import cache

from django.db import connection

from settlements.models import Settlement, SettlementPayer

COLUMNS = [field for field in Settlement._meta.concrete_fields if not field.primary_key]


@cache
def _statement() -> str:
    names = ", ".join(connection.ops.quote_name(field.column) for field in COLUMNS)
    values = ", ".join(["%s"] * len(COLUMNS))
    return f"""
WITH settlement AS (
    INSERT INTO settlements_settlement ({names}) VALUES ({values}) RETURNING id
), payers AS (
    INSERT INTO settlements_settlementpayer
        (settlement_id, position, account_id, member_id, grant_id, benefit_year, current, historical)
    SELECT settlement.id, payer.* FROM settlement, unnest(
        %s::smallint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::numeric[], %s::numeric[]
    ) AS payer
)
SELECT id FROM settlement
"""


def record(settlement: Settlement, payers: Sequence[SettlementPayer]) -> None:
    """Insert a settlement and those who paid it, in the order in which they were charged; gives it its id."""
    values = [field.get_db_prep_save(getattr(settlement, field.attname), connection) for field in COLUMNS]
    names = ("account_id", "member_id", "grant_id", "benefit_year", "current", "historical")
    paid = [[getattr(payer, name) for payer in payers] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [*values, list(range(1, len(payers) + 1)), *paid])
        settlement.pk = cursor.fetchone()[0]
    settlement._state.adding = False
    settlement._state.db = connection.alias
