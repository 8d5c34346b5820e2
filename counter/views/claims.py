"""A bill paid in cash, handed in at the window: sent, the page shows how it comes out; sent again as seen, it is in."""

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
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.once import done_once
from accounts.policies import centre_of
from accounts.queries import enrolment_on
from casework import kinds
from counter import desk
from counter.desk import Opened, needs_opened
from counter.views.desk import opened_context
from settlements.actions import claims
from settlements.enums import CLAIM_CASE
from settlements.forms.claims import AgentClaimForm, suggestions
from settlements.telling import bills as bill_telling

clerk = role_required(Role.CLERK)


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The bill of the member whose record is open: sent, the page shows how it comes out; sent again as seen, it is in."""
    form = AgentClaimForm(request.POST or None)
    if form.is_valid():
        if request.POST.get("do") == "submit" and form.cleaned_data["seen"] == _seen(form):
            return done_once(request, lambda: _submit(request, serving, form))
        return _preview(request, serving, form)
    if request.method != "POST":
        desk.look(request, serving.member, "claim", serving.reason)
    return _claim_page(request, serving, form)


def _seen(form: AgentClaimForm) -> str:
    """A digest of what was entered: what is handed in is what the preview was made for."""
    names = [name for name in form.fields if name not in ("token", "seen")]
    told = json.dumps([str(getattr(form.cleaned_data[name], "pk", form.cleaned_data[name])) for name in names])
    return hashlib.sha256(told.encode()).hexdigest()


def _preview(request: HttpRequest, serving: Opened, form: AgentClaimForm) -> HttpResponse:
    try:
        quoted = claims.preview_claim(patient=serving.member, asked=form.asked, on=clock.today())
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _claim_page(request, serving, form)
    # The page shows the form again as it was sent, with the digest of it.
    data = request.POST.copy()
    data["seen"] = _seen(form)
    shown = AgentClaimForm(data)
    shown.is_valid()
    return _claim_page(request, serving, shown, bill_telling.outcome(quoted, mine=False))


def _claim_page(
    request: HttpRequest, serving: Opened, form: AgentClaimForm, more: dict[str, Any] | None = None
) -> HttpResponse:
    context = opened_context(request, serving)
    enrolment = context["enrolment"]
    context |= {"form": form, "service": "claim", "has_errors": bool(form.errors)}
    context |= {"suggestions": suggestions(enrolment.region_id if enrolment else None), **(more or {})}
    context |= {"kind": CLAIM_CASE, "materials": kinds.get(CLAIM_CASE).materials}
    return render(request, "counter/claim.html", context, status=422 if form.errors else 200)


def _submit(request: HttpRequest, serving: Opened, form: AgentClaimForm) -> HttpResponse:
    at = clock.now()
    enrolment = enrolment_on(serving.member, form.cleaned_data["service_on"])
    try:
        found = claims.submit_claim(
            patient=serving.member,
            asked=form.asked,
            by=request.user,
            at=at,
            channel=Channel.WINDOW,
            centre=centre_of(request.user, enrolment.region_id) if enrolment else None,
            agent_name=form.cleaned_data["agent_name"] or "",
        )
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
    except PermissionDenied:
        # Insured elsewhere on that day: the office of that region pays it back.
        form.add_error(None, str(reasons.tell("not_permitted")))
    else:
        messages.success(request, _("Handed in, number %(number)s.") % {"number": found.case.number})
        return redirect("counter:case", public_id=found.case.public_id)
    return _claim_page(request, serving, form)
