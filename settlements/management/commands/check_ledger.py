"""Count the same money two ways."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from accounts import clock
from settlements.ledger.checks import run_checks


class Command(BaseCommand):
    help = "Check the ledger against itself; exits 1 if anything differs by one fen. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print only what is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        begun = time.monotonic()
        # One snapshot for all checks: movements that go on meanwhile are in all of them or in none.
        with transaction.atomic():
            if connection.get_autocommit() is False and not connection.savepoint_ids:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for finding in run_checks(clock.today()):
                wrong += bool(finding.count)
                if finding.count or not options["quiet"]:
                    state = f"FAIL {finding.count}" if finding.count else "ok"
                    self.stdout.write(f"{finding.check.code:4} {finding.check.name}: {state}")
                for row in finding.rows:
                    self.stdout.write("       " + ", ".join(f"{name} {value}" for name, value in row.items()))
        self.stdout.write(f"{wrong} of the checks failed" if wrong else "all checks passed", ending="")
        self.stdout.write(f" in {time.monotonic() - begun:.1f} s")
        if wrong:
            raise SystemExit(1)
