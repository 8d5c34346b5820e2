"""What the pages of uploaded files have in common: their mistakes, in pages and as a file, and tables to download."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import reasons, tables
from settlements.models import CatalogueFile, ContributionFile

FAULTS_A_PAGE = 50


def mistakes_context(request: HttpRequest, file: CatalogueFile | ContributionFile) -> dict[str, Any]:
    """For admin/settlements/_mistakes.html: what is wrong with the file as a whole, and a page of its rows' mistakes."""
    page = Paginator(file.faults.order_by("line", "pk"), FAULTS_A_PAGE).get_page(request.GET.get("page"))
    return {
        "file": file,
        "refused": reasons.tell(file.refused["code"], file.refused["params"]) if file.refused else None,
        "page_obj": page,
        "faults": [{"at": fault, "told": reasons.tell(fault.code, fault.params)} for fault in page],
    }


def mistakes_csv(file: CatalogueFile | ContributionFile, name: str) -> HttpResponse:
    """All mistakes that are kept."""
    rows = [[_("Line"), _("Column"), _("What is wrong"), _("What helps")]]
    for fault in file.faults.order_by("line", "pk").iterator():
        rows.append([str(fault.line), fault.column, *reasons.tell(fault.code, fault.params)])
    return csv_response(rows, name)


def csv_response(rows: Iterable[Sequence[str]], name: str) -> HttpResponse:
    """A table to download, as spreadsheets open it."""
    response = HttpResponse(tables.write_csv(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
