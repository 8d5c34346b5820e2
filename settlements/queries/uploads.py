"""A file that somebody uploaded, opened again piece by piece, and how far the worker is that reads it."""

import tempfile
from typing import IO

from django.db import connection

from accounts import crypto
from settlements.models import ContributionFile

# Each piece begins the unpacking of the stored file anew: larger ones are fewer, smaller ones less memory.
PIECE = 4 * 1024 * 1024
CONTEXT = "settlements_contributionfile.content"


def sealed(content: bytes) -> bytes:
    """A file of contributions as it is stored until it is read: it holds ID numbers, so it is encrypted, piece by piece."""
    starts = range(0, len(content), PIECE)
    return b"".join(crypto.seal(content[at : at + PIECE], f"{CONTEXT}:{at}") for at in starts)


def opened(file: ContributionFile) -> IO[bytes]:
    """What was uploaded as a temporary file without a name. Fetched whole it would stand in memory three times."""
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    sql = f"SELECT substring(content FROM %s FOR %s) FROM {file._meta.db_table} WHERE id = %s"
    step = PIECE + crypto.OVERHEAD
    with connection.cursor() as cursor:
        for number in range(-(-file.size // PIECE)):
            cursor.execute(sql, [number * step + 1, step, file.pk])
            plain.write(crypto.unseal(cursor.fetchone()[0], f"{CONTEXT}:{number * PIECE}"))
    plain.seek(0)
    return plain


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
