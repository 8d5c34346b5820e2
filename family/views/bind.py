"""Letting a relative use one's account: who, the dry run, for what, check the answers, sign and submit.

What was entered stays in the session (which is encrypted) until there is a draft, and then for going back.
"""

from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, kinship, masks, reasons
from accounts.decorators import fresh_proof_required, member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.models import Member
from accounts.once import done_once
from casework.enums import CaseState
from family import queries, telling
from family.actions import sharing
from family.domain.check import Facts, consent_needed
from family.domain.rules import SharingRules
from family.forms import SignForm, TermsForm, WhoForm, initial_terms
from family.models import SharingApplication

SESSION = "family_bind"
SIGNABLE = (CaseState.DRAFT, CaseState.RETURNED)
verified = member_required(IdentityLevel.VERIFIED)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def who(request: HttpRequest) -> HttpResponse:
    """Step 1: name, ID number, relation. Sent, it asks the dry run."""
    known = request.session.get(SESSION, {})
    form = WhoForm(request.POST or None, initial={name: known.get(name) for name in ("name", "id_number", "relation")})
    if form.is_valid():
        return done_once(request, lambda: _ask(request, form, known))
    return _who_page(request, form)


def _who_page(request: HttpRequest, form: WhoForm) -> HttpResponse:
    return render(request, "family/bind_who.html", {"form": form}, status=422 if form.errors else 200)


def _ask(request: HttpRequest, form: WhoForm, known: dict[str, Any]) -> HttpResponse:
    data = form.cleaned_data
    try:
        # Names and numbers must not be tried out until they fit somebody.
        if not ratelimit.consume(request, action="find_relative"):
            raise Refused("too_many_tries")
        relative = sharing.find_relative(name=data["name"], id_number=data["id_number"])
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _who_page(request, form)
    result = sharing.dry_run(
        grantor=request.user.member,
        beneficiary=relative,
        relation=data["relation"],
        by=request.user,
        at=clock.now(),
    )
    if telling.tell_at_relation(form, result.findings):
        return _who_page(request, form)
    draft = queries.draft_between(request.user.member, relative, queries.region_of(request.user.member, clock.today()))
    begun = str(draft.case.public_id) if draft else None
    if begun and begun != known.get("draft") and not result.findings:
        messages.info(
            request, _("You began an application for this relative before. It goes on here; there is no second one.")
        )
    request.session[SESSION] = {
        **{name: data[name] for name in ("name", "id_number", "relation")},
        "member": relative.pk,
        "findings": [[finding.code, finding.params] for finding in result.findings],
        "consent_needed": result.consent_needed,
        "until": result.until.isoformat() if result.until else None,
        # The same relative again goes on with the draft that is there.
        "draft": begun,
    }
    return redirect("family:bind_result")


@verified
@require_safe
def result(request: HttpRequest) -> HttpResponse:
    """What the dry run found: every reason with its remedy, or that it would succeed today."""
    known = request.session.get(SESSION)
    if not known:
        return redirect("family:bind")
    relative = Member.objects.get(pk=known["member"])
    context = _person(known, relative) | {
        "findings": [reasons.tell(code, params) for code, params in known["findings"]],
        "consent_needed": known["consent_needed"],
    }
    if not context["findings"]:
        on = clock.today()
        facts = queries.facts_for(request.user.member, relative, known["relation"], on)
        rules = queries.rules_on(facts.grantor.region, on)
        context["passed"] = telling.prechecks(facts, rules, context["term"]) if rules else []
    return render(request, "family/bind_result.html", context)


def _person(known: dict[str, Any], relative: Member) -> dict[str, Any]:
    return {"term": kinship.term(known["relation"], relative.sex), "name": masks.mask_name(relative.name)}


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest) -> HttpResponse:
    """Step 2: for what, how much, until when. Sent, it keeps a draft, which has no effect."""
    known = request.session.get(SESSION)
    if not known or known["findings"]:
        return redirect("family:bind")
    on, member = clock.today(), request.user.member
    rules = queries.rules_on(queries.region_of(member, on) or "", on)
    draft = _draft(request, known)
    form = TermsForm(rules, on, request.POST or None, initial=initial_terms(draft) if draft else None)
    if form.is_valid():
        return done_once(request, lambda: _keep(request, form, known, draft))
    relative = Member.objects.get(pk=known["member"])
    context = _person(known, relative) | {"form": form}
    return render(request, "family/bind_terms.html", context, status=422 if form.errors else 200)


def _draft(request: HttpRequest, known: dict[str, Any]) -> SharingApplication | None:
    """The draft this session began, if nothing has become of it yet."""
    if not known.get("draft"):
        return None
    mine = queries.applications_visible_to(request.user).filter(grantor=request.user.member)
    return mine.filter(case__public_id=UUID(known["draft"]), case__state=CaseState.DRAFT).first()


def _keep(
    request: HttpRequest, form: TermsForm, known: dict[str, Any], draft: SharingApplication | None
) -> HttpResponse:
    at, by = clock.now(), request.user
    try:
        if draft is None:
            draft = sharing.draft(
                grantor=by.member,
                beneficiary=Member.objects.get(pk=known["member"]),
                relation=known["relation"],
                by=by,
                at=at,
                terms=form.terms,
            )
        else:
            draft = sharing.amend(application=draft, by=by, at=at, relation=known["relation"], terms=form.terms)
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        relative = Member.objects.get(pk=known["member"])
        return render(request, "family/bind_terms.html", _person(known, relative) | {"form": form}, status=422)
    request.session[SESSION] = known | {"draft": str(draft.case.public_id)}
    return redirect("family:check", public_id=draft.case.public_id)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def check(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Check the answers, read the commitment, sign and submit: for a draft, and for one that came back."""
    mine = queries.applications_visible_to(request.user).filter(grantor=request.user.member)
    application = get_object_or_404(mine, case__public_id=public_id)
    if "later" in request.POST:
        return redirect("family:application", public_id=public_id)
    commitment = queries.commitment_on(clock.today())
    fresh = {"version": application.case.version, "commitment": commitment}
    form = SignForm(request.POST or None, initial=fresh)
    if form.is_valid():
        return done_once(request, lambda: _submit(request, application, form))
    if application.case.state not in SIGNABLE:
        return redirect("family:application", public_id=public_id)
    return _check_page(request, application, form)


def _submit(request: HttpRequest, application: SharingApplication, form: SignForm) -> HttpResponse:
    try:
        sharing.submit(
            application=application,
            by=request.user,
            at=clock.now(),
            commitment=form.cleaned_data["commitment"],
            version=form.cleaned_data["version"],
        )
    except Refused as refused:
        # Nothing is signed on an old page: a new form shows the newest text and state, with what was in the way.
        application = queries.applications_visible_to(request.user).get(pk=application.pk)
        if application.case.state not in SIGNABLE:
            messages.error(request, str(reasons.tell_refused(refused)))
            return redirect("family:application", public_id=application.case.public_id)
        commitment = queries.commitment_on(clock.today())
        form = SignForm(initial={"version": application.case.version, "commitment": commitment})
        return _check_page(request, application, form, reasons.tell_refused(refused))
    request.session.pop(SESSION, None)
    return redirect("family:submitted", public_id=application.case.public_id)


def _check_page(
    request: HttpRequest, application: SharingApplication, form: SignForm, problem: reasons.Told | None = None
) -> HttpResponse:
    on = clock.today()
    findings, facts, rules = queries.findings_on(application, on)
    begun_here = request.session.get(SESSION, {}).get("draft") == str(application.case.public_id)
    term = telling.term_of_beneficiary(application)
    args = [] if begun_here else [application.case.public_id]
    context = {
        "application": application,
        "case": application.case,
        "begun_here": begun_here,
        "term": term,
        "name": masks.mask_name(application.beneficiary.name),
        "grantor_name": masks.mask_name(application.grantor.name),
        "form": form,
        "problem": problem,
        "has_errors": bool(form.errors or problem),
        "findings": telling.findings(findings),
        "passed": telling.prechecks(facts, rules, term) if rules and not findings else [],
        "commitment": queries.commitment_on(on),
        "consent_needed": _consent_needed(application, facts, rules),
        "rows": telling.answers(
            application,
            who_url=reverse("family:bind") if begun_here else "",
            terms_url=reverse("family:bind_terms" if begun_here else "family:amend", args=args),
        ),
    }
    context["todo"] = _todo(context, rules)
    return render(request, "family/check.html", context, status=422 if context["has_errors"] else 200)


def _todo(context: dict[str, Any], rules: SharingRules | None) -> list[dict[str, Any]]:
    """How far it is, for components/todo.html."""
    done = ("ok", _("done"))
    passed = ("bad", _("not passed")) if context["findings"] else ("ok", _("passed"))
    steps = [
        (_("Prove who you are"), *done),
        (_("Enter the relative"), *done),
        (_("The check"), *passed),
        (_("Check the answers, sign"), "wait", _("now")),
    ]
    rows = [{"text": text, "state": state, "word": word} for text, state, word in steps]
    if context["consent_needed"] and rules:
        agree = _("Your %(term)s agrees") % {"term": context["term"]}
        days = _("within %(days)s days") % {"days": rules.consent_days}
        rows.append({"text": agree, "state": "off", "word": _("later"), "small": days})
    return rows


def _consent_needed(application: SharingApplication, facts: Facts, rules: SharingRules | None) -> bool:
    if application.consented_at is not None or rules is None:
        return False
    return consent_needed(rules, facts, clock.today())


@member_required()
@require_safe
def submitted(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """After submitting: the number, and what happens next."""
    mine = queries.applications_visible_to(request.user).filter(grantor=request.user.member)
    application = get_object_or_404(mine, case__public_id=public_id)
    if application.case.submitted_at is None:
        return redirect("family:check", public_id=public_id)
    context = {
        "application": application,
        "case": application.case,
        "term": telling.term_of_beneficiary(application),
        "steps": telling.next_steps(application),
    }
    return render(request, "family/submitted.html", context)
