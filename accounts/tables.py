"""Reading tables that offices upload: CSV in UTF-8 or GB 18030, and XLSX; row by row, with bounded memory.

What is wrong with the file as a whole is a `Refused`; what is wrong with a row is a `Fault` with line and column, so that
a page can list all of them. Nothing here knows what the columns are for.
"""

import codecs
import csv
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import IO, Any

from openpyxl import load_workbook

from accounts.errors import Refused
from accounts.language import is_chinese

MEGABYTE = 1024 * 1024
MAX_BYTES = 64 * MEGABYTE
MAX_ROWS = 1_000_000
# Unpacked and packed: a sheet of figures packs about ten to one; a bomb a thousand to one.
MAX_UNPACKED = 800 * MEGABYTE
MAX_RATIO = 200
OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")
# A spreadsheet would run what begins like this, whoever opens the file afterwards.
FORMULA = ("=", "@", "\t", "\r")
# When writing also what a spreadsheet makes such a sign of.
RUNS = (*FORMULA, "+", "-", "\n", "＝", "＠", "＋", "－")
SIGNED = re.compile(r"[+-]\s*[0-9.,]*")
LONG = re.compile(r"\t[0-9]+")
# Spreadsheets keep fifteen digits of a number: an ID number stored as one has lost its end already.
EXACT = 10**15
# Of titles that are wrong a refusal names the first so many, each so long.
MOST_NAMED, MOST_LETTERS = 10, 20


@dataclass(frozen=True)
class Column:
    """A column by its name in code, with the titles it may have in a file; the first is in Chinese, the second English."""

    name: str
    titles: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True)
class Fault:
    """What is wrong in a row: line as a spreadsheet counts it, title of the column, code and facts for `reasons.tell`."""

    line: int
    column: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass
class Row:
    """A row: the texts by column name, stripped and half-width; `widened` if full-width digits had to be put right."""

    line: int
    values: dict[str, str]
    faults: list[Fault] = field(default_factory=list)
    widened: bool = False


def read(
    file: IO[bytes], columns: Sequence[Column], *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> "Table":
    """Open a table: its titles are checked here, its rows come one by one from `Table.rows`.

    Raises Refused: table_empty, table_too_large, table_old_excel, table_broken, table_unpacks_too_far, table_nul,
    columns_missing, columns_unknown, columns_twice; and, while rows are read, table_too_many_rows and table_broken.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not size:
        raise Refused("table_empty")
    if size > max_bytes:
        raise Refused("table_too_large", megabytes=max_bytes // MEGABYTE)
    start = file.read(8)
    file.seek(0)
    if start.startswith(OLD_EXCEL):
        raise Refused("table_old_excel")
    lines = _sheet(file) if start.startswith(b"PK") else _csv(file)
    line, titles = next(((at, cells) for at, cells in lines if any(map(_text, cells))), (0, []))
    if not line:
        raise Refused("table_empty")
    return Table(_match(titles, columns), columns, lines, max_rows)


class Table:
    """An open table; `titles` are those of its columns in the reader's language, by column name."""

    def __init__(
        self, places: dict[str, int], columns: Sequence[Column], lines: Iterator[tuple[int, list[Any]]], max_rows: int
    ) -> None:
        self._places, self._lines, self._max_rows = places, lines, max_rows
        self.titles = {column.name: title(column) for column in columns}

    def rows(self) -> Iterator[Row]:
        """The rows below the titles; blank ones are passed over."""
        count = 0
        width = max(self._places.values()) + 1
        for line, cells in self._lines:
            if not any(cell not in (None, "") for cell in cells):
                continue
            count += 1
            if count > self._max_rows:
                raise Refused("table_too_many_rows", rows=f"{self._max_rows:,}")
            yield self._row(line, cells, width)

    def _row(self, line: int, cells: list[Any], width: int) -> Row:
        row = Row(line, {})
        if any(_text(cell) for cell in cells[width:]):
            row.faults.append(Fault(line, "", "cells_too_many"))
        for name, place in self._places.items():
            cell = cells[place] if place < len(cells) else None
            text = _text(cell)
            narrow = text
            if not text.isascii():
                narrow = unicodedata.normalize("NFKC", text).strip()
                row.widened = row.widened or any(character.isdigit() and not character.isascii() for character in text)
            row.values[name] = narrow
            code = _wrong(cell, narrow)
            if code:
                row.faults.append(Fault(line, self.titles[name], code))
        return row


def title(column: Column) -> str:
    """The column's title in the reader's language."""
    return column.titles[0 if is_chinese() else min(1, len(column.titles) - 1)]


def safe(cell: object) -> str:
    """A cell as it may stand in a file that a spreadsheet opens: what would be run as a formula is made a text."""
    text = str(cell)
    runs = text.startswith(RUNS) and not SIGNED.fullmatch(text) and not LONG.fullmatch(text)
    return f"'{text}" if runs else text


def long_number(digits: str) -> str:
    """A number of more than fifteen digits for `write_csv`: behind a tab it is a text, and a spreadsheet keeps its end."""
    return f"\t{digits}"


class _Handed:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Rows as CSV that spreadsheets open: with a byte order mark, and nothing in it that runs; line by line."""
    writer = csv.writer(_Handed())
    yield "\N{BYTE ORDER MARK}"
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])


def write_csv(rows: Iterable[Iterable[object]]) -> str:
    """`csv_lines` as one text, for a table that is not long."""
    return "".join(csv_lines(rows))


def _match(found: Sequence[Any], columns: Sequence[Column]) -> dict[str, int]:
    """Column name -> place."""
    known = {_plain(name): column.name for column in columns for name in (*column.titles, column.name)}
    texts = [_text(cell) for cell in found]
    names = [known.get(_plain(text), "") for text in texts]
    missing = [title(column) for column in columns if column.required and column.name not in names]
    if missing:
        raise Refused("columns_missing", columns=missing, found=_first(filter(None, texts)))
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise Refused("columns_twice", columns=[title(c) for c in columns if c.name in twice])
    unknown = [text for text, name in zip(texts, names, strict=True) if text and not name]
    if unknown:
        raise Refused("columns_unknown", columns=_first(unknown))
    return {name: place for place, name in enumerate(names) if name}


def _first(names: Iterable[str]) -> list[str]:
    """As many as a sentence bears."""
    return [name[:MOST_LETTERS] for name in islice(names, MOST_NAMED)]


def _plain(text: str) -> str:
    return re.sub(r"[\s_*()]", "", unicodedata.normalize("NFKC", text)).casefold()


def _text(cell: Any) -> str:
    """A cell as text: numbers as they were typed, days as ISO."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).strip()


def _wrong(cell: Any, text: str) -> str:
    if text.startswith(FORMULA) or (text.startswith(("+", "-")) and not SIGNED.fullmatch(text)):
        return "cell_formula"
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= EXACT:
        return "cell_digits_lost"
    # Whatever can be printed is no control character, and that is told for a whole text at once.
    if not text.isprintable() and any(unicodedata.category(character) == "Cc" for character in text):
        return "cell_control"
    return ""


def _csv(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    encoding = _encoding(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    first = text.readline()
    text.seek(0)
    reader = csv.reader(text, delimiter=max(",\t;", key=first.count), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise Refused("table_broken", line=reader.line_num) from error
    finally:
        # Letting go of the wrapper would close the file of the caller.
        if not file.closed:
            text.detach()


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 (with or without a mark), else GB 18030, which holds GBK; the whole file is tried, piece by piece."""
    start = file.read(4)
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            while piece := file.read(MEGABYTE):
                if b"\0" in piece and not wide:
                    raise Refused("table_nul")
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Refused("table_encoding")


def _sheet(file: IO[bytes]) -> Iterator[tuple[int, list[Any]]]:
    try:
        _refuse_bomb(file)
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield line, list(cells)
    except Refused:
        raise
    # Whatever it is: damaged files fail in zlib, in the names of parts, in attributes that openpyxl does not know. Only
    # its own mistakes come by here, for what the reader of the rows raises is not thrown in.
    except Exception as error:
        raise Refused("table_broken", line=0) from error


def _refuse_bomb(file: IO[bytes]) -> None:
    parts = zipfile.ZipFile(file).infolist()
    unpacked, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    file.seek(0)
    if unpacked > MAX_UNPACKED or (unpacked > 10 * MEGABYTE and unpacked > MAX_RATIO * max(packed, 1)):
        raise Refused("table_unpacks_too_far")
