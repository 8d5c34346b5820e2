"""A region's catalogue from a file: read and compared whole, released by a second person, brought in all or nothing."""

import datetime
import io
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import IO, Any

from django.db import IntegrityError, connection, transaction

from accounts import clock, tables
from accounts.actions import audit
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Region, User
from accounts.money import ZERO, BadAmount, parse_amount
from settlements.actions import files
from settlements.actions.drafts import permitted
from settlements.actions.files import BATCH
from settlements.actions.rollover import clock_day
from settlements.enums import FileState
from settlements.models import CatalogueFile, CatalogueItem, CatalogueRow

MAX_BYTES = 48 * tables.MEGABYTE
MAX_ROWS = 400_000
HUNDRED = Decimal(100)
COLUMNS = (
    tables.Column("code", ("医保目录编码", "Code", "医保编码", "编码", "国家医保编码")),
    tables.Column("name", ("名称", "Name", "项目名称", "通用名")),
    tables.Column("item_class", ("类别", "Class", "甲乙丙类", "收费项目等级")),
    tables.Column("percent", ("先行自付比例", "Pre-self-pay, percent", "自付比例"), required=False),
    tables.Column("limit", ("医保限价", "Price limit", "限价", "支付上限"), required=False),
)
CLASSES = {"A": "A", "B": "B", "C": "C", "甲": "A", "乙": "B", "丙": "C", "甲类": "A", "乙类": "B", "丙类": "C"}

KEEP = """
INSERT INTO settlements_cataloguerow (file_id, line, code, name, item_class, self_pay_percent, price_limit, change,
    class_before)
SELECT %s, *, 'new', '' FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::numeric[])
"""
# With what holds on the file's day. Compared again before it is brought in, only rows that have moved are written.
COMPARE = """
UPDATE settlements_cataloguerow r
SET item_id = f.item_id, class_before = f.class_before, percent_before = f.percent_before,
    limit_before = f.limit_before, ends_on = f.ends_on, change = f.change
FROM (
    SELECT r.id, h.id AS item_id, coalesce(h.item_class, '') AS class_before, h.self_pay_percent AS percent_before,
        h.price_limit AS limit_before, h.valid_to AS ends_on, CASE
            WHEN h.id IS NULL THEN 'new'
            WHEN (h.name, h.item_class, h.self_pay_percent) = (r.name, r.item_class, r.self_pay_percent)
                AND h.price_limit IS NOT DISTINCT FROM r.price_limit THEN 'unchanged'
            ELSE 'changed' END AS change
    FROM settlements_cataloguerow r
    LEFT JOIN settlements_catalogueitem h ON h.region_id = %(region)s AND h.code = r.code
        AND h.valid_from <= %(on)s AND (h.valid_to IS NULL OR h.valid_to > %(on)s)
    WHERE r.file_id = %(file)s
) f
WHERE r.id = f.id AND (r.item_id, r.class_before, r.percent_before, r.limit_before, r.ends_on, r.change)
    IS DISTINCT FROM (f.item_id, f.class_before, f.percent_before, f.limit_before, f.ends_on, f.change)
"""
LATER = """
SELECT r.line, min(i.valid_from) FROM settlements_cataloguerow r
JOIN settlements_catalogueitem i ON i.region_id = %(region)s AND i.code = r.code AND i.valid_from > %(on)s
WHERE r.file_id = %(file)s AND r.change <> 'unchanged' GROUP BY r.line ORDER BY r.line
"""
GONE = """
FROM settlements_catalogueitem i WHERE i.region_id = %(region)s AND i.valid_from <= %(on)s
    AND (i.valid_to IS NULL OR i.valid_to > %(on)s)
    AND NOT EXISTS (SELECT 1 FROM settlements_cataloguerow r WHERE r.file_id = %(file)s AND r.code = i.code)
"""
# A version that begins on the day itself has never held.
DROP_GONE = f"DELETE FROM settlements_catalogueitem WHERE valid_from = %(on)s AND id IN (SELECT i.id {GONE})"
END_GONE = f"UPDATE settlements_catalogueitem SET valid_to = %(on)s WHERE id IN (SELECT i.id {GONE})"
END_CHANGED = """
UPDATE settlements_catalogueitem i SET valid_to = %(on)s FROM settlements_cataloguerow r
WHERE r.file_id = %(file)s AND r.change = 'changed' AND i.id = r.item_id AND i.valid_from < %(on)s
"""
PUT_RIGHT = """
UPDATE settlements_catalogueitem i
SET name = r.name, item_class = r.item_class, self_pay_percent = r.self_pay_percent, price_limit = r.price_limit
FROM settlements_cataloguerow r
WHERE r.file_id = %(file)s AND r.change = 'changed' AND i.id = r.item_id AND i.valid_from = %(on)s
"""
BRING_IN = """
INSERT INTO settlements_catalogueitem (region_id, code, name, item_class, self_pay_percent, price_limit, valid_from,
    valid_to)
SELECT %(region)s, r.code, r.name, r.item_class, r.self_pay_percent, r.price_limit, %(on)s, r.ends_on
FROM settlements_cataloguerow r LEFT JOIN settlements_catalogueitem i ON i.id = r.item_id
WHERE r.file_id = %(file)s AND (r.change = 'new' OR (r.change = 'changed' AND i.valid_from < %(on)s)) ORDER BY r.line
"""


def receive(
    *,
    region: Region,
    valid_from: datetime.date,
    whole: bool,
    name: str,
    content: IO[bytes],
    by: User,
    at: datetime.datetime | None = None,
) -> CatalogueFile:
    """Take in a catalogue that is to hold from a day on; a worker reads and compares it afterwards.

    `whole`: codes that are not in it end on that day. Raises Refused: not_permitted, table_too_large, table_empty,
    table_again, catalogue_day_early (before tomorrow, where the region has a catalogue already).
    """
    at = at or clock.now()
    permitted(by, region.pk)
    data = files.content_of(content, MAX_BYTES)
    digest = sha256(data).hexdigest()
    with transaction.atomic():
        same = CatalogueFile.objects.filter(region=region, valid_from=valid_from, sha256=digest)
        files.refuse_again(region, same)
        _check_day(region, valid_from, at)
        file = CatalogueFile.objects.create(
            region=region, valid_from=valid_from, whole=whole, name=name[-120:], sha256=digest, size=len(data),
            content=data, uploaded_by=by, uploaded_at=at,
        )  # fmt: skip
        _record("upload", file, by, at)
    return file


@transaction.atomic
def read(*, file_id: int, at: datetime.datetime | None = None) -> CatalogueFile | None:
    """Read an uploaded file: its rows, compared, if all are right, else its mistakes. None: it was read, or is being read."""
    waiting = CatalogueFile.objects.filter(pk=file_id, state=FileState.READING)
    file = waiting.select_related("region").select_for_update(skip_locked=True, of=("self",)).first()
    if file is None or file.content is None:
        return None
    reading = _Reading(file)
    try:
        with transaction.atomic():
            reading.run(bytes(file.content))
            if not reading.fault_count:
                file.totals = compare(file)
                reading.find_later()
            if reading.fault_count:
                transaction.set_rollback(True)
    except Refused as refusal:
        file.refused = {"code": refusal.code, "params": refusal.params}
    at = at or clock.now()
    if not files.finish(file, reading, at):
        file.totals = {"rows": reading.count}
    file.save()
    _record("read", file, None, at, state=str(file.state), mistakes=file.fault_count)
    return file


def compare(file: CatalogueFile) -> dict[str, int]:
    """Compare a file's rows with what holds on its day; counts of rows, new, changed, unchanged and ended codes."""
    facts = _facts(file)
    with connection.cursor() as cursor:
        cursor.execute(COMPARE, facts)
        cursor.execute(
            "SELECT change, count(*) FROM settlements_cataloguerow WHERE file_id = %(file)s GROUP BY change", facts
        )
        counts = dict(cursor.fetchall())
        ended = 0
        if file.whole:
            cursor.execute(f"SELECT count(*) {GONE}", facts)
            (ended,) = cursor.fetchone()
    found = {change: counts.get(change, 0) for change in ("new", "changed", "unchanged")}
    return {"rows": sum(found.values()), **found, "ended": ended}


def release(*, file: CatalogueFile, by: User, at: datetime.datetime | None = None) -> CatalogueFile:
    """Have a file's catalogue brought in, by another person than the one who uploaded it; a worker does it (`bring_in`).

    Raises Refused: not_permitted, file_state, same_person, catalogue_day_early (the day has come meanwhile).
    """
    at = at or clock.now()
    permitted(by, file.region_id)
    with transaction.atomic():
        file = files.locked(CatalogueFile.objects.select_related("region"), file.pk, FileState.READY)
        if file.uploaded_by_id == by.pk:
            raise Refused("same_person", why="crediting")
        _check_day(file.region, file.valid_from, at)
        file.state, file.released_by, file.released_at, file.refused = FileState.RELEASING, by, at, {}
        file.save(update_fields=["state", "released_by", "released_at", "refused"])
        _record("release", file, by, at, **file.totals)
    return file


@transaction.atomic
def bring_in(*, file_id: int, at: datetime.datetime | None = None) -> CatalogueFile | None:
    """Bring a released catalogue in, all of it with its mark; None: it was, or somebody is at it.

    It waits for release again, with the reason, where it cannot be: the day has come (catalogue_day_early), something
    else was brought in since it was compared (catalogue_moved), or the database refuses a code (catalogue_overlaps).
    """
    at = at or clock.now()
    waiting = CatalogueFile.objects.filter(pk=file_id, state=FileState.RELEASING).defer("content")
    file = waiting.select_related("region").select_for_update(skip_locked=True, of=("self",)).first()
    if file is None:
        return None
    # One at a time in a region: the second is compared with what the first brought in.
    Region.objects.select_for_update(no_key=True).get(pk=file.region_id)
    try:
        _check_day(file.region, file.valid_from, at)
        totals = compare(file)
        moved, file.totals = totals != file.totals or _later(file), totals
        if moved:
            raise Refused("catalogue_moved")
        _apply(file)
        file.state = FileState.RELEASED
    except Refused as refusal:
        file.state, file.released_by, file.released_at = FileState.READY, None, None
        file.refused = {"code": refusal.code, "params": refusal.params}
    file.save(update_fields=["state", "released_by", "released_at", "refused", "totals"])
    _record("bring_in", file, None, at, state=str(file.state), refused=file.refused.get("code", ""))
    return file


@transaction.atomic
def withdraw(*, file: CatalogueFile, by: User, at: datetime.datetime | None = None) -> CatalogueFile:
    """Take a file back that was not released; its rows go. Raises Refused: not_permitted, file_state."""
    permitted(by, file.region_id)
    file = files.locked(CatalogueFile.objects.select_related("region"), file.pk, FileState.READY)
    CatalogueRow.objects.filter(file=file).delete()
    file.state = FileState.WITHDRAWN
    file.save(update_fields=["state"])
    _record("withdraw", file, by, at or clock.now())
    return file


def _apply(file: CatalogueFile) -> None:
    """What ends first, so that no two versions of a code ever overlap. Raises Refused: catalogue_overlaps."""
    statements = [*([DROP_GONE, END_GONE] if file.whole else []), END_CHANGED, BRING_IN, PUT_RIGHT]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, _facts(file))
    except IntegrityError as error:
        raise Refused("catalogue_overlaps") from error


def _later(file: CatalogueFile) -> list[tuple[int, datetime.date]]:
    """Lines whose code has a version that begins after the file's day."""
    with connection.cursor() as cursor:
        cursor.execute(LATER, _facts(file))
        return list(cursor.fetchall())


def _check_day(region: Region, day: datetime.date, at: datetime.datetime) -> None:
    """Bills of days gone by were classified: only a first catalogue may begin there."""
    tomorrow = clock_day(at) + datetime.timedelta(days=1)
    if day < tomorrow and CatalogueItem.objects.filter(region=region).exists():
        raise Refused("catalogue_day_early", earliest_on=tomorrow.isoformat())


class _Reading(files.Reading):
    """Rows are kept in batches."""

    def __init__(self, file: CatalogueFile) -> None:
        super().__init__(file)
        self.seen: dict[str, int] = {}

    def run(self, data: bytes) -> None:
        table = tables.read(io.BytesIO(data), COLUMNS, max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
        self.titles = table.titles
        rows = table.rows()
        while batch := list(islice(rows, BATCH)):
            kept = [found for row in batch if (found := self._row(row))]
            self.count += len(batch)
            if kept and not self.fault_count:
                with connection.cursor() as cursor:
                    cursor.execute(KEEP, [self.file.pk, *map(list, zip(*kept, strict=True))])
        if not self.count:
            raise Refused("table_empty")

    def find_later(self) -> None:
        """Rows of codes for which a later version is known: it would be cut off."""
        for line, begins in _later(self.file):
            self.add([tables.Fault(line, self.titles["code"], "catalogue_later", {"begins_on": begins.isoformat()})])

    def _row(self, row: tables.Row) -> tuple[Any, ...] | None:
        """The row as it is kept; None if anything is wrong with it."""
        values = row.values
        faults = row.faults or list(self._faults(row))
        first = self.seen.setdefault(values["code"], row.line)
        if not faults and first != row.line:
            faults = [self.fault(row, "code", "catalogue_twice", first=first)]
        if faults:
            self.add(faults)
            return None
        item_class = CLASSES[values["item_class"].upper()]
        percent = {"A": ZERO, "C": HUNDRED}.get(item_class)
        if percent is None:
            percent = self._percent(values["percent"])
        limit = values.get("limit", "")
        return row.line, values["code"], values["name"], item_class, percent, parse_amount(limit) if limit else None

    def _faults(self, row: tables.Row) -> Iterator[tables.Fault]:
        values = row.values
        for name, most in (("code", 50), ("name", 100)):
            if not values[name]:
                yield self.fault(row, name, "cell_missing")
            elif len(values[name]) > most:
                yield self.fault(row, name, "cell_too_long", most=most)
        item_class = CLASSES.get(values["item_class"].upper())
        if item_class is None:
            yield self.fault(row, "item_class", "catalogue_class")
        yield from self._percent_faults(row, item_class)
        if limit := values.get("limit", ""):
            try:
                if not parse_amount(limit):
                    yield self.fault(row, "limit", "catalogue_limit_zero")
            except BadAmount as bad:
                yield self.fault(row, "limit", str(bad.code))

    def _percent_faults(self, row: tables.Row, item_class: str | None) -> Iterator[tables.Fault]:
        text = row.values.get("percent", "")
        if not text:
            if item_class == "B":
                yield self.fault(row, "percent", "catalogue_percent_missing")
            return
        try:
            percent = self._percent(text)
        except BadAmount:
            yield self.fault(row, "percent", "catalogue_percent")
            return
        if percent > HUNDRED:
            yield self.fault(row, "percent", "catalogue_percent")
        elif 0 < percent < 1:
            # 0.1 for ten percent is how some lists have it: a tenth of a percent is none.
            yield self.fault(row, "percent", "catalogue_percent_fraction")
        elif percent != {"A": ZERO, "C": HUNDRED}.get(item_class or "", percent):
            yield self.fault(row, "percent", "catalogue_percent_class")

    @staticmethod
    def _percent(text: str) -> Decimal:
        return parse_amount(text.removesuffix("%"))


def _facts(file: CatalogueFile) -> dict[str, Any]:
    return {"file": file.pk, "region": file.region_id, "on": file.valid_from}


def _record(verb: str, file: CatalogueFile, by: User | None, at: datetime.datetime, **details: Any) -> None:
    audit.record(
        action=f"catalogue.{verb}",
        by=by,
        at=at,
        target=f"catalogue {file.pk} {file.region_id} {file.valid_from}",
        details={**details, "sha256": file.sha256[:16]},
        channel=Channel.ONLINE if by else Channel.SYSTEM,
    )
