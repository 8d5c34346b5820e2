"""Every kind of bad file that an office can upload, and the good ones that must not be refused."""

import datetime
import io
import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from django.utils import translation
from openpyxl import Workbook

from accounts import reasons, tables
from accounts.errors import Refused
from accounts.reasons import registered

COLUMNS = [
    tables.Column("id_number", ("身份证号", "ID number")),
    tables.Column("base", ("缴费基数", "Contribution base")),
    tables.Column("note", ("备注", "Note"), required=False),
]
ID = "310101198503120028"
ROOT = Path(tables.__file__).parents[1]


def rows(content: bytes, **limits: int) -> list[tables.Row]:
    return list(tables.read(io.BytesIO(content), COLUMNS, **limits).rows())


def codes(content: bytes) -> list[str]:
    return [fault.code for row in rows(content) for fault in row.faults]


def sheet(*lines: list[object]) -> bytes:
    book = Workbook()
    for line in lines:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_of_any_usual_encoding(encoding: str, delimiter: str) -> None:
    content = delimiter.join(["身份证号", "缴费基数"]) + "\r\n" + delimiter.join([ID, "12000.00"]) + "\r\n\r\n"
    [row] = rows(content.encode(encoding))
    assert (row.line, row.values, row.faults) == (2, {"id_number": ID, "base": "12000.00"}, [])


def test_titles_in_english_in_any_order() -> None:
    [row] = rows(f"contribution_base,ID Number\n900.50,{ID}\n".encode())
    assert row.values == {"base": "900.50", "id_number": ID}


def test_a_sheet() -> None:
    found = rows(sheet(["身份证号", "缴费基数", "备注"], [ID, 12000.5, None], [None, None, None], [ID, 900, "x"]))
    assert [(row.line, row.values["base"]) for row in found] == [(2, "12000.5"), (4, "900")]


def test_a_day_of_a_sheet_is_an_iso_day() -> None:
    [row] = rows(sheet(["身份证号", "缴费基数"], [ID, datetime.datetime(2026, 11, 1)]))
    assert row.values["base"] == "2026-11-01"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table_empty"),
        (b"\n\n,,\n", "table_empty"),
        ("身份证号\n1\n".encode(), "columns_missing"),
        ("身份证号,缴费基数,缴费基数\n".encode(), "columns_twice"),
        ("身份证号,缴费基数,工资\n".encode(), "columns_unknown"),
        (b"ID number,Contribution base\n1,\x002\n", "table_nul"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 100, "table_old_excel"),
        (b"PK\x03\x04 no archive", "table_broken"),
        (b'ID number,Contribution base\n"1,2\n', "table_broken"),
        (b"ID number\xff\xff,Contribution base\n\xff", "table_encoding"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        rows(content)
    assert refusal.value.code == code
    assert code in registered()


def test_the_titles_are_listed_in_the_readers_language() -> None:
    with pytest.raises(Refused) as refusal:
        rows("身份证号,缴费基数,工资,奖金\n".encode())
    with translation.override("zh-hans"):
        assert "工资、奖金" in reasons.tell_refused(refusal.value).reason
    with translation.override("en"):
        assert "工资, 奖金" in reasons.tell_refused(refusal.value).reason


def test_of_many_wrong_titles_the_first_are_named() -> None:
    with pytest.raises(Refused) as refusal:
        rows(f"身份证号,缴费基数,{','.join('奖' * 30 + str(at) for at in range(99))}\n".encode())
    assert refusal.value.params["columns"] == ["奖" * 20] * 10


def test_a_file_too_large_is_refused_unread() -> None:
    with pytest.raises(Refused, match="table_too_large"):
        rows(b"ID number,Contribution base\n" * 100, max_bytes=1000)


def test_too_many_rows() -> None:
    with pytest.raises(Refused, match="table_too_many_rows"):
        rows(b"ID number,Contribution base\n" + b"1,2\n" * 11, max_rows=10)


def test_a_bomb_is_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    with pytest.raises(Refused, match="table_unpacks_too_far"):
        rows(out.getvalue())


def test_an_archive_that_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("hello.txt", b"hello")
    with pytest.raises(Refused, match="table_broken"):
        rows(out.getvalue())


@pytest.mark.parametrize("formula", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd"])
def test_a_formula_is_a_fault(formula: str) -> None:
    assert codes(f"ID number,Contribution base\n{ID},{formula}\n".encode()) == ["cell_formula"]
    assert codes(sheet(["ID number", "Contribution base"], [ID, formula])) == ["cell_formula"]


def test_a_negative_amount_is_no_formula() -> None:
    assert codes(f"ID number,Contribution base\n{ID},-12.00\n".encode()) == []


def test_an_id_number_kept_as_a_number_has_lost_its_end() -> None:
    assert codes(sheet(["ID number", "Contribution base"], [310101198503120028, 1])) == ["cell_digits_lost"]


def test_more_cells_than_titles() -> None:
    assert codes(f"ID number,Contribution base\n{ID},12,000.00\n".encode()) == ["cells_too_many"]


def test_full_width_digits_are_put_right_and_told() -> None:
    wide = "12000".translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    [row] = rows(f"身份证号,缴费基数\n{ID},{wide}\n".encode())
    assert (row.values["base"], row.widened, row.faults) == ("12000", True, [])


def test_every_fault_can_be_told() -> None:
    assert {"cell_formula", "cell_digits_lost", "cell_control", "cells_too_many"} <= registered()


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-a", "'-a"),
        ("＝1+1", "'＝1+1"),
        ("\t=1+1", "'\t=1+1"),
        ("-12.00", "-12.00"),
        ("沈某", "沈某"),
        (tables.long_number("6222020200012345678"), "\t6222020200012345678"),
    ],
)
def test_what_is_written_runs_nowhere(cell: str, written: str) -> None:
    assert tables.write_csv([[cell]]) == f"\N{BYTE ORDER MARK}{written}\r\n"


def test_there_is_one_way_to_write_a_table() -> None:
    """A second one would forget that a member's bank may be called =HYPERLINK(...)."""
    apps = ["accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements"]
    sources = [file for app in apps for file in (ROOT / app).rglob("*.py")]
    assert [file.name for file in sources if "csv.writer" in file.read_text()] == ["tables.py"]


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """With bytes changed, taken out or put in, or cut off, as transfers and broken disks do it."""
    data = bytearray(whole)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(data))
        data[at : at + chance.choice([0, 1, 1, 1, 8])] = chance.randbytes(chance.choice([0, 1, 1, 3]))
        if not data:
            return b"x"
    return bytes(data[: chance.choice([len(data), len(data), chance.randrange(1, len(data) + 1)])])


LINES = [["ID number", "Contribution base"], *([f"31010119850312{n:04d}", 1000 + n] for n in range(30))]
TEXT = "\n".join(",".join(map(str, line)) for line in LINES)


@pytest.mark.parametrize("whole", [sheet(*LINES), *map(TEXT.encode, ("utf-8", "utf-8-sig", "gb18030", "utf-16"))])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_damaged_file_is_read_or_refused_and_never_an_error(whole: bytes) -> None:
    """An error would leave it at "being read" for ever: the worker gives up, and begins again a minute later."""
    chance, answers = random.Random(1), Counter()
    for _ in range(300):
        try:
            answers[len(rows(damaged(whole, chance))) > 0] += 1
        except Refused as refused:
            answers[refused.code] += 1
    # Some got through, some did not. Of which kinds the refusals are changes with the times that a workbook carries.
    assert answers[True] and answers.total() - answers[True] - answers[False]


def test_a_part_that_is_locked_or_packed_otherwise_is_refused() -> None:
    for flag in (b"\x01\x00\x08\x00", b"\x00\x00\x63\x00"):
        whole = sheet(*LINES)
        for start, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            at = whole.find(start)
            while at >= 0:
                whole = whole[: at + offset] + flag + whole[at + offset + 4 :]
                at = whole.find(start, at + 1)
        with pytest.raises(Refused, match="table_broken"):
            rows(whole)
