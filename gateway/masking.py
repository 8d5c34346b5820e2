"""A message as people are shown it: laid out in lines, its numbers as they were written, and whom it names masked."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts import masks
from gateway.domain import json_text
from gateway.fields.tables import fold

YEAR = 4


def _year(day: str) -> str:
    """A birthday would give away what the ID number hides."""
    return f"{day[:YEAR]}-**-**"


NUMBERS = ("certno", "mdtrt_cert_no", "card_sn", "fpsc_no")
MASKED = {
    **{fold(name): masks.mask_id for name in NUMBERS},
    **{fold(name): masks.mask_name for name in ("psn_name", "coner_name")},
    "tel": masks.mask_phone,
    "brdy": _year,
}


def laid_out(text: str | None) -> str:
    """A message or an answer in lines, masked; what is no JSON is not shown, for nobody knows what is in it."""
    value = parsed(text or "")
    return "" if value is None else json_text.pretty(masked(value))


def parsed(text: str) -> Any:
    """What is in a JSON text, numbers with their places; None if it is none."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return None


def masked(value: Any, name: str = "") -> Any:
    """The same with numbers, names, telephones and birthdays of people masked, however the names of the fields are
    written; an input that is a text which holds JSON is masked inside."""
    if isinstance(value, Mapping):
        return {key: masked(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name) for item in value]
    if name == "input" and isinstance(value, str):
        inner = parsed(value)
        return value if inner is None else json_text.dumps(masked(inner))
    mask = MASKED.get(fold(name))
    return value if mask is None or value is None or value == "" else mask(str(value))
