"""Pages of catalogue files: upload, see what is wrong or what it changes, release. Served below the admin's address."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts import dates, tables
from accounts.decorators import accepts_uploads
from accounts.naming import in_house
from settlements import tasks
from settlements.actions import catalogue
from settlements.enums import FileState
from settlements.forms.uploads import CatalogueUpload
from settlements.models import CatalogueFile, CatalogueItem, CatalogueRow
from settlements.policies import may_change_rules
from settlements.queries.catalogue import biggest_changes, files_visible_to
from settlements.views import uploads

DETAIL = "admin:settlements_cataloguefile_change"


@accepts_uploads(catalogue.MAX_BYTES + tables.MEGABYTE)
def upload(request: HttpRequest) -> HttpResponse:
    """Choose region, day and file; the file is read by a worker afterwards."""

    def work(data: dict[str, Any]) -> HttpResponse:
        file = catalogue.receive(
            region=data["region"],
            valid_from=data["valid_from"],
            whole=data["whole"],
            name=data["file"].name,
            content=data["file"],
            by=request.user,
        )
        tasks.ring_catalogue(file.pk)
        return redirect(DETAIL, file.pk)

    return uploads.take_in(request, CatalogueUpload, work, "admin/settlements/cataloguefile/upload.html")


def template(request: HttpRequest) -> HttpResponse:
    """An empty table with the titles, to be filled in."""
    return uploads.csv_response([[tables.title(column) for column in catalogue.COLUMNS]], "catalogue-template.csv")


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A file: being read, its mistakes, what it changes, or being brought in."""
    return render(request, "admin/settlements/cataloguefile/file.html", _context(request, _file(request, pk)))


def part(request: HttpRequest, pk: int) -> HttpResponse:
    """The same without the page around it, asked for while the file is being read or brought in."""
    return uploads.part(request, "admin/settlements/cataloguefile/_file.html", _context(request, _file(request, pk)))


def mistakes(request: HttpRequest, pk: int) -> HttpResponse:
    """All mistakes that are kept, as CSV."""
    file = _file(request, pk)
    return uploads.mistakes_csv(file, f"catalogue-{file.pk}-mistakes.csv")


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Ask before a file is released or withdrawn; on POST do it."""
    file = _file(request, pk)
    if name not in ("release", "withdraw") or not may_change_rules(request.user, file.region_id):
        raise Http404

    def work() -> HttpResponse:
        if name == "release":
            tasks.ring_release(catalogue.release(file=file, by=request.user).pk)
        else:
            catalogue.withdraw(file=file, by=request.user)
        return redirect(DETAIL, file.pk)

    context = {
        "file": file,
        "facts": [*_facts(file), *_counts(file)],
        "button": _("Release") if name == "release" else _("Withdraw"),
        "question": _("From that day on bills are classified by it. A worker brings it in; another file can follow.")
        if name == "release"
        else _("The rows are taken out; they never counted. The file can be uploaded again."),
    }
    return uploads.tried(request, request.method == "POST", work, "admin/settlements/cataloguefile/act.html", context)


def _file(request: HttpRequest, pk: int) -> CatalogueFile:
    return get_object_or_404(files_visible_to(request.user), pk=pk)


def _context(request: HttpRequest, file: CatalogueFile) -> dict[str, Any]:
    may = may_change_rules(request.user, file.region_id) and file.state == FileState.READY
    return uploads.mistakes_context(request, file) | {
        "polls": file.state in (FileState.READING, FileState.RELEASING),
        "facts": _facts(file),
        "counts": _counts(file),
        "biggest": [_change(row) for row in biggest_changes(file)] if "changed" in file.totals else [],
        "may_release": may and file.uploaded_by_id != request.user.pk,
        "own": may and file.uploaded_by_id == request.user.pk,
        "may_withdraw": may,
    }


def _facts(file: CatalogueFile) -> list[dict[str, str]]:
    released = [
        {"label": _("Released by"), "value": in_house(file.released_by)},
        {"label": _("Released at"), "value": dates.moment(file.released_at)},
    ]
    return [
        {"label": _("Region"), "value": str(file.region)},
        {"label": _("Holds from"), "value": dates.day(file.valid_from)},
        {"label": _("File"), "value": file.name},
        {"label": _("The whole catalogue"), "value": _("Yes") if file.whole else _("No")},
        {"label": _("Uploaded by"), "value": in_house(file.uploaded_by)},
        {"label": _("Uploaded at"), "value": dates.moment(file.uploaded_at)},
        *(released if file.released_by else []),
    ]


def _counts(file: CatalogueFile) -> list[dict[str, str]]:
    labels = {
        "new": _("New codes"),
        "changed": _("Changed"),
        "unchanged": _("Unchanged"),
        "ended": _("Ended, for they are not in the file"),
    }
    if "changed" not in file.totals:
        return []
    return [{"label": label, "value": f"{file.totals[name]:,}"} for name, label in labels.items()]


def _change(row: CatalogueRow) -> dict[str, Any]:
    """A change of a code: class and percentage before and after, and the price limits."""
    return {
        "line": row.line,
        "code": row.code,
        "name": row.name,
        "before": _said(row.class_before, row.percent_before, row.limit_before),
        "after": _said(row.item_class, row.self_pay_percent, row.price_limit),
    }


def _said(item_class: str, percent: Any, limit: Any) -> str:
    named = CatalogueItem.Class(item_class).label if item_class else ""
    parts = [str(named), f"{percent.normalize():f}%" if item_class == "B" and percent is not None else ""]
    if limit is not None:
        parts.append(_("at most %(limit)s") % {"limit": f"{limit:,}"})
    return " · ".join(filter(None, parts))
