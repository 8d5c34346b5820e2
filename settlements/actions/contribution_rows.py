"""The rows of a file of contributions, read and checked: all are right, or the mistakes of all of them are known."""

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import IO, Any

from django.db import connection

from accounts import clock, tables
from accounts.crypto import blind_index
from accounts.domain import id_number, names
from accounts.errors import Refused
from accounts.money import ZERO, BadAmount, parse_amount
from settlements.actions import files
from settlements.actions.files import BATCH
from settlements.domain.crediting import CreditRule, month_credit
from settlements.domain.parameters import Person
from settlements.models import ContributionFile
from settlements.queries import uploads
from settlements.queries.parameters import credit_rule_on

MAX_BYTES = 48 * tables.MEGABYTE
MAX_ROWS = 600_000
COLUMNS = (
    tables.Column("id_number", ("身份证号", "ID number", "证件号码", "公民身份号码")),
    tables.Column("name", ("姓名", "Name"), required=False),
    tables.Column("base", ("缴费基数", "Contribution base", "月缴费基数")),
    tables.Column("month", ("费款所属期", "Month", "所属月份"), required=False),
)
SOMEBODY = Person(birth=datetime.date(1990, 1, 1))
MONTH_FORMAT = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?(?:[-/.]\d{1,2})?", re.ASCII)

KNOWN = """
SELECT m.id_number_index, m.id, m.name, EXISTS (
    SELECT 1 FROM accounts_enrolment e
    WHERE e.member_id = m.id AND e.region_id = %(region)s AND e.insurance = 'employee'
), EXISTS (SELECT 1 FROM settlements_personalaccount a WHERE a.member_id = m.id AND a.region_id = %(region)s)
FROM accounts_member m WHERE m.id_number_index = ANY(%(indexes)s)
"""
KEEP = """
INSERT INTO settlements_contribution (file_id, line, member_id, month, base)
SELECT %(file)s, * FROM unnest(%(lines)s::integer[], %(members)s::bigint[], %(months)s::date[], %(bases)s::numeric[])
ON CONFLICT (file_id, member_id, month) DO NOTHING RETURNING line
"""
FIRST_LINES = """
SELECT t.line, c.line FROM unnest(%(lines)s::integer[], %(members)s::bigint[], %(months)s::date[]) AS t(line, member, month)
JOIN settlements_contribution c ON c.file_id = %(file)s AND c.member_id = t.member AND c.month = t.month
"""


def named(file_id: int) -> str:
    """Under what name the worker that reads a file tells how far it is (queries.uploads)."""
    return f"contributions {file_id}"


# A row as it is kept: line, member, month, base in yuan.
_Kept = tuple[int, int, datetime.date, Decimal]


class Reading(files.Reading):
    """Rows are kept in batches."""

    def __init__(self, file: ContributionFile) -> None:
        super().__init__(file)
        self.widened = 0
        self.expected = ZERO
        self.rules: dict[datetime.date, CreditRule] = {}
        # Many have the same base.
        self.credit = lru_cache(maxsize=10_000)(self._credit)

    def run(self, content: IO[bytes]) -> None:
        table = tables.read(content, COLUMNS, max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
        self.titles = table.titles
        rows = table.rows()
        while batch := list(islice(rows, BATCH)):
            self._batch(batch)
        if not self.count:
            raise Refused("table_empty")

    def _batch(self, batch: list[tables.Row]) -> None:
        indexes = [blind_index(id_number.normalise(row.values["id_number"])) for row in batch]
        with connection.cursor() as cursor:
            cursor.execute(KNOWN, {"region": self.file.region_id, "indexes": indexes})
            known = {row[0]: row[1:] for row in cursor.fetchall()}
        right = [kept for row, index in zip(batch, indexes, strict=True) if (kept := self._row(row, known.get(index)))]
        if right:
            self._keep({row.line: row for row in batch}, right)
        self.count += len(batch)
        uploads.tell_rows(named(self.file.pk), self.count)

    def _keep(self, rows: dict[int, tables.Row], right: list[_Kept]) -> None:
        """Keep what is right, for the moment also where other rows are wrong: whoever is there twice shows by that."""
        facts = dict(zip(("lines", "members", "months", "bases"), map(list, zip(*right, strict=True)), strict=True))
        with connection.cursor() as cursor:
            cursor.execute(KEEP, {"file": self.file.pk, **facts})
            kept = {line for (line,) in cursor.fetchall()}
            twice = [row for row in right if row[0] not in kept]
            first = {}
            if twice:
                facts = dict(
                    zip(("lines", "members", "months"), map(list, list(zip(*twice, strict=True))[:3]), strict=True)
                )
                cursor.execute(FIRST_LINES, {"file": self.file.pk, **facts})
                first = dict(cursor.fetchall())
        for line, _, month, base in right:
            if line in kept:
                self.expected += self.credit(month, base)
            else:
                self.add([self.fault(rows[line], "id_number", "row_twice", first=first[line])])

    def _row(self, row: tables.Row, known: tuple[Any, ...] | None) -> _Kept | None:
        """The row as it is kept; None if anything is wrong with it."""
        self.widened += row.widened
        faults = row.faults or [*self._person(row, known), *self._values(row)]
        if not faults and known:
            return row.line, known[0], self._month(row), parse_amount(row.values["base"])
        self.add(faults)
        return None

    def _person(self, row: tables.Row, known: tuple[Any, ...] | None) -> Iterator[tables.Fault]:
        if not known:
            try:
                id_number.parse(row.values["id_number"], on=clock.today())
            except id_number.BadIdNumber as bad:
                yield self.fault(row, "id_number", bad.code, length=bad.length)
            else:
                yield self.fault(row, "id_number", "member_unknown")
            return
        _, name, insured, account = known
        if not insured:
            yield self.fault(row, "id_number", "member_elsewhere")
        elif not account:
            yield self.fault(row, "id_number", "member_without_account")
        if row.values.get("name") and not names.same(row.values["name"], name):
            yield self.fault(row, "name", "name_differs")

    def _values(self, row: tables.Row) -> Iterator[tables.Fault]:
        text = row.values["base"]
        try:
            if parse_amount(text) == ZERO:
                yield self.fault(row, "base", "amount_zero")
        except BadAmount as bad:
            code = bad.code
            if re.fullmatch(r"-[0-9.]+", text):
                code = "amount_negative"
            elif re.fullmatch(r"[0-9]+\.[0-9]{3,}", text):
                code = "amount_decimals"
            yield self.fault(row, "base", code)
        month = self._month(row)
        if month is None:
            yield self.fault(row, "month", "month_format")
        elif month > self.file.month:
            yield self.fault(row, "month", "month_later", month=f"{self.file.month:%Y-%m}")
        elif self._rule(month) is None:
            yield self.fault(row, "month", "month_too_early")

    def _month(self, row: tables.Row) -> Any:
        """The row's month, the file's where it has none; None if it cannot be read."""
        text = row.values.get("month", "")
        if not text:
            return self.file.month
        found = MONTH_FORMAT.fullmatch(text)
        try:
            return datetime.date(int(found[1]), int(found[2]), 1) if found else None
        except ValueError:
            return None

    def _credit(self, month: datetime.date, base: Decimal) -> Decimal:
        return month_credit(self._rule(month), SOMEBODY, base, month)

    def _rule(self, month: datetime.date) -> Any:
        if month not in self.rules:
            try:
                self.rules[month] = credit_rule_on(self.file.region_id, month)
            except Refused:
                return None
        return self.rules[month]
