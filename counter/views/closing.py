"""Closing an account at the window: choose what, the checks first, the form, the case, its papers, the second check."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import clock, masks, reasons
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.money import ZERO
from accounts.once import done_once
from accounts.policies import centre_of, regions_with_role, serves_himself
from casework import kinds
from casework import telling as case_telling
from casework.domain import states
from casework.enums import CaseState
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.closing import PREFIX, ClosingForm, Heirs, changed_rows, initial_closing, initial_heirs
from counter.forms.window import DecisionForm
from counter.papers.closing import print_proof, print_receipt
from counter.papers.receipts import PAPERS
from counter.views.checking import RETURNED, Check, Problem, check, decision_context
from counter.views.desk import opened_context, pdf_response, sure_of
from family.domain.check import Finding
from family.forms import VersionForm
from settlements.actions import withdrawal
from settlements.actions.withdrawal import DryRun, PayeeAsked
from settlements.domain.withdrawal import INHERITANCE, KINDS, WithdrawalRule, leaving
from settlements.enums import AccountStatus, PayeeWay
from settlements.models import PersonalAccount, WithdrawalApplication
from settlements.queries import withdrawal as queries
from settlements.telling import closing as telling

clerk = role_required(Role.CLERK)
SIGNABLE = (CaseState.DRAFT, CaseState.RETURNED)
VERDICTS = {
    "approve": withdrawal.review_approve,
    "return": withdrawal.review_return,
    "refuse": withdrawal.review_refuse,
}


@clerk
@needs_opened
@require_safe
def choose(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The three ways an account is closed, each with whether it would succeed today, before any paper is asked for."""
    desk.look(request, serving.member, "closing", serving.reason)
    context = opened_context(request, serving)
    account = context["account"]
    context |= {"ways": _ways(request, account) if account else [], "service": "closing"}
    return render(request, "counter/closing_choose.html", context)


def _ways(request: HttpRequest, account: PersonalAccount) -> list[dict[str, Any]]:
    rule = queries.rule_on(account.region_id, clock.today())
    ways = []
    for kind in KINDS:
        reasons_of = rule.reasons_of(kind) if rule else ()
        run = _dry_run(request, account, kind, reasons_of[0] if reasons_of else "")
        ways.append(
            {"kind": kind, "title": kinds.get(kind).title, "findings": telling.findings(run.findings), "run": run}
        )
    return ways


def _dry_run(request: HttpRequest, account: PersonalAccount, kind: str, reason: str) -> DryRun:
    """As of today; an inheritance from the day of the register, if it knows one."""
    on = clock.today()
    died_on = account.member.died_on
    try:
        return withdrawal.dry_run(
            account=account,
            kind=kind,
            reason=reason,
            since=died_on if kind == INHERITANCE and died_on else on,
            by=request.user,
            at=clock.now(),
        )
    except PermissionDenied:
        return DryRun(findings=[Finding("not_permitted", {})], going=leaving(ZERO, ZERO, ZERO))


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, serving: Opened, kind: str) -> HttpResponse:
    """Everything on one page; sent, the dry run answers, and what passes it becomes a draft."""
    if kind not in KINDS:
        raise Http404
    account = opened_context(request, serving)["account"]
    if account is None or account.status != AccountStatus.OPEN:
        return redirect("counter:closing")
    if request.method != "POST":
        desk.look(request, serving.member, "closing", serving.reason)

    def keep(asked: dict[str, Any], payees: list[PayeeAsked], agent_name: str) -> WithdrawalApplication:
        return withdrawal.draft(
            **asked,
            account=account,
            kind=kind,
            payees=payees,
            centre=centre_of(request.user, account.region_id),
            agent_name=agent_name,
        )

    return _form_page(request, serving, kind, account, None, keep)


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """Change what is asked; it must then be submitted again."""
    found = mine(request, public_id)
    if found.account.member_id != serving.member.pk or "amend" not in states.verbs_for(found.case.state, states.CLERK):
        return redirect("counter:case", public_id=public_id)
    if request.method != "POST":
        desk.look(request, serving.member, f"case {found.case.number}", serving.reason, action="read_case")

    def keep(asked: dict[str, Any], payees: list[PayeeAsked], agent_name: str) -> WithdrawalApplication:
        form = VersionForm(request.POST)
        version = form.cleaned_data["version"] if form.is_valid() else -1
        return withdrawal.amend(**asked, application=found, payees=payees, agent_name=agent_name, version=version)

    return _form_page(request, serving, found.case.kind, found.account, found, keep)


def _form_page(
    request: HttpRequest,
    serving: Opened,
    kind: str,
    account: PersonalAccount,
    found: WithdrawalApplication | None,
    keep: Any,
) -> HttpResponse:
    """The form of a new or a changed application: rows of heirs come and go, what is whole is checked and kept."""
    rule = queries.rule_on(account.region_id, clock.today())
    form, heirs, asked_rows = _forms(request, kind, account, rule, found)
    if request.method != "POST" or asked_rows:
        return _render_form(request, serving, kind, account, found, form, heirs, [])
    no_heir = kind == INHERITANCE and "no_heir" in request.POST
    whole = form.is_valid()
    if kind == INHERITANCE and not no_heir:
        whole = heirs.is_valid() and whole
    if not whole:
        return _render_form(request, serving, kind, account, found, form, heirs, [])
    return done_once(request, lambda: _keep(request, serving, kind, account, found, form, heirs, no_heir, keep))


def _forms(
    request: HttpRequest, kind: str, account: PersonalAccount, rule: WithdrawalRule | None, found: Any
) -> tuple[ClosingForm, Any, bool]:
    """The form and the rows as sent; `True` where only the rows were changed."""
    offered = rule.reasons_of(kind) if rule else ()
    do = request.POST.get("do", "")
    if request.method != "POST":
        initial = initial_closing(found) if found else {}
        if not found and kind == INHERITANCE:
            initial["since"] = account.member.died_on
        heirs = Heirs(prefix=PREFIX, initial=initial_heirs(found) if found else [{"percent": "100"}])
        return ClosingForm(kind, offered, account, initial=initial), heirs, False
    drop = int(do.removeprefix("drop-")) if do.startswith("drop-") and do[5:].isdigit() else None
    data = changed_rows(request.POST, add=do == "add", drop=drop)
    form, heirs = ClosingForm(kind, offered, account, data), Heirs(data, prefix=PREFIX)
    if do == "add" or drop is not None:
        form._errors = {}
        heirs.say_nothing()
        return form, heirs, True
    return form, heirs, False


def _keep(
    request: HttpRequest,
    serving: Opened,
    kind: str,
    account: PersonalAccount,
    found: WithdrawalApplication | None,
    form: ClosingForm,
    heirs: Any,
    no_heir: bool,
    keep: Any,
) -> HttpResponse:
    data, at = form.cleaned_data, clock.now()
    asked = {"reason": data["reason"], "since": data["since"], "by": request.user, "at": at}
    if no_heir:
        payees = [PayeeAsked(way=PayeeWay.FUND, name=_("pooled fund"))]
    elif kind == INHERITANCE:
        payees = [row.asked() for row in heirs.forms]
    else:
        payees = form.payees()
    try:
        run = withdrawal.dry_run(**asked, account=account, kind=kind, except_case=found.case_id if found else None)
        if run.findings:
            return _render_form(request, serving, kind, account, found, form, heirs, run.findings)
        application = keep(asked, payees, data["agent_name"] or "")
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _render_form(request, serving, kind, account, found, form, heirs, [])
    except PermissionDenied:
        # Insured elsewhere now: the record may be read here, but not worked on.
        form.add_error(None, str(reasons.tell("not_permitted")))
        return _render_form(request, serving, kind, account, found, form, heirs, [])
    return redirect("counter:case", public_id=application.case.public_id)


def _render_form(
    request: HttpRequest,
    serving: Opened,
    kind: str,
    account: PersonalAccount,
    found: WithdrawalApplication | None,
    form: ClosingForm,
    heirs: Any,
    findings: list[Finding],
) -> HttpResponse:
    bad = bool(findings or form.errors or (kind == INHERITANCE and heirs.is_bound and any(heirs.errors)))
    context = opened_context(request, serving) | {
        "kind": kind,
        "title": kinds.get(kind).title,
        "form": form,
        "heirs": heirs if kind == INHERITANCE else None,
        "no_heir": "no_heir" in request.POST
        or bool(found and found.payees.filter(way=PayeeWay.FUND).exists() and request.method != "POST"),
        "findings": telling.findings(findings),
        "materials": telling.materials(kind),
        "case": found.case if found else None,
        "service": "closing",
        "has_errors": bad,
    }
    return render(request, "counter/closing_form.html", context, status=422 if bad else 200)


def mine(request: HttpRequest, public_id: UUID) -> WithdrawalApplication:
    """An application of the clerk's regions that is not about himself, or 404."""
    seen = queries.applications_visible_to(request.user).filter(
        case__region__in=regions_with_role(request.user, Role.CLERK)
    )
    found = get_object_or_404(seen, case__public_id=public_id)
    if serves_himself(request.user, *kinds.get(found.case.kind).parties(found.case)):
        raise Http404
    return found


def serves(serving: Opened | None, found: WithdrawalApplication) -> bool:
    """Whether the record of the account's holder is open: without that a case is read, not worked on."""
    return serving is not None and serving.member.pk == found.account.member_id


def _open_first(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Open the record of the account's holder first, with a reason."))
    return redirect("counter:home")


@clerk
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A case at the window: who would get how much, the next step, the timeline, the papers."""
    found, serving = mine(request, public_id), desk.opened(request)
    if request.method != "POST":
        reason = serving.reason if serving and serves(serving, found) else found.case.number
        desk.look(request, found.account.member, f"case {found.case.number}", reason, action="read_case")
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
        account=found.account,
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
        "payees": telling.payee_rows(found, run.going.paid if run else None),
        "run": run,
        "findings": telling.findings(run.findings) if run else [],
        "events": case_telling.events(found.case, request.user),
        "region": found.case.region,
        "holder": masks.mask_name(found.account.member.name),
    }


@clerk
@require_safe
def form_paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The application form to be printed and signed."""
    found = mine(request, public_id)
    desk.look(request, found.account.member, f"case {found.case.number}", found.case.number, action="read_case")
    context = _about(request, found, None) | {
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
    wanted = request.POST.get("paper", "")
    try:
        if wanted == "proof":
            pdf = print_proof(application=found, by=request.user, at=clock.now())
        elif wanted in PAPERS:
            pdf = print_receipt(application=found, paper=wanted, by=request.user, at=clock.now())
        else:
            return redirect("counter:case", public_id=public_id)
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
        return redirect("counter:case", public_id=public_id)
    return pdf_response(pdf, f"{wanted}-{found.case.number}.pdf")


@role_required(Role.SUPERVISOR)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Grant, return or refuse. Never one's own case: the page says why."""
    return check(request, public_id, CLOSING)


def _find(request: HttpRequest, public_id: UUID, regions: set[str]) -> WithdrawalApplication:
    seen = queries.applications_visible_to(request.user).filter(case__region__in=regions)
    return get_object_or_404(seen, case__public_id=public_id)


def _review_page(
    request: HttpRequest, found: WithdrawalApplication, form: DecisionForm, problem: Problem
) -> HttpResponse:
    concerned = kinds.get(found.case.kind).parties(found.case)
    run = None if serves_himself(request.user, *concerned) else _run_of(request, found)
    context = _about(request, found, run) | decision_context(request, found.case, concerned, form, problem)
    return render(request, "counter/closing_review.html", context, status=422 if context["has_errors"] else 200)


CLOSING = Check(
    find=_find,
    people=lambda found: (found.account.member,),
    page=_review_page,
    decide=lambda found, verdict, **asked: VERDICTS[verdict](application=found, **asked),
    said={
        "approve": gettext_lazy("%(number)s is granted: the money is paid out and the account is closed."),
        "return": RETURNED,
        "refuse": gettext_lazy("%(number)s is refused."),
    },
)
