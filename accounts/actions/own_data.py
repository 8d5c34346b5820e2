"""All that is kept about a member, as one file for himself."""

import datetime
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import clock, dates, own_data, policies
from accounts.actions import audit
from accounts.models import User
from accounts.own_data import Table
from accounts.tables import csv_lines, long_number

# A spreadsheet keeps fifteen digits of a number.
MOST_DIGITS = 15


@transaction.atomic
def write_copy(*, by: User, at: datetime.datetime, into: IO[bytes]) -> int:
    """Write a ZIP with a table (CSV) for each that the apps registered, and a text that says what they are, in the
    reader's language; row by row, so that memory does not grow with the years. The rows of all tables.

    Raises PermissionDenied for whoever is no member. That the copy was taken is recorded.
    """
    if not policies.is_member(by):
        raise PermissionDenied
    with zipfile.ZipFile(into, "w") as archive:
        parts = [_part(archive, place, table, by, at) for place, table in enumerate(own_data.tables(), 1)]
        text = _readme(by, at, parts)
        archive.writestr(_info(_("Read me.txt"), at), ("\N{BYTE ORDER MARK}" + text.replace("\n", "\r\n")).encode())
    count = sum(rows for _name, rows in parts)
    audit.record(
        action="own_data_copied", by=by, at=at, member=by.member, details={"tables": len(parts), "rows": count}
    )
    return count


def _part(archive: zipfile.ZipFile, place: int, table: Table, by: User, at: datetime.datetime) -> tuple[str, int]:
    """The name of the table's file, and how many rows it has."""
    name, count = f"{place:02d} {table.title}.csv", 0

    def rows() -> Iterator[Iterable[object]]:
        nonlocal count
        yield table.heads
        for row in table.rows(by, at):
            count += 1
            yield map(_cell, row)

    with archive.open(_info(name, at), "w") as file:
        for line in csv_lines(rows()):
            file.write(line.encode())
    return name, count


def _info(name: str, at: datetime.datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, clock.local(at).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _cell(value: Any) -> str:
    """Days as 2026-11-22, moments with hour and minute, amounts plain; digits of which a spreadsheet would lose some are
    made a text."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return f"{clock.local(value):%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return format(value, "f")
    text = str(value)
    loses = text.isdigit() and (len(text) > MOST_DIGITS or text.startswith("0"))
    return long_number(text) if loses else text


def _readme(by: User, at: datetime.datetime, parts: list[tuple[str, int]]) -> str:
    listed = "\n".join(_("%(file)s: %(count)s rows") % {"file": name, "count": count} for name, count in parts)
    said = _(
        "All that this portal keeps about %(name)s, as it stood on %(moment)s.\n\n"
        "You have a right to this copy by article 45 of the Personal Information Protection Law. Each file is a table "
        "that a spreadsheet program opens. Amounts are in yuan, times are Beijing time.\n\n"
        "%(listed)s\n\n"
        "Of relatives the tables say what your pages say: their names masked, of their bills only what your account "
        "paid. Not in the tables: your password, which nobody can read, text messages, which are deleted after some "
        "months, and what only others may see. How each bill was worked out stands on its page.\n\n"
        "If something here is wrong, call 12393 or ask at a window to have it corrected.\n\n"
        "Whoever has this file can read all of it. Keep it safe, and delete it when you no longer need it.\n"
    )
    return said % {"name": by.member.name, "moment": dates.moment(at), "listed": listed}
