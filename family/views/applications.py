"""An application after it was begun: its page, changing it, taking it back, and the relative's answer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, masks, reasons
from accounts.decorators import fresh_proof_required, member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.once import done_once
from casework.domain import states
from casework.enums import CaseState
from casework.telling import events, tag_of
from family import queries, telling
from family.actions import invitations, sharing
from family.forms import AmendForm, VersionForm, initial_terms
from family.models import SharingApplication

verified = member_required(IdentityLevel.VERIFIED)


def mine(request: HttpRequest) -> QuerySet[SharingApplication]:
    """What this citizen applied for himself."""
    return queries.applications_visible_to(request.user).filter(grantor=request.user.member)


@member_required()
@require_safe
def application(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where an application stands; the relative who is asked to agree is led to the question."""
    found = get_object_or_404(queries.applications_visible_to(request.user), case__public_id=public_id)
    is_grantor = found.grantor_id == request.user.member_id
    if not is_grantor and found.case.state == CaseState.CONSENT:
        return redirect("family:invitation", public_id=public_id)
    verbs = states.verbs_for(found.case.state, states.APPLICANT) if is_grantor else []
    grant = getattr(found, "grant", None)
    context = {
        "application": found,
        "case": found.case,
        "is_grantor": is_grantor,
        "tag": tag_of(found.case),
        "term": telling.term_of_beneficiary(found) if is_grantor else telling.term_of_grantor(found),
        "name": masks.mask_name((found.beneficiary if is_grantor else found.grantor).name),
        "rows": telling.answers(found),
        "events": events(found.case, request.user, telling.waits_until(found)),
        "steps": telling.next_steps(found) if is_grantor else [],
        "may_withdraw": "withdraw" in verbs,
        "may_amend": "amend" in verbs,
        "may_submit": "submit" in verbs,
        "grant": grant,
    }
    return render(request, "family/application.html", context)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change relation and terms; what was submitted comes back first and must be signed anew."""
    found = get_object_or_404(mine(request), case__public_id=public_id)
    if "amend" not in states.verbs_for(found.case.state, states.APPLICANT):
        return redirect("family:application", public_id=public_id)
    on = clock.today()
    rules = queries.rules_on(found.case.region_id, on)
    initial = initial_terms(found) | {"version": found.case.version}
    form = AmendForm(rules, on, request.POST or None, initial=initial)
    if form.is_valid():
        telling.tell_at_relation(
            form, queries.relation_findings(found.grantor, found.beneficiary, form.cleaned_data["relation"], on)
        )

    def work() -> HttpResponse:
        try:
            sharing.amend(
                application=found,
                by=request.user,
                at=clock.now(),
                relation=form.cleaned_data["relation"],
                terms=form.terms,
                version=form.cleaned_data["version"],
            )
        except Refused as refused:
            form.add_error(None, str(reasons.tell_refused(refused)))
            return page()
        return redirect("family:check", public_id=public_id)

    def page() -> HttpResponse:
        context = {
            "application": found,
            "case": found.case,
            "form": form,
            "term": telling.term_of_beneficiary(found),
            "name": masks.mask_name(found.beneficiary.name),
        }
        return render(request, "family/amend.html", context, status=422 if form.errors else 200)

    return done_once(request, work) if form.is_valid() else page()


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take an application back for good; asked once."""
    found = get_object_or_404(mine(request), case__public_id=public_id)
    form = VersionForm(request.POST or None, initial={"version": found.case.version})

    def work() -> HttpResponse:
        try:
            sharing.withdraw(application=found, by=request.user, at=clock.now(), version=form.cleaned_data["version"])
        except Refused as refused:
            messages.error(request, str(reasons.tell_refused(refused)))
        else:
            messages.success(request, _("Taken back. Nothing was changed, and you can apply again at any time."))
        return redirect("family:application", public_id=public_id)

    if form.is_valid():
        return done_once(request, work)
    if "withdraw" not in states.verbs_for(found.case.state, states.APPLICANT):
        return redirect("family:application", public_id=public_id)
    context = {
        "application": found,
        "case": found.case,
        "form": form,
        "term": telling.term_of_beneficiary(found),
        "name": masks.mask_name(found.beneficiary.name),
    }
    return render(request, "family/withdraw.html", context, status=422 if form.errors else 200)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def invitation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The relative's own answer: what it means, agree or decline."""
    asked = queries.applications_visible_to(request.user).filter(beneficiary=request.user.member)
    found = get_object_or_404(asked, case__public_id=public_id)
    form = VersionForm(request.POST or None, initial={"version": found.case.version})
    if form.is_valid() and request.POST.get("answer") in ("agree", "decline"):
        return done_once(request, lambda: _answer(request, found, form))
    if found.case.state != CaseState.CONSENT:
        return redirect("family:application", public_id=public_id)
    return render(
        request, "family/invitation.html", _invitation(request, found, form), status=422 if form.errors else 200
    )


def _answer(request: HttpRequest, found: SharingApplication, form: VersionForm) -> HttpResponse:
    agreed = request.POST["answer"] == "agree"
    act = invitations.consent if agreed else invitations.decline
    try:
        answered = act(application=found, by=request.user, at=clock.now(), version=form.cleaned_data["version"])
    except Refused as refused:
        newest = queries.applications_visible_to(request.user).get(pk=found.pk)
        if newest.case.state != CaseState.CONSENT:
            messages.error(request, str(reasons.tell_refused(refused)))
            return redirect("family:application", public_id=newest.case.public_id)
        form = VersionForm(initial={"version": newest.case.version})
        problem = telling.refused_to_beneficiary(refused)
        context = _invitation(request, newest, form) | {"problem": problem, "has_errors": True}
        return render(request, "family/invitation.html", context, status=422)
    messages.success(request, _said(answered, agreed))
    return redirect("family:home")


def _said(answered: SharingApplication, agreed: bool) -> str:
    term = telling.term_of_grantor(answered)
    if not agreed:
        return _("You declined. Your %(term)s has been told; nothing was changed.") % {"term": term}
    if answered.case.state == CaseState.REVIEW:
        return _("You agreed. A second person now checks it; you hear of the result by message.")
    return _("You agreed. From today on the account of your %(term)s pays once your own money is used up.") % {
        "term": term
    }


def _stands_against(found: SharingApplication) -> reasons.Told | None:
    """What an agreement would meet today, said before anybody presses: rules and facts change while it waits."""
    findings, _facts, _rules = queries.findings_on(found, clock.today())
    if not findings:
        return None
    return telling.refused_to_beneficiary(Refused(findings[0].code, **findings[0].params))


def _invitation(request: HttpRequest, found: SharingApplication, form: VersionForm) -> dict[str, Any]:
    return {
        "application": found,
        "case": found.case,
        "form": form,
        "problem": _stands_against(found),
        "term": telling.term_of_grantor(found),
        "name": masks.mask_name(found.grantor.name),
        "uses": telling.uses(found),
        "limit": telling.limit(found.limit),
        "until": telling.until(found.ends_on),
        "events": events(found.case, request.user, found.consent_until),
    }
