"""Functions of the database, several in one statement: each statement costs more on its way than on the server."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a database function with its arguments in SQL, such as `ledger_claim(%s, %s)`."""

    sql: str
    params: list[Any]


def send(*calls: Call) -> tuple[Any, ...]:
    """What each function gives back. They run one after the other; JSON comes as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(call.sql for call in calls), [param for call in calls for param in call.params]
        )
        return cursor.fetchone()


def to_json(value: Any) -> str:
    """For arguments: amounts as texts with the decimals they have, days and moments as ISO, identifiers as texts."""
    return _ENCODER.encode(value)


def from_json(text: str) -> Any:
    """From results: numbers with decimals are Decimal, so none is ever a float."""
    return _DECODER.decode(text)


def _plain(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_ENCODER = json.JSONEncoder(default=_plain)
_DECODER = json.JSONDecoder(parse_float=Decimal)
