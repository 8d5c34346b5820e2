"""The books checked against themselves: the same money counted two ways. Every check must find nothing.

Each is one set-based statement over whole tables, so a million accounts take seconds; a row found is a fault or a
crime, never a case to be handled. The codes I1 … say which invariant a check belongs to.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from settlements.ledger.checks import accounts, bills, causes, wallets, years
from settlements.ledger.checks.check import Check

# How many offending rows are kept of a check; the count is of all.
KEPT = 20

CHECKS = [*accounts.CHECKS, *bills.CHECKS, *causes.CHECKS, *wallets.CHECKS, *years.CHECKS]


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows, and the first of them by column."""

    check: Check
    count: int
    rows: list[dict[str, Any]]


def run_checks(on: datetime.date, checks: list[Check] | None = None) -> Iterator[Finding]:
    """Run the checks one after the other, as of a day; a Finding for each, with count 0 where all is well."""
    for check in checks or CHECKS:
        with connection.cursor() as cursor:
            # Sorting every entry: in memory where it can be. Outside a transaction it does nothing.
            cursor.execute("SET LOCAL work_mem = '128MB'")
            cursor.execute(check.sql, {"on": on})
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(KEPT)]
            yield Finding(check, cursor.rowcount, rows)
