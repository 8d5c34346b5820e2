"""Bills at the window: one paid in cash, a year settled anew, their second check, and what the bank has to pay."""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock, masks, reasons
from accounts.decorators import fresh_proof_required, role_required
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.models import BenefitYear
from accounts.once import done_once
from accounts.policies import centre_of, regions_with_role, serves_himself
from accounts.queries import enrolment_on
from casework import telling as case_telling
from casework.domain import states
from casework.enums import CaseState
from casework.models import Case
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.window import DecisionForm, ReversalForm
from counter.papers.bills import is_decided, print_decision, print_receipt
from counter.papers.notices import MATERIALS
from counter.views.checking import RETURNED, Check, Problem, check, decision_context
from counter.views.desk import opened_context, printed, sure_of
from family.forms import VersionForm
from settlements.actions import claim_reversals, claims, recalculation
from settlements.actions.payment_file import payment_file
from settlements.actions.recalculation import Preview
from settlements.enums import CLAIM_CASE
from settlements.forms.claims import AgentClaimForm, BankForm, PaidForm, initial_claim, suggestions
from settlements.models import Claim, ClaimReversal, Recalculation, Reimbursement
from settlements.queries import claims as read
from settlements.queries.year import year_on
from settlements.telling import bills as bill_telling
from settlements.telling.explaining import Explanation

clerk = role_required(Role.CLERK)
supervisor = role_required(Role.SUPERVISOR)
WINDOW = Channel.WINDOW
PER_PAGE = 50
YEARS_BACK = 3


# A bill paid in cash


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
    back = {"quoted": quoted, "told": Explanation(quoted, {}, mine=False), "back_amount": quoted.total - quoted.cash}
    return _claim_page(request, serving, shown, back)


def _claim_page(
    request: HttpRequest, serving: Opened, form: AgentClaimForm, more: dict[str, Any] | None = None
) -> HttpResponse:
    context = opened_context(request, serving)
    enrolment = context["enrolment"]
    context |= {"form": form, "service": "claim", "has_errors": bool(form.errors)}
    context |= {"suggestions": suggestions(enrolment.region_id if enrolment else None), **(more or {})}
    context |= {"kind": CLAIM_CASE, "materials": MATERIALS[CLAIM_CASE]}
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
            channel=WINDOW,
            centre=centre_of(request.user, enrolment.region_id) if enrolment else None,
            agent_name=form.cleaned_data["agent_name"] or "",
        )
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _claim_page(request, serving, form)
    except PermissionDenied:
        # Insured elsewhere on that day: the office of that region pays it back.
        form.add_error(None, str(reasons.tell("not_permitted")))
        return _claim_page(request, serving, form)
    messages.success(request, _("Handed in, number %(number)s.") % {"number": found.case.number})
    return redirect("counter:case", public_id=found.case.public_id)


# A case about bills: claims and years settled anew


Payload = Claim | Recalculation | ClaimReversal


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
    if isinstance(found, ClaimReversal):
        claim = found.claim
        rows = [{"label": _("Claim"), "value": claim.case.number}, {"label": _("Reason"), "value": found.reason}]
        rows += bill_telling.answers(claim, claim.masked_bank_account)
        return context | {"reversal": found, "rows": rows, "undoing": _undoing(found)}
    context["masked"] = found.masked_bank_account
    if isinstance(found, Claim):
        reversal = found.reversals.select_related("case").order_by("-id").first()
        rows = bill_telling.answers(found, found.masked_bank_account)
        return context | {"claim": found, "rows": rows, "reversed_by": reversal}
    return context | {"recalculation": found} | _figures(found)


def _undoing(found: ClaimReversal) -> dict[str, Any]:
    """What undoing it means for money: yuan that the patient has to pay back, or that are not paid to him."""
    settled = found.claim.settlement
    amount = claims.paid_back(settled) if settled else 0
    row = Reimbursement.objects.filter(case=found.claim.case).first()
    return {"amount": amount, "paid_out": row is not None and row.done_on is not None, "settlement": settled}


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
    return {"preview": now, "stale": now.as_data() != found.preview, **_table(now)}


def _table(found: Preview) -> dict[str, Any]:
    return {"columns": bill_telling.columns(), "lines": bill_telling.lines(found.lines), "owed": -found.to_member}


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
    if request.POST.get("paper") == "decision" and isinstance(found, Claim):

        def print_on(_paper: str) -> bytes:
            return print_decision(claim=found, by=request.user, at=clock.now())

        return printed(request, print_on, f"decision-{found.case.number}.pdf", back, ("decision",))

    def receipt_on(paper: str) -> bytes:
        return print_receipt(found=found, paper=paper, by=request.user, at=clock.now())

    return printed(request, receipt_on, f"receipt-{found.case.number}.pdf", back)


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
            asked = claim_reversals.request_reversal(
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
                channel=WINDOW,
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
    return {"quoted": quoted, "told": Explanation(quoted, {}, mine=False), "back_amount": quoted.total - quoted.cash}


BILLS = Check(
    find=_payload,
    people=lambda found: (found.case.applicant,),
    page=_review_page,
    decide=lambda found, verdict, **asked: claims.decide(case=found.case, verb=verdict, **asked),
    said={
        "approve": gettext_lazy(
            "%(number)s is granted and carried out. What is to be paid or paid back stands in the list of payments."
        ),
        "return": RETURNED,
        "refuse": gettext_lazy("%(number)s is refused. The applicant has been told why."),
    },
)


# A year settled anew


@clerk
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
    year = int(asked) if asked.isdigit() and int(asked) in years else years[0]
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
    context |= {"preview": found, "form": form, **_table(found)}
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
        context |= {"problem": reasons.tell_refused(refused)}
        return render(request, "counter/recalculate.html", context, status=422)
    except PermissionDenied:
        context |= {"problem": reasons.tell("not_permitted")}
        return render(request, "counter/recalculate.html", context, status=422)
    messages.success(request, _("%(number)s waits for the second check.") % {"number": asked.case.number})
    return redirect("counter:case", public_id=asked.case.public_id)


# What the bank has to pay


@supervisor
@require_http_methods(["GET", "HEAD", "POST"])
def payments(request: HttpRequest) -> HttpResponse:
    """Money to members' bank accounts, and from them: the open ones, each with its form; those done below."""
    form = PaidForm(request.POST or None)
    if form.is_valid():
        return done_once(request, lambda: _paid(request, form))
    return _payments_page(request, form)


def _payments_page(request: HttpRequest, form: PaidForm, problem: reasons.Told | None = None) -> HttpResponse:
    rows = read.reimbursements_visible_to(request.user)
    done = request.GET.get("state") == "done"
    rows = rows.filter(done_on__isnull=not done)
    page = Paginator(rows.order_by("-done_on", "-id") if done else rows, PER_PAGE).get_page(request.GET.get("page"))
    wrong = str(form.data.get("row", "")) if form.errors else ""
    forms = [
        {
            "row": row,
            "name": masks.mask_name(row.member.name),
            "owed": row.amount < 0,
            "amount": abs(row.amount),
            "form": form if wrong == str(row.case.public_id) else _empty(row),
        }
        for row in page
    ]
    bad = bool(problem or form.errors)
    context = {"page_obj": page, "rows": forms, "done": done, "problem": problem, "has_errors": bad}
    return render(request, "counter/payments.html", context, status=422 if bad else 200)


def _empty(row: Reimbursement) -> PaidForm:
    return PaidForm(initial={"row": row.case.public_id}, auto_id=f"id_{row.pk}_%s")


def _paid(request: HttpRequest, form: PaidForm) -> HttpResponse:
    row = get_object_or_404(read.reimbursements_visible_to(request.user), case__public_id=form.cleaned_data["row"])
    try:
        claims.pay_out(reimbursement=row, reference=form.cleaned_data["reference"], by=request.user, at=clock.now())
    except Refused as refused:
        return _payments_page(request, PaidForm(), reasons.tell_refused(refused))
    messages.success(request, _("Noted: %(number)s is paid.") % {"number": row.case.number})
    return redirect("counter:payments")


@supervisor
@require_POST
@fresh_proof_required
def payments_file(request: HttpRequest) -> HttpResponse:
    """The open payments for the bank, with full account numbers; that it was written is recorded for each member."""
    body = payment_file(by=request.user, at=clock.now())
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="payments-{clock.today().isoformat()}.csv"'
    return response
