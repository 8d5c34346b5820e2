"""Pages of contribution files: upload, see what is wrong or what it comes to, release. Served below the admin's address."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts import dates, tables
from accounts.amounts import yuan_unit
from accounts.decorators import accepts_uploads
from accounts.naming import in_house
from settlements import tasks
from settlements.actions import contribution_rows, contributions
from settlements.enums import FileState
from settlements.forms.uploads import ContributionUpload
from settlements.models import ContributionFile
from settlements.policies import may_credit
from settlements.queries.crediting import files_visible_to
from settlements.queries.uploads import rows_told
from settlements.views import uploads

DETAIL = "admin:settlements_contributionfile_change"
RUN = "admin:settlements_creditrun_change"


@accepts_uploads(contribution_rows.MAX_BYTES + tables.MEGABYTE)
def upload(request: HttpRequest) -> HttpResponse:
    """Choose region, month and file; the file is read by a worker afterwards."""

    def work(data: dict[str, Any]) -> HttpResponse:
        file = contributions.receive(
            region=data["region"],
            month=data["month"],
            name=data["file"].name,
            content=data["file"],
            by=request.user,
        )
        tasks.ring_file(file.pk)
        return redirect(DETAIL, file.pk)

    return uploads.take_in(request, ContributionUpload, work, "admin/settlements/contributionfile/upload.html")


def template(request: HttpRequest) -> HttpResponse:
    """An empty table with the titles, to be filled in."""
    titles = [tables.title(column) for column in contribution_rows.COLUMNS]
    return uploads.csv_response([titles], "contributions-template.csv")


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A file: being read, its mistakes, or what it comes to."""
    return render(request, "admin/settlements/contributionfile/file.html", _context(request, _file(request, pk)))


def part(request: HttpRequest, pk: int) -> HttpResponse:
    """The same without the page around it, asked for while the file is being read."""
    return uploads.part(request, "admin/settlements/contributionfile/_file.html", _context(request, _file(request, pk)))


def mistakes(request: HttpRequest, pk: int) -> HttpResponse:
    """All mistakes that are kept, as CSV."""
    file = _file(request, pk)
    return uploads.mistakes_csv(file, f"contributions-{file.pk}-mistakes.csv")


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Ask before a file is released or withdrawn; on POST do it."""
    file = _file(request, pk)
    if name not in ("release", "withdraw") or not may_credit(request.user, file.region_id):
        raise Http404

    def work() -> HttpResponse:
        if name == "release":
            run = contributions.release(file=file, by=request.user)
            tasks.ring_credits(run.pk)
            return redirect(RUN, run.pk)
        contributions.withdraw(file=file, by=request.user)
        return redirect(DETAIL, file.pk)

    context = {
        "file": file,
        "facts": [*_facts(file), *_sums(file)],
        "button": _("Release") if name == "release" else _("Withdraw"),
        "question": _("The bases are entered and the credits posted. This cannot be taken back.")
        if name == "release"
        else _("The rows are taken out; they never counted. The file can be uploaded again."),
    }
    return uploads.tried(
        request, request.method == "POST", work, "admin/settlements/contributionfile/act.html", context
    )


def _file(request: HttpRequest, pk: int) -> ContributionFile:
    return get_object_or_404(files_visible_to(request.user), pk=pk)


def _context(request: HttpRequest, file: ContributionFile) -> dict[str, Any]:
    may = may_credit(request.user, file.region_id) and file.state == FileState.READY
    return uploads.mistakes_context(request, file) | {
        "run": getattr(file, "run", None),
        "polls": file.state == FileState.READING,
        "read_rows": f"{rows_told(contribution_rows.named(file.pk)):,}" if file.state == FileState.READING else "",
        "facts": _facts(file),
        "rows": _rows(file),
        "may_release": may and file.uploaded_by_id != request.user.pk,
        "own": may and file.uploaded_by_id == request.user.pk,
        "may_withdraw": may,
        "widened": file.totals.get("widened", 0),
    }


def _facts(file: ContributionFile) -> list[dict[str, str]]:
    by = file.uploaded_by
    return [
        {"label": _("Region"), "value": str(file.region)},
        {"label": _("Month of the contributions"), "value": dates.month(file.month)},
        {"label": _("File"), "value": file.name},
        {"label": _("Uploaded by"), "value": in_house(by)},
        {"label": _("Uploaded at"), "value": dates.moment(file.uploaded_at)},
    ]


def _sums(file: ContributionFile) -> list[dict[str, str]]:
    """The control totals in short, to be seen beside the button that releases them."""
    if "rows" not in file.totals:
        return []
    return [
        {"label": _("People"), "value": f"{file.totals['members']:,}"},
        {"label": _("Sum of the bases"), "value": yuan_unit(file.totals["base_sum"])},
        {"label": _("Credit that these contributions carry"), "value": yuan_unit(file.totals["expected"])},
    ]


def _rows(file: ContributionFile) -> list[dict[str, Any]]:
    """The control totals of this file and of the month before, line by line; money and counts apart."""
    if "rows" not in file.totals:
        return []
    now, before = file.totals, file.totals["before"]
    return [
        {"label": _("Rows"), "now": f"{now['rows']:,}", "before": ""},
        {"label": _("People"), "now": f"{now['members']:,}", "before": f"{before['members']:,}"},
        {"label": _("Sum of the bases"), "now": now["base_sum"], "before": before["base_sum"], "money": True},
        {"label": _("Credit that these contributions carry"), "now": now["expected"], "before": "", "money": True},
        {"label": _("Not there the month before"), "now": f"{before['new']:,}", "before": ""},
        {"label": _("There the month before, missing now"), "now": f"{before['missing']:,}", "before": ""},
        {"label": _("With another base than the month before"), "now": f"{before['changed']:,}", "before": ""},
    ]
