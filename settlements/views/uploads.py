"""What the pages of uploaded files have in common: taking one in, their mistakes, in pages and as a file, and tables to
download."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseStopPolling

from accounts import reasons, tables
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Region
from accounts.policies import regions_with_role
from settlements.models import CatalogueFile, ContributionFile

FAULTS_A_PAGE = 50


def take_in(
    request: HttpRequest, form_class: Any, work: Callable[[dict[str, Any]], HttpResponse], template: str
) -> HttpResponse:
    """The page on which an administrator chooses region and file; `work` takes in what is right and answers."""
    regions = Region.objects.filter(pk__in=regions_with_role(request.user, Role.REGION_ADMIN))
    if not regions:
        raise Http404
    form = form_class(request.POST or None, request.FILES or None, regions=regions)
    good = request.method == "POST" and form.is_valid()
    return tried(request, good, lambda: work(form.cleaned_data), template, {"form": form}, bool(form.errors))


def tried(
    request: HttpRequest,
    sent: bool,
    work: Callable[[], HttpResponse],
    template: str,
    context: dict[str, Any],
    has_errors: bool = False,
) -> HttpResponse:
    """What `work` answers once it was `sent`; before that, and where it is refused, the page."""
    refused = None
    if sent:
        try:
            return work()
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    return render(request, template, context | {"refused": refused}, status=422 if refused or has_errors else 200)


def part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page's part that is asked for again and again while `polls`."""
    page = render(request, template, context)
    return page if context["polls"] else HttpResponseStopPolling(page.content)


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
