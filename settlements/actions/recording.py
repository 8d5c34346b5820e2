"""Writing a settlement with its payers: one call, sent together with what it moves."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from accounts.calls import Call, send, to_json
from accounts.models import Institution
from settlements.models import Settlement, SettlementPayer

# Its id is asked for with the claim of the key, so that the answer can name it in the statement that writes both.
NEXT_ID = Call("nextval('settlements_settlement_id_seq')", [])
RECORD = "care_record(%s::json, %s::json)"
COLUMNS = [field.attname for field in Settlement._meta.concrete_fields]
PAYER = ("account_id", "member_id", "grant_id", "benefit_year", "current", "historical")


def recorded(*, institution: Institution, **values: Any) -> Settlement:
    """The settlement as the database will hold it, given every column of it."""
    settlement = Settlement.from_db(connection.alias, COLUMNS, [values[name] for name in COLUMNS])
    settlement.institution = institution
    return settlement


def recording(settlement: Settlement, payers: Iterable[dict[str, Any]]) -> Call:
    """The call that inserts a settlement that has its id, and those who paid it, in the order in which they were charged.

    A payer holds what PAYER names, in yuan.
    """
    row = {name: getattr(settlement, name) for name in COLUMNS}
    rows = [{"position": position, **payer} for position, payer in enumerate(payers, 1)]
    return Call(RECORD, [to_json(row), to_json(rows) if rows else None])


def record(settlement: Settlement, payers: Sequence[SettlementPayer]) -> None:
    """Insert a settlement and those who paid it, in the order in which they were charged; gives it its id."""
    (settlement.pk,) = send(NEXT_ID)
    send(recording(settlement, ({name: getattr(payer, name) for name in PAYER} for payer in payers)))
    settlement._state.adding = False
    settlement._state.db = connection.alias
