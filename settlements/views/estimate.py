"""What would this bill take, and from whom: today, or at the beginning of the next benefit year."""

from typing import Any

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import clock, reasons
from accounts.decorators import member_required
from accounts.errors import Refused
from accounts.queries import enrolment_on
from settlements import ordering
from settlements.actions.quoting import Bill
from settlements.enums import CareKind
from settlements.forms.claims import EstimateForm
from settlements.queries.year import year_on
from settlements.telling.explaining import Explanation
from settlements.trying import MOST, family_names, try_bill


@require_safe
@member_required()
def estimate(request: HttpRequest) -> HttpResponse:
    """The form and, once it is sent, the answer with its working; under HTMX without the page around them."""
    on, member = clock.today(), request.user.member
    enrolment = enrolment_on(member, on)
    levels = ordering.levels(enrolment.region_id if enrolment else None)
    asked = "in_scope" in request.GET
    initial = {"kind": CareKind.OUTPATIENT, "level": ordering.usual_level(levels), "when": "today", "family": True}
    form = EstimateForm(levels, MOST, request.GET if asked else None, initial=initial)
    context: dict[str, Any] = {"form": form, "enrolment": enrolment}
    if asked and enrolment and form.is_valid():
        context |= _answer(request, form)
    template = "settlements/_estimate.html" if request.htmx else "settlements/estimate.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _answer(request: HttpRequest, form: EstimateForm) -> dict[str, Any]:
    on, member, data = clock.today(), request.user.member, form.cleaned_data
    enrolment = enrolment_on(member, on)
    year = year_on(enrolment.region_id, on) if enrolment else None
    if data["when"] == "next" and year is None:
        return {"refused": reasons.tell("not_covered", {"why": "no_scheme"})}
    day = year.next_day if data["when"] == "next" and year else on
    amounts = {name: data[name] for name in ("in_scope", "pre_self_pay", "self_paid")}
    if not ratelimit.consume(request, action="estimate"):
        return {"refused": reasons.tell("too_many_tries")}
    try:
        tried = try_bill(member, Bill(kind=data["kind"], level=data["level"], **amounts), day, data["family"])
    except Refused as refused:
        return {"refused": reasons.tell_refused(refused)}
    two_buckets = enrolment is None or enrolment.region.two_buckets
    told = Explanation(tried, family_names(), two_buckets=two_buckets)
    return {"tried": tried, "told": told, "day": day, "is_next": data["when"] == "next", "family": data["family"]}
