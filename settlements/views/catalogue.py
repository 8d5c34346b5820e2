"""The catalogue of a region searched: what is covered, and what accounts may pay."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import clock
from accounts.decorators import member_required
from accounts.enums import Insurance
from accounts.models import Region
from accounts.queries import enrolment_on
from settlements import payability
from settlements.enums import CareKind
from settlements.forms.rules import CatalogueSearch
from settlements.queries.catalogue import search

PER_PAGE = 20


@require_safe
@member_required()
def catalogue(request: HttpRequest) -> HttpResponse:
    """For members, in the region where they are insured; under HTMX only the answer."""
    enrolment = enrolment_on(request.user.member, clock.today())
    context: dict[str, Any] = {"region": None}
    if enrolment:
        context = found_context(request, enrolment.region, enrolment.insurance)
    template = "settlements/_catalogue.html" if request.htmx else "settlements/catalogue.html"
    return render(request, template, context, status=context.get("status", 200))


def found_context(request: HttpRequest, region: Region, insurance: str = Insurance.EMPLOYEE) -> dict[str, Any]:
    """What the search of a region's catalogue gives, by the query of the request."""
    on = clock.today()
    asked = "text" in request.GET
    form = CatalogueSearch(request.GET if asked else None, initial={"kind": CareKind.OUTPATIENT})
    good = asked and form.is_valid()
    text = form.cleaned_data["text"] if good else ""
    kind = form.cleaned_data["kind"] if good else CareKind.OUTPATIENT
    pays = payability.pays_on(region.pk, insurance, kind, on)
    page = Paginator(search(region_id=region.pk, text=text, on=on), PER_PAGE).get_page(request.GET.get("page"))
    return {
        "region": region,
        "form": form,
        "text": text,
        "kind": CareKind(kind).label,
        "pays": pays.rows() if pays else [],
        "page_obj": page,
        "rows": payability.rows(page, pays),
        "status": 422 if form.errors else 200,
    }
