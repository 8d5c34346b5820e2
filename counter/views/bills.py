"""A case about bills at the window (one paid in cash, its reversal, a year settled anew), its papers and its second check."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock, reasons
from accounts.decorators import role_required
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.once import done_once
from accounts.policies import centre_of, regions_with_role, serves_himself
from casework import telling as case_telling
from casework.domain import states
from casework.enums import CaseState
from casework.models import Case
from counter import desk
from counter.forms.window import DecisionForm, ReversalForm
from counter.papers.bills import is_decided, print_decision, print_receipt
from counter.papers.receipts import PAPERS
from counter.views.checking import RETURNED, Check, Problem, check, decision_context
from counter.views.desk import opened_context, printed, sure_of
from family.forms import VersionForm
from settlements.actions import bill_reversals, claims, recalculation
from settlements.forms.claims import AgentClaimForm, initial_claim, suggestions
from settlements.models import BillReversal, Claim, Recalculation, Reimbursement
from settlements.queries import claims as read
from settlements.telling import bills as bill_telling

clerk = role_required(Role.CLERK)
supervisor = role_required(Role.SUPERVISOR)
Payload = Claim | Recalculation | BillReversal


def _payload(request: HttpRequest, public_id: UUID, regions: set[str]) -> Payload:
    """The claim, its reversal, or the recalculation of a case in these regions, or 404."""
    for rows in (read.claims_visible_to(request.user), read.reversals_visible_to(request.user)):
        found = rows.filter(case__public_id=public_id, case__region__in=regions).first()
        if found is not None:
            return found
    seen = read.recalculations_visible_to(request.user).filter(case__region__in=regions)
    return get_object_or_404(seen, case__public_id=public_id)


def _context(request: HttpRequest, found: Payload) -> dict[str, Any]:
    case = found.case
    context: dict[str, Any] = {
        "case": case,
        "tag": case_telling.tag_of(case),
        "title": case_telling.rows([case], request.user)[0],
        "person": case.applicant,
        "events": case_telling.events(case, request.user),
        "payment": Reimbursement.objects.filter(case=case).first(),
        "found": found,
    }
    if isinstance(found, BillReversal):
        return context | _reversal(found)
    context["masked"] = found.masked_bank_account
    if isinstance(found, Claim):
        reversal = found.reversals.select_related("case").order_by("-id").first()
        rows = bill_telling.answers(found, found.masked_bank_account)
        return context | {"claim": found, "rows": rows, "reversed_by": reversal}
    return context | {"recalculation": found} | _figures(found)


def _reversal(found: BillReversal) -> dict[str, Any]:
    """What is undone, why, and what comes of it."""
    rows = [{"label": _("Reason"), "value": found.reason}]
    if found.claim:
        rows.insert(0, {"label": _("Claim"), "value": found.claim.case.number})
        rows += bill_telling.answers(found.claim, found.claim.masked_bank_account)
    else:
        rows += bill_telling.settled_anew(found.bill)
        if found.bank:
            rows.append({"label": _("Paid to"), "value": f"{found.bank} {found.masked_bank_account}"})
    undoing = bill_reversals.undoing(found) if found.settlement else None
    return {"reversal": found, "rows": rows, "settlement": found.settlement, "undoing": undoing}


def _figures(found: Recalculation) -> dict[str, Any]:
    """Once posted, the bills that were settled anew; before, the preview as it comes out now."""
    if found.case.state == CaseState.GRANTED:
        return {"bills": found.bills.select_related("old__institution", "new").order_by("id")}
    if found.case.state not in (CaseState.REVIEW, CaseState.RETURNED):
        return {}
    try:
        now = recalculation.current(found, clock.today())
    except Refused as refused:
        return {"no_preview": reasons.tell_refused(refused)}
    return {"preview": now, "stale": now.as_data() != found.preview, **bill_telling.table(now)}


@clerk
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A case about bills at the window: where it stands; it can be taken back, and a returned claim changed."""
    found = _payload(request, public_id, regions_with_role(request.user, Role.CLERK))
    person = found.case.applicant
    if serves_himself(request.user, person.pk):
        return get_object_or_404(Claim.objects.none())
    serving = desk.opened(request)
    serves = serving is not None and serving.member.pk == person.pk
    if request.method != "POST":
        reason = serving.reason if serving and serves else found.case.number
        desk.look(request, person, f"case {found.case.number}", reason, action="read_case")
    elif not serves:
        return _open_first(request)
    elif request.POST.get("do") == "withdraw":
        return done_once(request, lambda: _withdraw(request, found))
    elif request.POST.get("do") == "reverse":
        return _reverse(request, found)
    else:
        return _amend(request, found)
    return _case_page(request, found, serves)


def _case_page(
    request: HttpRequest,
    found: Payload,
    serves: bool,
    form: AgentClaimForm | None = None,
    problem: reasons.Told | None = None,
    undo: ReversalForm | None = None,
) -> HttpResponse:
    state = found.case.state
    if form is None and isinstance(found, Claim) and state == CaseState.RETURNED and serves:
        form = AgentClaimForm(initial=initial_claim(found))
    bad = bool(problem or (form and form.errors) or (undo and undo.errors))
    verbs = states.verbs_for(state, states.CLERK) if serves else []
    stands = isinstance(found, Claim) and found.settlement is not None and found.settlement.reversed_on is None
    context = _context(request, found) | {
        "serves": serves,
        "service": "claim",
        "form": form,
        "undo": (undo or ReversalForm()) if stands and serves else None,
        "plain": VersionForm(initial={"version": found.case.version}),
        "problem": problem,
        "may_withdraw": "withdraw" in verbs,
        "ask": sure_of(request, verbs),
        "papers": serves and found.case.submitted_at is not None,
        "decided": is_decided(found),
        "suggestions": suggestions(found.case.region_id) if form else [],
        "has_errors": bad,
    }
    serving = desk.opened(request)
    if serving is not None and serves:
        context |= opened_context(request, serving)
    return render(request, "counter/bill_case.html", context, status=422 if bad else 200)


@clerk
@require_POST
def paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The receipt (80 mm or A4) of a case about bills, or how a claim was decided; later prints are marked as copies."""
    found = _payload(request, public_id, regions_with_role(request.user, Role.CLERK))
    serving = desk.opened(request)
    if serving is None or serving.member.pk != found.case.applicant_id:
        return _open_first(request)
    back = redirect("counter:case", public_id=public_id)

    def print_on(paper: str) -> bytes:
        if paper == "decision":
            return print_decision(claim=found, by=request.user, at=clock.now())
        return print_receipt(found=found, paper=paper, by=request.user, at=clock.now())

    decided = isinstance(found, Claim) and request.POST.get("paper") == "decision"
    name = f"{'decision' if decided else 'receipt'}-{found.case.number}.pdf"
    return printed(request, print_on, name, back, ("decision",) if decided else PAPERS)


def _open_first(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Open this person's record first, with a reason."))
    return redirect("counter:home")


def _withdraw(request: HttpRequest, found: Payload) -> HttpResponse:
    form = VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else -1
    try:
        claims.withdraw_case(case=found.case, by=request.user, at=clock.now(), version=version)
    except Refused as refused:
        found.case.refresh_from_db()
        return _case_page(request, found, True, problem=reasons.tell_refused(refused))
    messages.success(request, _("%(number)s is withdrawn.") % {"number": found.case.number})
    return redirect("counter:case", public_id=found.case.public_id)


def _reverse(request: HttpRequest, found: Payload) -> HttpResponse:
    """Ask for the reversal of a settled claim; a second person decides."""
    form = ReversalForm(request.POST)
    if not isinstance(found, Claim) or not form.is_valid():
        return _case_page(request, found, True, undo=form if isinstance(found, Claim) else None)

    def work() -> HttpResponse:
        try:
            asked = bill_reversals.request_reversal(
                claim=found,
                reason=form.cleaned_data["why"],
                by=request.user,
                at=clock.now(),
                centre=centre_of(request.user, found.case.region_id),
            )
        except Refused as refused:
            return _case_page(request, found, True, problem=reasons.tell_refused(refused), undo=form)
        messages.success(request, _("%(number)s waits for the second check.") % {"number": asked.case.number})
        return redirect("counter:case", public_id=asked.case.public_id)

    return done_once(request, work)


def _amend(request: HttpRequest, found: Payload) -> HttpResponse:
    """A claim that came back, changed and handed in again."""
    form, version = AgentClaimForm(request.POST), VersionForm(request.POST)
    if not isinstance(found, Claim) or not form.is_valid() or not version.is_valid():
        return _case_page(request, found, True, form if isinstance(found, Claim) else None)

    def work() -> HttpResponse:
        try:
            claims.amend_claim(
                claim=found,
                asked=form.asked,
                by=request.user,
                at=clock.now(),
                version=version.cleaned_data["version"],
                channel=Channel.WINDOW,
            )
        except Refused as refused:
            form.add_error(None, str(reasons.tell_refused(refused)))
            return _case_page(request, found, True, form)
        messages.success(request, _("Handed in again."))
        return redirect("counter:case", public_id=found.case.public_id)

    return done_once(request, work)


@supervisor
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The second check of a case about bills: what comes out, then grant, return or refuse."""
    return check(request, public_id, BILLS)


def _review_page(request: HttpRequest, found: Payload, form: DecisionForm, problem: Problem) -> HttpResponse:
    case = found.case
    context = _context(request, found) | decision_context(request, case, [case.applicant_id], form, problem)
    if isinstance(found, Claim) and context["waits"]:
        context |= _now(found, case)
    return render(request, "counter/bill_review.html", context, status=422 if context["has_errors"] else 200)


def _now(found: Claim, case: Case) -> dict[str, Any]:
    """How the claim would be settled if it were granted today, or what stands against it."""
    try:
        quoted = claims.preview_filed(claim=found, on=clock.today())
    except Refused as refused:
        return {"finding": reasons.tell_refused(refused)}
    return bill_telling.outcome(quoted, mine=False)


BILLS = Check(
    find=_payload,
    people=lambda found: (found.case.applicant,),
    page=_review_page,
    said={
        "approve": gettext_lazy(
            "%(number)s is granted and carried out. What is to be paid or paid back stands in the list of payments."
        ),
        "return": RETURNED,
        "refuse": gettext_lazy("%(number)s is refused. The applicant has been told why."),
    },
)
