"""Functions of the database, several in one statement: each statement costs more on its way than on the server."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a database function with its arguments in SQL, such as `ledger_claim(%s, %s)`.

    `last`: it locks what others wait for, so it runs after the calls that are sent with it.
    """

    sql: str
    params: list[Any]
    last: bool = False


class Moved(Exception):
    """What was read without a lock is no longer so, and nothing was written: to be done again, under locks."""


# What the functions raise for it.
MOVED = "MOVED"


def send(*calls: Call) -> tuple[Any, ...]:
    """What each function gives back. They run one after the other; JSON comes as text. Raises Moved."""
    ordered = sorted(calls, key=lambda call: call.last)
    sql = "SELECT " + ", ".join([call.sql for call in ordered])
    try:
        return _row(sql, [param for call in ordered for param in call.params])
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == MOVED:
            raise Moved from error
        raise


def _row(sql: str, params: list[Any]) -> tuple[Any, ...]:
    # Asked for once: each attribute of `django.db.connection` looks it up anew.
    own = connections[DEFAULT_DB_ALIAS]
    if own.execute_wrappers or own.queries_logged:
        with own.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone()
    # Nobody listens: what Django's cursor does besides, without the cursor, which costs more than the driver's own work.
    own.validate_no_broken_transaction()
    own.close_if_health_check_failed()
    own.ensure_connection()
    with own.wrap_database_errors:
        return own.connection.execute(sql, params).fetchone()


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
