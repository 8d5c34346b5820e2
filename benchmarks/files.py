"""7: big files. A month's contributions as CSV and as XLSX, and a catalogue, through upload, worker and release."""

import csv
import datetime
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from openpyxl import Workbook

from accounts.clock import today
from accounts.models import Member, Region, User
from benchmarks import measure, processes, world
from benchmarks.measure import Line
from portal.seeding import scale
from settlements import tasks
from settlements.actions import catalogue, contribution_rows, contributions, credit_runs
from settlements.enums import CreditState, FileState
from settlements.models import CatalogueFile, CatalogueItem, Contribution, ContributionFile, CreditRun
from settlements.queries import uploads

BEIJING = "110000"
TITLES = ["身份证号", "姓名", "缴费基数", "费款所属期"]
PATIENCE = 1800.0
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Reading:
    """One file read by a worker: seconds, those of its processor, its largest MB, and whether it told how far it was."""

    seconds: float
    processor: float
    memory: float
    told: bool


def measure_files() -> Iterator[Line]:
    """Read a small file and big ones, one with mistakes at its end; post the big one; bring a catalogue in."""
    world.people(measure.FILE_ROWS, BEIJING, opened())
    month = last_month()
    _, few = read(csv_of(rows_of(measure.FEW_ROWS, month)), month)
    _, wrong = read(csv_of(rows_of(measure.FILE_ROWS - 2, month), *mistaken(month)), month)
    missed = _missed(ContributionFile.objects.latest("pk"))
    file, many = read(csv_of(rows_of(measure.FILE_ROWS, month)), month)
    _, sheet = read(sheet_of(rows_of(measure.SHEET_ROWS, month)), month)
    yield from _lines(f"CSV, {measure.FILE_ROWS:,} rows", measure.FILE_ROWS, many)
    yield from _lines("  with mistakes in its last two", measure.FILE_ROWS, wrong)
    yield Line("files", "  not found, or half kept", missed, "", most=0)
    yield from _lines(f"XLSX, {measure.SHEET_ROWS:,} rows", measure.SHEET_ROWS, sheet)
    yield Line("files", f"largest worker, CSV of {measure.FEW_ROWS:,} rows", few.memory, "MB")
    yield Line("files", "CSV: big against small", many.memory / few.memory, "x", most=measure.FLAT)
    with processes.celery(credit_runs.WORKERS) as worker, processes.peak_memory(worker) as peak:
        begun = time.monotonic()
        run = contributions.release(file=file, by=somebody("releases"))
        tasks.ring_credits(run.pk)
        processes.until(CreditRun.objects.filter(pk=run.pk, state=CreditState.DONE).exists, PATIENCE)
        yield Line("files", f"{measure.FILE_ROWS:,} contributions posted", time.monotonic() - begun, "s")
        yield Line("files", "  largest worker", peak(), "MB")
    yield from _catalogue()


def _lines(what: str, rows: int, reading: Reading) -> Iterator[Line]:
    yield Line("files", f"{what}: read and checked", reading.seconds, "s")
    yield Line("files", "  processor of the worker", reading.processor, "s")
    yield Line("files", "  rows", rows / reading.seconds, "a second")
    yield Line("files", "  largest worker", reading.memory, "MB")


def _missed(file: ContributionFile) -> int:
    """Of the two mistakes at the end how many were not found with line and column, and rows that stayed."""
    last = measure.FILE_ROWS + 1
    wanted = {(last - 1, "身份证号", "id_check"), (last, "缴费基数", "amount_decimals")}
    found = set(file.faults.values_list("line", "column", "code"))
    return len(wanted ^ found) + Contribution.objects.filter(file=file).count()


def opened() -> datetime.date:
    """The first day of the present year: nobody's year has ended."""
    return today().replace(month=1, day=1)


def last_month() -> datetime.date:
    """The month before this one, where that is of this year."""
    first = today().replace(day=1)
    return first if first.month == 1 else (first - DAY).replace(day=1)


def somebody(name: str) -> User:
    """Who uploads or releases."""
    return User.objects.get_or_create(username=name, defaults={"display_name": name, "is_staff": True})[0]


def rows_of(count: int, month: datetime.date, on: datetime.date | None = None) -> Iterator[list[str]]:
    """So many rows of the people of `world.people`, by number and name; `on`: the day that it was told."""
    names = Member.objects.order_by("pk").values_list("name", flat=True)[:count].iterator()
    for order, name in enumerate(names):
        base = 6000 + order % 2000 * 10
        yield [scale.id_number_of(order, BEIJING, on or opened()), name, f"{base}.00", f"{month:%Y-%m}"]


def mistaken(month: datetime.date) -> list[list[str]]:
    """Two rows that are wrong: the last character of a number, and three decimals."""
    number = scale.id_number_of(measure.FILE_ROWS - 2, BEIJING, opened())
    other = scale.id_number_of(measure.FILE_ROWS - 1, BEIJING, opened())
    check = "0" if number[-1] == "1" else "1"
    return [[number[:-1] + check, "", "6000.00", f"{month:%Y-%m}"], [other, "", "6000.001", f"{month:%Y-%m}"]]


def csv_of(rows: Iterator[list[str]], *more: list[str], titles: Sequence[str] = TITLES) -> io.BytesIO:
    """A file as offices send them."""
    text = io.StringIO()
    csv.writer(text).writerows([titles, *rows, *more])
    return io.BytesIO(text.getvalue().encode())


def sheet_of(rows: Iterator[list[str]]) -> io.BytesIO:
    """The same as a spreadsheet writes it: texts in a table of their own."""
    book, content = Workbook(), io.BytesIO()
    for row in [TITLES, *rows]:
        book.worksheets[0].append(row)
    book.save(content)
    content.seek(0)
    return content


def read(content: io.BytesIO, month: datetime.date) -> tuple[ContributionFile, Reading]:
    """Upload a file of contributions and let a worker of its own read it."""
    with one_worker() as (worker, peak):
        file = contributions.receive(
            region=Region.objects.get(pk=BEIJING), month=month, name="bench", content=content, by=somebody("uploads")
        )
        told, begun, before = False, time.monotonic(), processes.processor(worker)
        tasks.ring_file(file.pk)

        def was_read() -> bool:
            nonlocal told
            told = told or uploads.rows_told(contribution_rows.named(file.pk)) > 0
            return not ContributionFile.objects.filter(pk=file.pk, state=FileState.READING).exists()

        processes.until(was_read, PATIENCE)
        reading = Reading(time.monotonic() - begun, processes.processor(worker) - before, peak(), told)
    file = ContributionFile.objects.defer("content").get(pk=file.pk)
    if file.refused or not told and not measure.QUICK:
        raise RuntimeError(f"refused: {file.refused}, progress was told: {told}")
    return file, reading


@contextmanager
def one_worker() -> Iterator[tuple[psutil.Process, Callable[[], float]]]:
    """A worker with one process, and its largest MB."""
    with processes.celery(1) as worker, processes.peak_memory(worker) as peak:
        yield worker, peak


def catalogue_of(count: int, percent: str = "10") -> io.BytesIO:
    """So many codes with names."""
    rows = ([f"X{n:09d}", f"某药品注射液{n}号", "乙", percent, f"{n % 900 + 1}.50"] for n in range(count))
    return csv_of(rows, titles=["医保目录编码", "名称", "类别", "先行自付比例", "医保限价"])


def released_catalogue(count: int, valid_from: datetime.date, percent: str = "10") -> CatalogueFile:
    """A catalogue that was uploaded, read and released, to be brought in."""
    region = Region.objects.get(pk=BEIJING)
    file = catalogue.receive(
        region=region, valid_from=valid_from, whole=False, name="bench", content=catalogue_of(count, percent),
        by=_admin("uploads the catalogue"),
    )  # fmt: skip
    catalogue.read(file_id=file.pk)
    return catalogue.release(file=CatalogueFile.objects.get(pk=file.pk), by=_admin("releases the catalogue"))


def _admin(name: str) -> User:
    from accounts.enums import Role
    from accounts.models import RoleAssignment

    user = somebody(name)
    RoleAssignment.objects.get_or_create(user=user, role=Role.REGION_ADMIN, region_id=BEIJING)
    return user


def _catalogue() -> Iterator[Line]:
    """A first catalogue, then one that changes a third of the codes."""
    CatalogueItem.objects.filter(region=BEIJING).delete()
    for what, count, percent, day in (
        (f"catalogue, {measure.CODES:,} new codes", measure.CODES, "10", today() + DAY),
        (f"catalogue, {measure.CODES // 3:,} changed", measure.CODES // 3, "20", today() + 2 * DAY),
    ):
        file = released_catalogue(count, day, percent)
        with one_worker() as (_worker, peak):
            begun = time.monotonic()
            tasks.ring_release(file.pk)
            processes.until(CatalogueFile.objects.filter(pk=file.pk, state=FileState.RELEASED).exists, PATIENCE)
            yield Line("files", f"{what}: brought in", time.monotonic() - begun, "s")
            yield Line("files", "  largest worker", peak(), "MB")
