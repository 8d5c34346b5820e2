"""What is kept about a member, as tables that he can take with him (个人信息保护法, article 45).

Each app registers its own in `AppConfig.ready`, so that what is new in an app comes into the file from there.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from accounts.models import User
from accounts.wording import Text

# So many rows are read at a time.
CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the file: its title and heads, lazy texts, and what gives its rows for a member's login at a moment.

    Cells are texts, days, moments, decimals or None. Of others a row says what the member's pages say: relatives masked,
    their bills with his own part alone.
    """

    order: int
    title: Text
    heads: Sequence[Text]
    rows: Callable[[User, datetime.datetime], Iterable[Sequence[Any]]]


_tables: dict[int, Table] = {}


def register(*tables: Table) -> None:
    """Add tables, each at a place of its own in the order.

    Raises ImproperlyConfigured for a place that is taken: the file would silently lack what stood there.
    """
    for table in tables:
        taken = _tables.setdefault(table.order, table)
        if taken is not table:
            raise ImproperlyConfigured(f"Own data: “{table.title}” and “{taken.title}” both stand at {table.order}.")


def tables() -> list[Table]:
    """All of them, in order."""
    return [_tables[order] for order in sorted(_tables)]


def in_chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Rows some at a time, for what is read once for many."""
    found = iter(rows)
    while chunk := list(islice(found, CHUNK)):
        yield chunk
