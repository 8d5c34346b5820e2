"""What an institution said, field by field, as one text to be kept, and back."""

import datetime
from collections.abc import Mapping
from typing import Any

from gateway.domain import json_text

ILLNESS = ("main_cond_dscr", "dise_codg", "dise_name")
DIAGNOSIS = ("diag_code", "diag_name", "adm_cond", "diag_dept", "dise_dor_no", "dise_dor_name")


def state(row: Mapping[str, Any]) -> str:
    """The fields that hold something, as JSON; days and moments in ISO form."""
    return json_text.dumps({name: _plain(value) for name, value in row.items() if value is not None})


def illness(row: Mapping[str, Any]) -> str | None:
    """What a visit is for, as it is kept; None where nothing was said of it."""
    said = {name: row.get(name) for name in ILLNESS if row.get(name)}
    return state(said) if said else None


def diagnosis(row: Mapping[str, Any]) -> str:
    """What a row of diagnoses says of the disease and who found it, as it is kept."""
    return state({name: row.get(name) for name in DIAGNOSIS})


def stated(text: str | None) -> dict[str, str]:
    """Field -> what was said, everything as text; nothing from None."""
    return json_text.loads(text) if text else {}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
