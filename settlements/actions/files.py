"""What taking in a file and reading it have in common, whatever stands in its rows: contributions or a catalogue."""

import datetime
from typing import IO, Any

from django.db.models import QuerySet

from accounts import tables
from accounts.errors import Refused
from accounts.models import Region
from settlements.enums import FileState

# More are counted, but no longer listed: whoever has that many has one mistake in common.
FAULTS_KEPT = 10_000
BATCH = 5000


class Reading:
    """One pass over a file: `count` of its rows, and the mistakes of all of them."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.titles: dict[str, str] = {}
        self.faults: list[tables.Fault] = []
        self.fault_count = 0
        self.count = 0

    def fault(self, row: tables.Row, column: str, code: str, **params: Any) -> tables.Fault:
        """A mistake in a cell, under the title that its column has for the reader."""
        return tables.Fault(row.line, self.titles.get(column, ""), code, params)

    def add(self, faults: list[tables.Fault]) -> None:
        """The mistakes of one row."""
        self.fault_count += 1
        self.faults += faults[: max(FAULTS_KEPT - len(self.faults), 0)]


def content_of(content: IO[bytes], max_bytes: int) -> bytes:
    """What was uploaded. Raises Refused: table_too_large, table_empty."""
    data = content.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Refused("table_too_large", megabytes=max_bytes // tables.MEGABYTE)
    if not data:
        raise Refused("table_empty")
    return data


def refuse_again(region: Region, same: QuerySet[Any]) -> None:
    """`same`: files with this content. Of two uploads at once the second waits here for the transaction of the first.

    Raises Refused: table_again, unless what came before was faulty or withdrawn.
    """
    Region.objects.select_for_update(no_key=True).get(pk=region.pk)
    first = same.exclude(state__in=[FileState.FAULTY, FileState.WITHDRAWN]).first()
    if first is not None:
        raise Refused("table_again", uploaded_at=first.uploaded_at.isoformat(), number=first.pk)


def finish(file: Any, reading: Reading, at: datetime.datetime) -> bool:
    """Keep the mistakes and let the content go; whether the file is right. The caller saves it."""
    fault = file.faults.model
    file.faults.bulk_create(
        (fault(file=file, line=f.line, column=f.column, code=f.code, params=f.params) for f in reading.faults),
        batch_size=BATCH,
    )
    right = not (file.refused or reading.fault_count)
    file.state = FileState.READY if right else FileState.FAULTY
    file.fault_count, file.content, file.read_at = reading.fault_count, None, at
    return right


def locked(rows: QuerySet[Any], pk: int, state: FileState) -> Any:
    """The file, for the rest of the transaction. Raises Refused: file_state."""
    file = rows.select_for_update(no_key=True, of=("self",)).defer("content").get(pk=pk)
    if file.state != state:
        raise Refused("file_state", state=str(file.state))
    return file
