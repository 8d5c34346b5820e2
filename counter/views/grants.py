"""A grant of the opened member at the window: its uses and limit, a pause, its end."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock, dates, masks, reasons
from accounts.decorators import role_required
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.once import OnceForm, done_once
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.window import LimitForm
from counter.views.desk import opened_context
from family import queries, telling
from family.actions import grants
from family.domain.check import unbound_from
from family.forms import initial_terms
from family.models import SharingGrant

clerk = role_required(Role.CLERK)
WINDOW = Channel.WINDOW


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """What a relative may use of the opened member's account, and how much; or a pause. The member stands at the window."""
    on = clock.today()
    given = queries.grants_visible_to(request.user).filter(queries.in_force(on), grantor=serving.member)
    grant = get_object_or_404(given, public_id=public_id)
    do = request.POST.get("do", "")
    if do in ("pause", "resume"):
        return done_once(request, lambda: _set_paused(request, grant, do))
    form = LimitForm(queries.rules_on(grant.region_id, on), on, request.POST or None, initial=initial_terms(grant))
    if form.is_valid():
        return done_once(request, lambda: _adjust(request, serving, grant, form))
    if request.method != "POST":
        desk.look(request, serving.member, f"grant {grant.public_id}", serving.reason)
    return _terms_page(request, serving, grant, form)


def _terms_page(request: HttpRequest, serving: Opened, grant: SharingGrant, form: LimitForm) -> HttpResponse:
    context = opened_context(request, serving) | {
        "form": form,
        "grant": grant,
        "term": telling.term_of_beneficiary(grant),
        "name": masks.mask_name(grant.beneficiary.name),
        "until": telling.until(grant.ends_on),
        "service": "terms",
    }
    return render(request, "counter/terms.html", context, status=422 if form.errors else 200)


def _adjust(request: HttpRequest, serving: Opened, grant: SharingGrant, form: LimitForm) -> HttpResponse:
    asked = form.terms
    try:
        grants.adjust(
            grant=grant,
            by=request.user,
            at=clock.now(),
            limit=asked.limit,
            uses_care=asked.care,
            uses_premium=asked.premium,
            channel=WINDOW,
        )
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _terms_page(request, serving, grant, form)
    except PermissionDenied:
        form.add_error(None, str(reasons.tell("not_permitted")))
        return _terms_page(request, serving, grant, form)
    messages.success(request, _("Saved. The new terms hold from now on; what was used before counts."))
    return redirect("counter:member")


def _set_paused(request: HttpRequest, grant: SharingGrant, wanted: str) -> HttpResponse:
    act = grants.pause if wanted == "pause" else grants.resume
    facts = {"who": telling.named(telling.term_of_beneficiary(grant), grant.beneficiary)}
    try:
        act(grant=grant, by=request.user, at=clock.now(), channel=WINDOW)
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
    except PermissionDenied:
        messages.error(request, str(reasons.tell("not_permitted")))
    else:
        said = (
            _("Paused: %(who)s cannot use this account until it is taken up again.")
            if wanted == "pause"
            else _("%(who)s can use this account again.")
        )
        messages.success(request, said % facts)
    return redirect("counter:member")


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """End a grant for the opened member, whichever side he is on."""
    seen = queries.grants_visible_to(request.user)
    person = serving.member
    grant = get_object_or_404(seen.filter(grantor=person) | seen.filter(beneficiary=person), public_id=public_id)
    if request.method == "POST":
        return done_once(request, lambda: _end(request, serving, grant))
    desk.look(request, person, f"grant {grant.public_id}", serving.reason)
    on = clock.today()
    rules = queries.rules_on(grant.region_id, on)
    is_grantor = grant.grantor_id == person.pk
    context = opened_context(request, serving) | {
        "form": OnceForm(),
        "grant": grant,
        "is_grantor": is_grantor,
        "term": telling.term_of_beneficiary(grant) if is_grantor else telling.term_of_grantor(grant),
        "name": masks.mask_name((grant.beneficiary if is_grantor else grant.grantor).name),
        "from_on": unbound_from(rules, on) if rules else on,
        "service": "end",
    }
    return render(request, "counter/end.html", context)


def _end(request: HttpRequest, serving: Opened, grant: SharingGrant) -> HttpResponse:
    try:
        ended = grants.unbind(grant=grant, by=request.user, at=clock.now(), on_behalf_of=serving.member, channel=WINDOW)
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
    except PermissionDenied:
        messages.error(request, str(reasons.tell("not_permitted")))
    else:
        day = dates.day(ended.ends_on)
        messages.success(request, _("Ended from %(day)s on. Settled bills stay as they are.") % {"day": day})
    return redirect("counter:member")
