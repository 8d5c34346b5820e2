"""Writing a settlement with its payers: one call, sent together with what it moves."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from accounts.calls import Call, send, to_json
from accounts.models import Institution
from settlements.models import Settlement, SettlementPayer

# Its id is asked for with the claim of the key, so that the answer can name it in the statement that writes both.
NEXT_ID = Call("nextval('settlements_settlement_id_seq')", [])
COLUMNS = [field.attname for field in Settlement._meta.concrete_fields]
# The arguments of `care_record` (migration 0032), then the payers.
ROW = [
    "id", "public_id", "transaction_id", "region_id", "patient_id", "institution_id", "insurance", "scheme_id", "kind",
    "level", "signed", "service_on", "settled_on", "counted_year", "in_scope", "pre_self_pay", "self_paid", "deductible",
    "fund", "supplement", "own_current", "own_historical", "shared", "wallet", "cash",
]  # fmt: skip
ROW_JSON = ["counters", "steps", "order"]
RECORD = f"care_record({', '.join(['%s'] * len(ROW))}, %s::jsonb, %s::jsonb, %s::jsonb, %s::json)"
PAYER = ("account_id", "member_id", "grant_id", "benefit_year", "current", "historical")


def recorded(*, institution: Institution, **values: Any) -> Settlement:
    """The settlement as the database will hold it, given every column of it."""
    settlement = Settlement.from_db(DEFAULT_DB_ALIAS, COLUMNS, [values[name] for name in COLUMNS])
    settlement.institution = institution
    return settlement


def recording(settlement: Settlement, payers: Iterable[dict[str, Any]]) -> Call:
    """The call that inserts a settlement that has its id, and those who paid it, in the order in which they were charged.

    A payer holds what PAYER names, in yuan.
    """
    row = [getattr(settlement, name) for name in ROW]
    texts = [to_json(getattr(settlement, name)) for name in ROW_JSON]
    rows = [{"position": position, **payer} for position, payer in enumerate(payers, 1)]
    return Call(RECORD, [*row, *texts, to_json(rows) if rows else None])


def record(settlement: Settlement, payers: Sequence[SettlementPayer]) -> None:
    """Insert a settlement and those who paid it, in the order in which they were charged; gives it its id."""
    (settlement.pk,) = send(NEXT_ID)
    send(recording(settlement, ({name: getattr(payer, name) for name in PAYER} for payer in payers)))
    settlement._state.adding = False
    settlement._state.db = DEFAULT_DB_ALIAS
