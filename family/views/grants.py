"""A grant after it began: its terms, a pause, its end. What was used under it is shown by the page in `portal`."""

import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock, dates, masks, reasons
from accounts.decorators import fresh_proof_required, member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.once import OnceForm, done_once
from family import queries, telling
from family.actions import grants
from family.domain.check import unbound_from
from family.forms import LimitForm, initial_terms
from family.models import SharingGrant

verified = member_required(IdentityLevel.VERIFIED)


def find(request: HttpRequest, public_id: UUID, given_only: bool = False) -> SharingGrant:
    """A grant that this citizen gives or holds, or 404; `given_only`: one whose terms are his affair. One that ended is
    found as well: whoever comes back to its pages is led to where it says so."""
    mine = queries.grants_visible_to(request.user)
    return get_object_or_404(mine.filter(grantor=request.user.member) if given_only else mine, public_id=public_id)


def holds(grant: SharingGrant, on: datetime.date) -> bool:
    """Whether a grant is in force on a day."""
    return grant.starts_on <= on and (grant.ends_on is None or on < grant.ends_on)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def adjust(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The grantor changes uses and limit."""
    grant = find(request, public_id, given_only=True)
    on = clock.today()
    if not holds(grant, on):
        return redirect("family:grant", public_id=public_id)
    form = LimitForm(queries.rules_on(grant.region_id, on), on, request.POST or None, initial=initial_terms(grant))

    def work() -> HttpResponse:
        terms = form.terms
        try:
            grants.adjust(
                grant=grant,
                by=request.user,
                at=clock.now(),
                limit=terms.limit,
                uses_care=terms.care,
                uses_premium=terms.premium,
            )
        except Refused as refused:
            form.add_error(None, str(reasons.tell_refused(refused)))
            return page()
        messages.success(request, _("Saved. The new terms hold from now on; what was used before counts."))
        return redirect("family:grant", public_id=public_id)

    def page() -> HttpResponse:
        context = {
            "form": form,
            "grant": grant,
            "term": telling.term_of_beneficiary(grant),
            "name": masks.mask_name(grant.beneficiary.name),
        }
        return render(request, "family/adjust.html", context, status=422 if form.errors else 200)

    return done_once(request, work) if form.is_valid() else page()


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def pause(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The grantor pauses, or takes up again; the button says which it is, so that sending it twice changes nothing."""
    grant = find(request, public_id, given_only=True)
    if not holds(grant, clock.today()):
        return redirect("family:grant", public_id=public_id)
    form = OnceForm(request.POST or None)
    wanted = request.POST.get("do")
    if request.method == "POST" and wanted in ("pause", "resume"):
        return done_once(request, lambda: _set_paused(request, grant, wanted))
    context = {
        "form": form,
        "grant": grant,
        "term": telling.term_of_beneficiary(grant),
        "name": masks.mask_name(grant.beneficiary.name),
    }
    return render(request, "family/pause.html", context)


def _set_paused(request: HttpRequest, grant: SharingGrant, wanted: str) -> HttpResponse:
    act = grants.pause if wanted == "pause" else grants.resume
    try:
        act(grant=grant, by=request.user, at=clock.now())
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
    else:
        term = telling.term_of_beneficiary(grant)
        said = (
            _("Paused. Your %(term)s cannot use your account until you take it up again.")
            if wanted == "pause"
            else _("Your %(term)s can use your account again.")
        )
        messages.success(request, said % {"term": term})
    return redirect("family:grant", public_id=grant.public_id)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def end(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Either side ends it: from when, and that settled bills stay, is said before."""
    grant, on = find(request, public_id), clock.today()
    if request.method == "POST":
        # Sent again, it is answered as before.
        return done_once(request, lambda: _end(request, grant))
    if not holds(grant, on):
        return redirect("family:grant", public_id=public_id)
    rules = queries.rules_on(grant.region_id, on)
    is_grantor = grant.grantor_id == request.user.member_id
    context = {
        "form": OnceForm(),
        "grant": grant,
        "is_grantor": is_grantor,
        "term": telling.term_of_beneficiary(grant) if is_grantor else telling.term_of_grantor(grant),
        "name": masks.mask_name((grant.beneficiary if is_grantor else grant.grantor).name),
        "from_on": unbound_from(rules, on) if rules else on,
        "today": on,
    }
    return render(request, "family/end.html", context)


def _end(request: HttpRequest, grant: SharingGrant) -> HttpResponse:
    try:
        ended = grants.unbind(grant=grant, by=request.user, at=clock.now())
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
        return redirect("family:grant", public_id=grant.public_id)
    messages.success(
        request,
        _("Ended from %(day)s on. Settled bills stay as they are.") % {"day": dates.day(ended.ends_on)},
    )
    return redirect("family:home")
