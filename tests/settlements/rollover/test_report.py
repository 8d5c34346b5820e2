"""The report, as a table and on paper: its numbers are those of the books, in both languages."""

import csv
import io
import zlib

import pytest
from django.db import connection
from django.utils import translation

from accounts.models import AuditEvent
from settlements.actions import rollover, rollover_report
from tests.people import make_member, make_region, make_staff
from tests.settlements.rollover.world import BOUNDARY, FIRST_DAY, YEAR, at, faults, release_run, work_to_the_end
from tests.support.ledger import open_account, open_many

# The same sums once more, from the entries of the ledger alone.
FROM_ENTRIES = """
SELECT count(*) FILTER (WHERE kind = 'rollover'), -sum(current_delta) FILTER (WHERE kind = 'rollover'),
    -sum(debt_delta), sum(historical_delta - debt_delta) FILTER (WHERE kind = 'interest')
FROM settlements_entry WHERE kind IN ('rollover', 'interest')
"""


@pytest.fixture
def region(db):
    return make_region()


@pytest.fixture
def finished(region, settings):
    settings.ROLLOVER_CHUNK_SIZE = 10
    open_many(region, YEAR, 95, FIRST_DAY)
    run = release_run(region)
    work_to_the_end(run)
    return rollover.finish(run=run, at=at(BOUNDARY))


def rows(run, by, language) -> list[list[str]]:
    with translation.override(language):
        body = rollover_report.table(run=run, by=by, at=at(BOUNDARY))
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def test_the_table_holds_every_chunk_and_its_sums_are_those_of_the_entries(finished, region):
    by = make_staff("region_admin", region=region)
    told = rows(finished, by, "en")
    with connection.cursor() as cursor:
        cursor.execute(FROM_ENTRIES)
        accounts, moved, netted, interest = cursor.fetchone()
    sums = [str(accounts), f"{moved}", f"{netted}", f"{interest}"]
    heads = [number for number, row in enumerate(told) if row[:1] == ["Chunk"]][0]
    chunks = told[heads + 1 : -1]
    assert len(chunks) == 10
    assert told[-1] == ["All chunks", "", "", "", "", *sums]
    # The last chunk is open at its end, which is no account's number.
    assert chunks[-1][2] == "" and all(row[2].isdigit() for row in chunks[:-1])
    assert [f"{sum(float(row[column]) for row in chunks):.2f}" for column in (6, 7, 8)] == sums[1:]
    assert ["Interest", sums[3], sums[3], "Agrees"] in told
    assert faults() == []
    assert AuditEvent.objects.filter(action="rollover.report", actor_id=by.pk).count() == 1


def test_the_table_speaks_both_languages(finished, region):
    by = make_staff("region_admin", region=region)
    english, chinese = rows(finished, by, "en"), rows(finished, by, "zh-hans")
    assert english[-1][5:] == chinese[-1][5:]
    assert english[-1][0] == "All chunks" and chinese[-1][0] == "全部分块"


@pytest.mark.parametrize(("language", "lang"), [("en", "en"), ("zh-hans", "zh")])
def test_the_paper_is_a_tagged_pdf_with_the_same_sums(finished, region, language, lang):
    by = make_staff("region_admin", region=region)
    with translation.override(language):
        paper = rollover_report.paper(finished, by, at(BOUNDARY))
        body = rollover_report.pdf(run=finished, by=by, at=at(BOUNDARY))
    assert paper["lang"] == lang
    totals = finished.totals["batch"]
    grouped = paper["parts"][-1]["rows"][-1]
    assert grouped[1:] == [
        f"{totals['accounts']:,}", *(f"{float(totals[name]):,.2f}" for name in ("moved", "netted", "interest"))
    ]  # fmt: skip
    assert body.startswith(b"%PDF-") and b"StructTreeRoot" in body + b"".join(inflated(body))


def inflated(body: bytes) -> list[bytes]:
    """What stands in the compressed streams of a PDF."""
    found = []
    for part in body.split(b"stream\n")[1:]:
        try:
            found.append(zlib.decompressobj().decompress(part))
        except zlib.error:
            continue
    return found


def test_very_many_chunks_stand_in_few_rows_on_paper_and_add_up(region, settings):
    settings.ROLLOVER_CHUNK_SIZE = 1
    open_many(region, YEAR, 130, FIRST_DAY)
    run = release_run(region)
    work_to_the_end(run)
    rows = rollover_report._grouped(run)
    assert len(rows) <= rollover_report.ROWS_ON_PAPER
    assert (rows[0][0], rows[-1][0]) == ("1–3", "130")
    assert sum(int(row[1]) for row in rows) == 130


def test_a_run_that_has_not_begun_has_a_report_too(region):
    open_account(make_member(), region, YEAR, "10.00")
    run, by = release_run(region), make_staff("region_admin", region=region)
    assert rows(run, by, "en")[-1] == ["All chunks", "", "", "", "", "0", "0.00", "0.00", "0.00"]
    assert rollover_report.pdf(run=run, by=by, at=at(BOUNDARY)).startswith(b"%PDF-")
