"""A citizen's bills paid in cash: hand one in, see how it would come out, follow it, change it, take it back."""

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, reasons
from accounts.decorators import fresh_proof_required, member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.models import Institution
from accounts.once import OnceForm, done_once
from accounts.queries import enrolment_on
from casework.domain import states
from casework.telling import events, tag_of
from documents.numbers import grouped
from family.forms import VersionForm
from settlements.actions import claims
from settlements.actions.claims import PaidBill
from settlements.forms.claims import ClaimForm, initial_claim, suggestions
from settlements.models import Claim, Reimbursement
from settlements.queries import claims as read
from settlements.queries.filing import filing_deadline, filing_rule_on
from settlements.telling import bills as bill_telling

# What was entered lies in the session, which is encrypted, until it is handed in.
SESSION = "claim"
verified = member_required(IdentityLevel.VERIFIED)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Step 1: what stands on the invoice, and the bank account."""
    kept = request.session.get(SESSION)
    form = ClaimForm(request.POST or None, initial=initial_claim(_asked(kept)) if kept else None)
    if form.is_valid():
        return done_once(request, lambda: _keep(request, form))
    return _form_page(request, form)


def _keep(request: HttpRequest, form: ClaimForm) -> HttpResponse:
    try:
        claims.preview_claim(patient=request.user.member, asked=form.asked, on=clock.today())
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _form_page(request, form)
    request.session[SESSION] = _kept(form.asked)
    return redirect("settlements:claim_check")


def _form_page(request: HttpRequest, form: ClaimForm, claim: Claim | None = None) -> HttpResponse:
    context = {"form": form, "claim": claim, "suggestions": _suggestions(request), "deadlines": _deadlines(request)}
    return render(request, "settlements/claim_form.html", context, status=422 if form.errors else 200)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def check(request: HttpRequest) -> HttpResponse:
    """Step 2: the answers and how the bill would come out today; sent, it is handed in."""
    kept = request.session.get(SESSION)
    if not kept:
        return redirect("settlements:claim_new")
    form = OnceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return done_once(request, lambda: _submit(request, _asked(kept)))
    return _check_page(request, _asked(kept))


def _submit(request: HttpRequest, asked: PaidBill) -> HttpResponse:
    try:
        claim = claims.submit_claim(patient=request.user.member, asked=asked, by=request.user, at=clock.now())
    except Refused as refused:
        return _check_page(request, asked, reasons.tell_refused(refused))
    request.session.pop(SESSION, None)
    messages.success(request, _("Your bill is handed in, number %(number)s.") % {"number": claim.case.number})
    return redirect("settlements:claim", public_id=claim.case.public_id)


def _check_page(request: HttpRequest, asked: PaidBill, problem: reasons.Told | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "form": OnceForm(),
        "rows": bill_telling.answers(asked, grouped(asked.bank_account), reverse("settlements:claim_new")),
        "problem": problem,
    }
    if problem is None:
        try:
            quoted = claims.preview_claim(patient=request.user.member, asked=asked, on=clock.today())
            context |= bill_telling.outcome(quoted)
        except Refused as refused:
            context["problem"] = problem = reasons.tell_refused(refused)
    return render(request, "settlements/claim_check.html", context, status=422 if problem else 200)


@member_required()
@require_safe
def claim(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where a claim stands, its reversal included."""
    found = get_object_or_404(_mine(request), case__public_id=public_id)
    undone = Reimbursement.objects.filter(case__bill_reversal__claim=found, done_on=None).first()
    verbs = states.verbs_for(found.case.state, states.APPLICANT)
    context = {
        "claim": found,
        "case": found.case,
        "tag": tag_of(found.case),
        "rows": bill_telling.answers(found, found.masked_bank_account),
        "events": events(found.case, request.user),
        "steps": bill_telling.next_steps(found),
        "payment": getattr(found.case, "reimbursement", None),
        "owed": -undone.amount if undone and undone.amount < 0 else None,
        "to_account": undone.amount if undone and undone.amount > 0 else None,
        "may_amend": found.case.state == "returned",
        "may_withdraw": "withdraw" in verbs,
    }
    return render(request, "settlements/claim.html", context)


@member_required()
@require_safe
def reversal(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The case of a reversal leads to what is reversed: the claim, or the bill as it was settled last."""
    mine = read.reversals_visible_to(request.user).filter(case__applicant=request.user.member)
    found = get_object_or_404(mine, case__public_id=public_id)
    if found.claim:
        return redirect("settlements:claim", public_id=found.claim.case.public_id)
    return redirect("settlements:bill", public_id=found.bill.last.public_id)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def amend(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change a claim that came back and hand it in again."""
    found = get_object_or_404(_mine(request), case__public_id=public_id)
    if found.case.state != "returned":
        return redirect("settlements:claim", public_id=public_id)
    form = ClaimForm(request.POST or None, initial=initial_claim(found))
    version = VersionForm(request.POST or None, initial={"version": found.case.version})
    if form.is_valid() and version.is_valid():
        return done_once(request, lambda: _amend(request, found, form, version.cleaned_data["version"]))
    return _form_page(request, form, found)


def _amend(request: HttpRequest, found: Claim, form: ClaimForm, version: int) -> HttpResponse:
    try:
        claims.amend_claim(claim=found, asked=form.asked, by=request.user, at=clock.now(), version=version)
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _form_page(request, form, found)
    messages.success(request, _("Handed in again."))
    return redirect("settlements:claim", public_id=found.case.public_id)


@verified
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a claim back for good; asked once."""
    found = get_object_or_404(_mine(request), case__public_id=public_id)
    if "withdraw" not in states.verbs_for(found.case.state, states.APPLICANT):
        return redirect("settlements:claim", public_id=public_id)
    form = VersionForm(request.POST or None, initial={"version": found.case.version})
    if form.is_valid():
        return done_once(request, lambda: _withdraw(request, found, form))
    return _withdraw_page(request, found, form)


def _withdraw(request: HttpRequest, found: Claim, form: VersionForm) -> HttpResponse:
    try:
        claims.withdraw_claim(claim=found, by=request.user, at=clock.now(), version=form.cleaned_data["version"])
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _withdraw_page(request, found, form)
    messages.success(request, _("You took it back. The bill can be handed in anew."))
    return redirect("settlements:claim", public_id=found.case.public_id)


def _withdraw_page(request: HttpRequest, found: Claim, form: VersionForm) -> HttpResponse:
    context = {"claim": found, "case": found.case, "form": form}
    return render(request, "settlements/claim_withdraw.html", context, status=422 if form.errors else 200)


@member_required()
@require_safe
def recalculated(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A year settled anew, for the member: each bill before and after, and what is between him and the office."""
    mine = read.recalculations_visible_to(request.user).filter(member=request.user.member)
    found = get_object_or_404(mine, case__public_id=public_id)
    bills = found.bills.select_related("old__institution", "new").order_by("id")
    payment = getattr(found.case, "reimbursement", None)
    context = {
        "recalculation": found,
        "case": found.case,
        "tag": tag_of(found.case),
        "bills": bills,
        "payment": payment,
        "owed": -payment.amount if payment else None,
        "events": events(found.case, request.user),
    }
    return render(request, "settlements/recalculation.html", context)


def _mine(request: HttpRequest) -> Any:
    return read.claims_visible_to(request.user).filter(patient=request.user.member)


def _suggestions(request: HttpRequest) -> list[str]:
    enrolment = enrolment_on(request.user.member, clock.today())
    return suggestions(enrolment.region_id if enrolment else None)


def _deadlines(request: HttpRequest) -> list[dict[str, datetime.date]]:
    """Until when a bill of today and one of a year ago may be handed in, where the region says so."""
    on = clock.today()
    enrolment = enrolment_on(request.user.member, on)
    days = [on, on - datetime.timedelta(days=365)] if enrolment else []
    found = [(day, filing_rule_on(enrolment.region_id, day)) for day in days]
    return [{"day": day, "last": filing_deadline(rule, day)} for day, rule in found if rule]


def _kept(asked: PaidBill) -> dict[str, Any]:
    amounts = {name: str(getattr(asked, name)) for name in ("in_scope", "pre_self_pay", "self_paid")}
    texts = {name: getattr(asked, name) for name in ("kind", "invoice_number", "bank", "bank_account")}
    return amounts | texts | {"institution": asked.institution.pk, "service_on": asked.service_on.isoformat()}


def _asked(kept: dict[str, Any]) -> PaidBill:
    amounts = {name: Decimal(kept[name]) for name in ("in_scope", "pre_self_pay", "self_paid")}
    texts = {name: kept[name] for name in ("kind", "invoice_number", "bank", "bank_account")}
    return PaidBill(
        institution=Institution.objects.get(pk=kept["institution"]),
        service_on=datetime.date.fromisoformat(kept["service_on"]),
        **amounts,
        **texts,
    )
