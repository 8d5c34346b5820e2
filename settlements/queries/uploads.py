"""A file that somebody uploaded, opened again piece by piece, and how far the worker is that reads it."""

import tempfile
from typing import IO

from django.db import connection, models

# Each piece begins the unpacking of the stored file anew: larger ones are fewer, smaller ones less memory.
PIECE = 4 * 1024 * 1024


def opened(model: type[models.Model], pk: int) -> IO[bytes]:
    """The `content` of a row as a temporary file. Fetched whole it would stand in memory three times."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    sql = f"SELECT substring(content FROM %s FOR %s) FROM {model._meta.db_table} WHERE id = %s"
    with connection.cursor() as cursor:
        while True:
            cursor.execute(sql, [file.tell() + 1, PIECE, pk])
            (piece,) = cursor.fetchone() or (None,)
            file.write(piece or b"")
            if len(piece or b"") < PIECE:
                break
    file.seek(0)
    return file


def tell_rows(what: str, rows: int) -> None:
    """Say how many rows of a file have been read: as the session's name, for the transaction itself shows nothing yet.

    It ends with the transaction, and with the session of a worker that was killed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, true)", [f"{what}: {rows}"])


def rows_told(what: str) -> int:
    """How many rows of a file its worker has read; 0 where nobody is at it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND starts_with(application_name, %s) LIMIT 1",
            [f"{what}: "],
        )
        found = cursor.fetchone()
    return int(found[0].removeprefix(f"{what}: ")) if found else 0
