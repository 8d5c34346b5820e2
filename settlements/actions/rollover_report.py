"""The report of a rollover, on paper and as a table, in the reader's language: who, when, at what rates, what came of it.

Amounts are those kept on the run and its chunks, which the count of the books and check_ledger compare to the fen.
"""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import dates, language, tables
from accounts.models import User
from accounts.money import ZERO, plain
from accounts.naming import in_house
from documents import render
from settlements.actions import adjusting
from settlements.actions.rollover_run import boundary_of, record
from settlements.models import RolloverAdjustment, RolloverChunk, RolloverRun

# On paper chunks stand in at most so many rows, each of several neighbours; in the table each has its own.
ROWS_ON_PAPER = 60
SUMS = ("accounts", "moved", "netted", "interest")


@transaction.atomic
def pdf(*, run: RolloverRun, by: User, at: datetime.datetime) -> bytes:
    """The report as a tagged PDF. That it was taken is recorded."""
    record("rollover.report", run, by, at, form="pdf")
    return render.pdf("report.typ", paper(run, by, at), check_url=settings.PUBLIC_URL, issued_at=timezone.localtime(at))


@transaction.atomic
def table(*, run: RolloverRun, by: User, at: datetime.datetime) -> bytes:
    """The report as CSV with every chunk, UTF-8 with BOM; amounts plain. That it was taken is recorded."""
    record("rollover.report", run, by, at, form="csv")
    rows: list[list[Any]] = [*_facts(run)]
    for part in _parts(run):
        if part["rows"]:
            rows += [[], [part["title"]], part["heads"], *part["rows"]]
    rows.append([])
    rows.append(
        [
            _("Chunk"), _("First account"), _("Last account"), _("Done at"), _("Visits"), _("Number of accounts"),
            _("Moved out of this year's"), _("Debt netted"), _("Interest"),
        ]
    )  # fmt: skip
    for chunk in run.chunks.order_by("number").iterator():
        done = f"{timezone.localtime(chunk.done_at):%Y-%m-%d %H:%M:%S}" if chunk.done_at else ""
        # The last chunk has no end: accounts that are opened meanwhile fall into it.
        last = "" if chunk.last_id == BigIntegerField.MAX_BIGINT else chunk.last_id
        rows.append([chunk.number, chunk.first_id, last, done, chunk.visits, *_amounts(chunk)])
    rows.append([_("All chunks"), "", "", "", "", *_summed(run)])
    return tables.write_csv(rows).encode()


def paper(run: RolloverRun, by: User, at: datetime.datetime) -> dict[str, Any]:
    """What documents/typst/report.typ sets."""
    chunks = {
        "title": _("By chunk"),
        "heads": [
            _("Chunks"), _("Number of accounts"), _("Moved out of this year's"), _("Debt netted"), _("Interest"),
        ],
        "rows": [*_grouped(run), [_("All chunks"), *map(_shown, _summed(run))]],
    }  # fmt: skip
    parts = [{**part, "rows": [[row[0], *map(_shown, row[1:])] for row in part["rows"]]} for part in _parts(run)]
    return {
        "lang": language.key(),
        "title": _("Rollover report: %(region)s, %(year)s") % {"region": run.region, "year": run.year},
        "facts": _facts(run),
        "parts": [*(part for part in parts if part["rows"]), chunks],
        "notes": [_("Amounts in yuan. Afterwards = before + moved in − debt netted + interest.")],
        "made": _("Made on %(at)s by %(who)s") % {"at": dates.moment(at), "who": in_house(by)},
        "page": _("Page"),
    }


def _facts(run: RolloverRun) -> list[list[str]]:
    boundary = boundary_of(run)
    return [
        [_("Region"), str(run.region)],
        [_("Benefit year that closes"), str(run.year)],
        [_("The year ends before"), dates.day(boundary) if boundary else "—"],
        [_("State"), str(run.get_state_display())],
        [_("Interest on this year's balance"), _rate(run.current_rate)],
        [_("Interest on earlier years' balance"), _rate(run.historical_rate)],
        [_("Planned"), _act(run.planned_at, run.planned_by)],
        [_("Released"), _act(run.released_at, run.released_by)],
        [_("Last account rolled over"), _act(run.finished_at, None)],
        [_("Closed"), _act(run.closed_at, run.closed_by)],
    ]


def _parts(run: RolloverRun) -> Iterator[dict[str, Any]]:
    """Control totals, both counts, corrections: each with a title, heads and rows of plain values."""
    names = {"batch": _("Batch"), "otherwise": _("Rolled by a movement")}
    late = run.totals.get("late_interest", "0")
    yield {
        "title": _("Control totals"),
        "heads": [
            _("Source"), _("Number of accounts"), _("Earlier years' before"), _("Moved in from this year's"),
            _("Debt netted"), _("Interest"), _("Earlier years' afterwards"),
        ],
        "rows": [
            [name, *(run.totals[part][key] for key in ("accounts", "historical_before", *SUMS[1:], "historical_after"))]
            for part, name in names.items()
            if part in run.totals
        ]
        + ([[_("Posted afterwards"), "", "", "", "", late, ""]] if Decimal(late) else []),
    }  # fmt: skip
    yield {
        "title": _("Counted two ways"),
        "heads": [_("What was counted"), _("By the run"), _("By the books"), _("Result")],
        "rows": [
            [
                line_name(line["name"]), line["run"], line["books"],
                _("Agrees") if line["run"] == line["books"] else _("Differs"),
            ]
            for line in run.totals.get("lines", [])
        ],
    }  # fmt: skip
    yield {
        "title": _("Corrections"),
        "heads": [_("Rates corrected"), _("Planned"), _("Released"), _("Number of accounts"), _("Posted")],
        "rows": [_corrected(adjustment) for adjustment in run.adjustments.order_by("id")],
    }


def line_name(name: str) -> str:
    """What one line of both counts is called."""
    return {
        "accounts": _("Number of accounts"),
        "moved": _("Moved out of this year's"),
        "netted": _("Debt netted"),
        "interest": _("Interest"),
        "historical_after": _("Earlier years' afterwards"),
    }[name]


def _corrected(adjustment: RolloverAdjustment) -> list[Any]:
    old = f"{adjustment.old_current_rate.normalize():f} / {adjustment.old_historical_rate.normalize():f}"
    new = f"{adjustment.current_rate.normalize():f} / {adjustment.historical_rate.normalize():f}"
    found = adjusting.sums(adjustment)
    planned = _act(adjustment.planned_at, adjustment.planned_by)
    released = _act(adjustment.released_at, adjustment.released_by)
    return [f"{old} → {new} ({adjustment.get_state_display()})", planned, released, found.accounts, plain(found.posted)]


def _grouped(run: RolloverRun) -> list[list[str]]:
    """Neighbouring chunks together, so that the paper stays short; their sums are those of the chunks."""
    chunks = list(run.chunks.order_by("number").values_list("number", *SUMS))
    size = -(-len(chunks) // ROWS_ON_PAPER) or 1
    rows = []
    for place in range(0, len(chunks), size):
        group = chunks[place : place + size]
        name = str(group[0][0]) if len(group) == 1 else f"{group[0][0]}–{group[-1][0]}"
        sums = [sum((row[column] for row in group), Decimal(0)) for column in range(1, len(SUMS) + 1)]
        rows.append([name, f"{int(sums[0]):,}", *(f"{amount:,.2f}" for amount in sums[1:])])
    return rows


def _summed(run: RolloverRun) -> list[Any]:
    rows = list(run.chunks.values_list(*SUMS))
    accounts = sum(row[0] for row in rows)
    return [accounts, *(plain(sum((row[column] for row in rows), ZERO)) for column in range(1, len(SUMS)))]


def _amounts(chunk: RolloverChunk) -> list[Any]:
    return [chunk.accounts, plain(chunk.moved), plain(chunk.netted), plain(chunk.interest)]


def _shown(value: Any) -> str:
    """A count or an amount as people read it; other texts as they are."""
    if isinstance(value, int):
        return f"{value:,}"
    try:
        return f"{Decimal(value):,.2f}".replace("-", "\N{MINUS SIGN}")
    except ArithmeticError:
        return str(value)


def _rate(rate: Decimal | None) -> str:
    return "—" if rate is None else f"{rate.normalize():f}%"


def _act(when: datetime.datetime | None, who: User | None) -> str:
    return " · ".join(filter(None, [dates.moment(when), in_house(who)])) if when else "—"
