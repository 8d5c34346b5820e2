"""Functions of the database, several in one statement: each statement costs more on its way than on the server."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from psycopg import generators, pq
from psycopg.errors import error_from_result


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


def send_if(condition: Call, *calls: Call) -> bool:
    """Whether the first function gives back something. Only then the others run; what they give back is not told."""
    # A comparison that PostgreSQL does not know the result of: what it knows, it does not run.
    then = f"num_nulls({', '.join([call.sql for call in calls])}) >= 0" if calls else "true"
    params = [param for call in (condition, *calls) for param in call.params]
    return bool(_row(f"SELECT CASE WHEN {condition.sql} IS NOT NULL THEN {then} END", params)[0])


def _row(sql: str, params: list[Any]) -> tuple[Any, ...]:
    # Asked for once: each attribute of `django.db.connection` looks it up anew.
    own = connections[DEFAULT_DB_ALIAS]
    if own.execute_wrappers or own.queries_logged:
        with own.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone()
    # Nobody listens: what Django's cursor does besides, without the cursor.
    own.validate_no_broken_transaction()
    own.close_if_health_check_failed()
    if own.connection is None:
        own.connect()
    try:
        return _prepared(own.connection, sql, params)
    except psycopg.Error:
        with own.wrap_database_errors:
            raise


_NUMBERS = itertools.count()
# Types of what functions give back, by their number in PostgreSQL: bool, the whole numbers, text, varchar and void.
_READERS: Mapping[int, Callable[[bytes], Any]] = {
    16: b"t".__eq__, 20: int, 21: int, 23: int, 25: bytes.decode, 1043: bytes.decode, 2278: bytes.decode
}  # fmt: skip


def _prepared(line: psycopg.Connection[Any], sql: str, params: list[Any]) -> tuple[Any, ...]:
    """The driver's cursor looks at each statement and each value anew, which costs more than the way to the server. Here
    every value goes as text, which the function's types make what it is; bytes go as they are."""
    server = line.pgconn
    if not line.autocommit and server.transaction_status == pq.TransactionStatus.IDLE:
        server.send_query(b"BEGIN")
        _done(line)
    # The driver's own list of what is prepared: it empties it when it lets the server forget all (after a ROLLBACK).
    known, statement = line._prepared._names, (sql.encode(), ())
    name = known.get(statement)
    if name is None:
        name = b"call_%d" % next(_NUMBERS)
        marks = tuple(f"${place}" for place in range(1, len(params) + 1))
        server.send_prepare(name, (sql % marks).encode())
        _done(line)
        known[statement] = name
    formats = [pq.Format.BINARY if type(value) is bytes else pq.Format.TEXT for value in params]
    server.send_query_prepared(name, [_sent(value) for value in params], formats)
    found = _done(line)
    return tuple(_read(found, column) for column in range(found.nfields))


def _done(line: psycopg.Connection[Any]) -> pq.abc.PGresult:
    """What the statement on its way has come to. Raises psycopg.Error."""
    found: pq.abc.PGresult = line.wait(generators.execute(line.pgconn))[-1]
    if found.status == pq.ExecStatus.FATAL_ERROR:
        raise error_from_result(found)
    return found


def _sent(value: Any) -> bytes | None:
    kind = type(value)
    if kind is int:
        return b"%d" % value
    if value is None or kind is bytes:
        return value
    if kind is bool:
        return b"t" if value else b"f"
    if kind is list:
        return b"{%b}" % b",".join([b"%d" % number for number in value])
    text = str(value)
    if "\0" in text:
        # To the driver's library it is the end of the text.
        raise psycopg.DataError("a text of PostgreSQL cannot hold NUL")
    return text.encode()


def _read(found: pq.abc.PGresult, column: int) -> Any:
    value = found.get_value(0, column)
    return None if value is None else _READERS[found.ftype(column)](value)


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
