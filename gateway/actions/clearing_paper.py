"""The clearing statement of a month, on paper and as a table, in the reader's language. That it was taken is recorded."""

import datetime
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import clock, dates, language, tables
from accounts.actions import audit
from accounts.amounts import yuan
from accounts.enums import Insurance
from accounts.models import User
from accounts.money import plain
from accounts.naming import in_house, outside
from documents import render
from gateway.fields.tables import code_lists, code_lists_in_english
from gateway.queries.clearing import Clearing, Sums
from settlements.enums import CareKind


@transaction.atomic
def pdf(*, clearing: Clearing, by: User, at: datetime.datetime | None = None) -> bytes:
    """The statement as a tagged PDF."""
    at = at or clock.now()
    _record(clearing, by, at, "pdf")
    return render.pdf(
        "report.typ", paper(clearing, by, at), check_url=settings.PUBLIC_URL, issued_at=timezone.localtime(at)
    )


@transaction.atomic
def table(*, clearing: Clearing, by: User, at: datetime.datetime | None = None) -> bytes:
    """The statement as CSV, UTF-8 with BOM; amounts plain, in yuan."""
    at = at or clock.now()
    _record(clearing, by, at, "csv")
    rows = [*facts(clearing, at), [], heads(), *rows_of(clearing, plain)]
    if line := recalculated(clearing, plain):
        rows += [[], [line]]
    return tables.write_csv(rows).encode()


def paper(clearing: Clearing, by: User, at: datetime.datetime) -> dict[str, Any]:
    """What documents/typst/report.typ sets."""
    return {
        "lang": language.key(),
        "title": _("Clearing statement: %(institution)s, %(month)s")
        % {"institution": clearing.institution.name, "month": dates.month(clearing.first)},
        "facts": facts(clearing, at),
        "parts": [
            {"title": _("By clearing category"), "heads": heads(), "rows": rows_of(clearing, yuan)},
            {"title": _("Sums"), "heads": [_("What"), _("Yuan")], "rows": sums_of(clearing)},
        ],
        "notes": notes(clearing),
        "made": _("Made on %(at)s by %(who)s") % {"at": dates.moment(at), "who": outside(in_house(by))},
        "page": _("Page"),
    }


def facts(clearing: Clearing, at: datetime.datetime) -> list[list[str]]:
    """Who and when."""
    today = timezone.localdate(at)
    over = (today.year, today.month) > (clearing.first.year, clearing.first.month)
    until = dates.month(clearing.first) if over else _("%(month)s, until %(at)s") % {
        "month": dates.month(clearing.first), "at": dates.moment(at)
    }  # fmt: skip
    institution = clearing.institution
    return [
        [_("Institution"), institution.name],
        [_("Institution code"), institution.code],
        [_("Region"), str(institution.region)],
        [_("Month of the statement"), until],
    ]


def heads() -> list[str]:
    """The columns of the table."""
    return [
        _("Category"), _("Settlements"), _("Reversals"), _("Total"), _("Pooled fund"), _("Supplementary fund"),
        _("Own account"), _("Own wallet"), _("Family's accounts"), _("Cash"), _("Due to the institution"),
    ]  # fmt: skip


def rows_of(clearing: Clearing, write: Callable[[Any], str]) -> list[list[str]]:
    """A row a category, and the last one with all together."""
    rows = [[line_name(line.clr_type, line.kind, line.insurance), *_cells(line.sums, write)] for line in clearing.lines]
    return [*rows, [_("All together"), *_cells(clearing.sums, write)]]


def line_name(clr_type: str, kind: str, insurance: str) -> str:
    """Clearing category with the name that the interface gives it, kind of care if that does not say it, and insurance."""
    category, care = clr_name(clr_type), str(CareKind(kind).label)
    said = [category] if care.lower() in category.lower() else [category, care]
    return " · ".join([*said, str(Insurance(insurance).label)])


def clr_name(clr_type: str) -> str:
    """A clearing category: its code and what the interface calls it."""
    names = (code_lists() if language.is_chinese() else code_lists_in_english())["clr_type"]
    return f"{clr_type} {names.get(clr_type, '')}".strip()


def sums_of(clearing: Clearing) -> list[list[str]]:
    """What is paid by whom to the institution."""
    sums = clearing.sums
    return [
        [_("From the funds"), yuan(sums.fund + sums.supplement)],
        [_("From personal accounts and wallets"), yuan(sums.accounts)],
        [_("of which from wallets"), yuan(sums.wallet)],
        [_("of which the family's"), yuan(sums.family)],
        [_("Due to the institution"), yuan(sums.due)],
    ]


def notes(clearing: Clearing) -> list[str]:
    """How to read it."""
    told = [
        _(
            "Amounts in yuan. By the day of settlement and of reversal; reversals are taken off. Due = pooled fund + "
            "supplementary fund + own account + own wallet + family's accounts."
        )
    ]
    line = recalculated(clearing, yuan)
    return [*told, line] if line else told


def recalculated(clearing: Clearing, write: Callable[[Any], str]) -> str:
    """What bills settled anew moved; empty if none."""
    sums = clearing.recalculated
    if not sums.settled and not sums.reversed:
        return ""
    moved = {"funds": write(sums.fund + sums.supplement), "accounts": write(sums.accounts), "count": sums.settled}
    return (
        _(
            "Not contained: %(count)s bills settled anew afterwards, or reversed at the window after that, moved %(funds)s "
            "yuan of the funds and %(accounts)s yuan of accounts; that is settled with the members."
        )
        % moved
    )


def _cells(sums: Sums, write: Callable[[Any], str]) -> list[str]:
    amounts = (
        sums.total, sums.fund, sums.supplement, sums.own, sums.wallet, sums.family, sums.cash, sums.due,
    )  # fmt: skip
    return [str(sums.settled), str(sums.reversed), *map(write, amounts)]


def _record(clearing: Clearing, by: User, at: datetime.datetime, form: str) -> None:
    audit.record(
        action="clearing_statement",
        by=by,
        at=at,
        target=f"institution {clearing.institution.code}",
        details={"month": f"{clearing.first:%Y-%m}", "form": form},
    )
