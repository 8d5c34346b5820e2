"""The case of a closed account at the window: where it stands, its papers, and its second check."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock, masks, reasons
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.once import done_once
from accounts.policies import regions_with_role, serves_himself
from casework import kinds
from casework import telling as case_telling
from casework.domain import states
from casework.enums import CaseState
from counter import desk
from counter.desk import Opened
from counter.forms.window import DecisionForm
from counter.papers.closing import print_proof, print_receipt
from counter.papers.receipts import PAPERS
from counter.views.checking import RETURNED, Check, Problem, check, decision_context
from counter.views.desk import opened_context, printed, sure_of
from family.forms import VersionForm
from settlements.actions import withdrawal
from settlements.actions.withdrawal import DryRun
from settlements.models import WithdrawalApplication
from settlements.queries import withdrawal as queries
from settlements.telling import closing as telling

clerk = role_required(Role.CLERK)
SIGNABLE = (CaseState.DRAFT, CaseState.RETURNED)


def _find(request: HttpRequest, public_id: UUID, regions: set[str]) -> WithdrawalApplication:
    seen = queries.applications_visible_to(request.user).filter(case__region__in=regions)
    return get_object_or_404(seen, case__public_id=public_id)


def mine(request: HttpRequest, public_id: UUID) -> WithdrawalApplication:
    """An application of the clerk's regions that is not about himself, or 404."""
    found = _find(request, public_id, regions_with_role(request.user, Role.CLERK))
    if serves_himself(request.user, *kinds.get(found.case.kind).parties(found.case)):
        raise Http404
    return found


def serves(serving: Opened | None, found: WithdrawalApplication) -> bool:
    """Whether the record of the holder is open: without that a case is read, not worked on."""
    return serving is not None and serving.member.pk == found.member.pk


def _open_first(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Open the record of the holder first, with a reason."))
    return redirect("counter:home")


@clerk
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A case at the window: who would get how much, the next step, the timeline, the papers."""
    found, serving = mine(request, public_id), desk.opened(request)
    if request.method != "POST":
        reason = serving.reason if serving and serves(serving, found) else found.case.number
        desk.look(request, found.member, f"case {found.case.number}", reason, action="read_case")
        return _case_page(request, found, serving)
    if not serves(serving, found):
        return _open_first(request)
    act = {"submit": withdrawal.submit, "withdraw": withdrawal.withdraw}.get(request.POST.get("do", ""))
    form = VersionForm(request.POST)
    if act is None or not form.is_valid():
        return _case_page(request, found, serving, problem=reasons.tell("stale"))

    def work() -> HttpResponse:
        try:
            act(application=found, by=request.user, at=clock.now(), version=form.cleaned_data["version"])
        except Refused as refused:
            newest = queries.applications_visible_to(request.user).get(pk=found.pk)
            return _case_page(request, newest, serving, problem=reasons.tell_refused(refused))
        return redirect("counter:case", public_id=public_id)

    return done_once(request, work)


def _run_of(request: HttpRequest, found: WithdrawalApplication) -> DryRun | None:
    """What it would come to today, while it is not decided."""
    if found.case.state not in states.OPEN:
        return None
    return withdrawal.dry_run(
        purse=queries.purse_of(found),
        kind=found.case.kind,
        reason=found.reason,
        since=found.since,
        by=request.user,
        at=clock.now(),
        except_case=found.case_id,
    )


def _case_page(
    request: HttpRequest,
    found: WithdrawalApplication,
    serving: Opened | None,
    *,
    problem: reasons.Told | None = None,
) -> HttpResponse:
    at_work = serves(serving, found)
    run = _run_of(request, found)
    verbs = states.verbs_for(found.case.state, states.CLERK)
    context = _about(request, found, run) | {
        "at_work": at_work,
        "plain": VersionForm(initial={"version": found.case.version}),
        "problem": problem,
        "has_errors": bool(problem),
        "verbs": verbs,
        "ask": sure_of(request, verbs),
        "signable": found.case.state in SIGNABLE,
        "materials": telling.materials(found.case.kind),
        "papers": PAPERS,
        "service": "closing",
    }
    if serving is not None and at_work:
        context |= opened_context(request, serving)
    return render(request, "counter/closing_case.html", context, status=422 if problem else 200)


def _about(request: HttpRequest, found: WithdrawalApplication, run: DryRun | None) -> dict[str, Any]:
    """What the window, the second check and the paper say alike."""
    return {
        "application": found,
        "case": found.case,
        "title": kinds.get(found.case.kind).title,
        "tag": case_telling.tag_of(found.case),
        "rows": telling.answers(found),
        "payees": telling.payee_rows(found, run.paid if run else None),
        "wallet": queries.out_of_wallet(found),
        "run": run,
        "findings": telling.findings(run.findings) if run else [],
        "events": case_telling.events(found.case, request.user),
        "region": found.case.region,
        "holder": masks.mask_name(found.member.name),
    }


@clerk
@require_http_methods(["GET", "HEAD", "POST"])
def form_paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The application form to be printed and signed: those who sign it check names and bank accounts, so they stand there
    in full, and that is recorded with everybody whose they are."""
    found, serving = mine(request, public_id), desk.opened(request)
    if serving is None or not serves(serving, found):
        return _open_first(request)
    if request.method != "POST" or found.case.state not in SIGNABLE:
        return redirect("counter:case", public_id=public_id)
    heirs = [payee.member for payee in found.payees.select_related("member") if payee.member]
    for person in dict.fromkeys([found.member, *heirs]):
        desk.look(request, person, f"case {found.case.number}", serving.reason, action="unmask")
    context = _about(request, found, None) | {
        "rows": telling.answers(found, in_full=True),
        "payees": telling.payee_rows(found, in_full=True),
        "today": clock.today(),
        "office": desk.office_of(request.user, found.case.region),
    }
    return render(request, "counter/closing_paper.html", context)


@clerk
@require_POST
def paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The receipt (80 mm or A4) or the proof as PDF; later prints are marked as copies."""
    found = mine(request, public_id)
    if not serves(desk.opened(request), found):
        return _open_first(request)

    def print_on(paper: str) -> bytes:
        if paper == "proof":
            return print_proof(application=found, by=request.user, at=clock.now())
        return print_receipt(application=found, paper=paper, by=request.user, at=clock.now())

    name = f"{request.POST.get('paper', '')}-{found.case.number}.pdf"
    return printed(request, print_on, name, redirect("counter:case", public_id=public_id), ("proof", *PAPERS))


@role_required(Role.SUPERVISOR)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Grant, return or refuse. Never one's own case: the page says why."""
    return check(request, public_id, CLOSING)


def _review_page(
    request: HttpRequest, found: WithdrawalApplication, form: DecisionForm, problem: Problem
) -> HttpResponse:
    concerned = kinds.get(found.case.kind).parties(found.case)
    run = None if serves_himself(request.user, *concerned) else _run_of(request, found)
    context = _about(request, found, run) | decision_context(request, found.case, concerned, form, problem)
    return render(request, "counter/closing_review.html", context, status=422 if context["has_errors"] else 200)


CLOSING = Check(
    find=_find,
    people=lambda found: (found.member,),
    page=_review_page,
    said={
        "approve": gettext_lazy("%(number)s is granted and the money is paid out."),
        "return": RETURNED,
        "refuse": gettext_lazy("%(number)s is refused."),
    },
)
