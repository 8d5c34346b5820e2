"""A year's bills settled anew: how they stand, how they come out now, and the request for it."""

import hashlib
import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock, reasons
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import BenefitYear
from accounts.once import done_once
from accounts.policies import centre_of
from counter import desk
from counter.desk import Opened, needs_opened
from counter.views.desk import opened_context
from settlements.actions import recalculation
from settlements.actions.recalculation import Preview
from settlements.forms.claims import BankForm
from settlements.queries.year import year_on
from settlements.telling import bills as bill_telling

YEARS_BACK = 3


@role_required(Role.CLERK)
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def recalculate(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The bills of a benefit year as they stand and as they come out anew; with a reason to change, the request for it."""
    context = opened_context(request, serving)
    enrolment = context["enrolment"]
    if enrolment is None:
        messages.warning(
            request, _("This person is not insured today; open the record at the office of the last region.")
        )
        return redirect("counter:member")
    region = enrolment.region_id
    years = _years(region)
    asked = request.POST.get("year") or request.GET.get("year") or ""
    year = {str(year): year for year in years}.get(asked, years[0])
    if request.method != "POST":
        desk.look(request, serving.member, f"bills {year}", serving.reason)
    context |= {"years": years, "year": year, "service": "recalculate"}
    try:
        found = recalculation.preview(member=serving.member, region_id=region, year=year, on=clock.today())
    except Refused as refused:
        context["no_preview"] = reasons.tell_refused(refused)
        return render(request, "counter/recalculate.html", context)
    seen = _digest(found)
    form = BankForm(found.to_member > 0, request.POST or None, initial={"year": year, "seen": seen})
    context |= {"preview": found, "form": form, **bill_telling.table(found)}
    context["returned"] = [row for line in found.changed for row in bill_telling.payers(line)]
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["seen"] == seen:
            return done_once(request, lambda: _request(request, serving, found, form, context))
        form = BankForm(found.to_member > 0, initial={"year": year, "seen": seen})
        context |= {"form": form, "problem": reasons.tell("recalculation_stale")}
    bad = request.method == "POST"
    return render(request, "counter/recalculate.html", context, status=422 if bad else 200)


def _years(region: str) -> list[int]:
    """The benefit year of today and those before it, the latest first."""
    now = year_on(region, clock.today())
    last = now.number if now else clock.today().year
    known = BenefitYear.objects.filter(region=region, year__range=(last - YEARS_BACK, last))
    return list(known.order_by("-year").values_list("year", flat=True)) or [last]


def _digest(found: Preview) -> str:
    return hashlib.sha256(json.dumps(found.as_data(), sort_keys=True).encode()).hexdigest()


def _request(
    request: HttpRequest, serving: Opened, found: Preview, form: BankForm, context: dict[str, Any]
) -> HttpResponse:
    try:
        asked = recalculation.request_recalculation(
            member=serving.member,
            region_id=found.region_id,
            year=found.year,
            seen=found.as_data(),
            by=request.user,
            at=clock.now(),
            bank=form.cleaned_data.get("bank", ""),
            bank_account=form.cleaned_data.get("bank_account", ""),
            centre=centre_of(request.user, found.region_id),
        )
    except Refused as refused:
        problem = reasons.tell_refused(refused)
    except PermissionDenied:
        problem = reasons.tell("not_permitted")
    else:
        messages.success(request, _("%(number)s waits for the second check.") % {"number": asked.case.number})
        return redirect("counter:case", public_id=asked.case.public_id)
    return render(request, "counter/recalculate.html", context | {"problem": problem}, status=422)
