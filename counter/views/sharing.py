"""Family sharing at the window, for the member whose record is open: bind, consent, receipt."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import clock, masks, reasons
from accounts.decorators import role_required
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.once import done_once
from accounts.policies import centre_of
from casework import kinds
from casework import telling as case_telling
from casework.domain import states
from casework.enums import CaseState
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.window import AmendForm, BindForm, ConsentCodeForm, PaperConsentForm
from counter.papers.receipts import PAPERS, print_receipt
from counter.policies import may_work_on
from counter.views.desk import opened_context, printed, sure_of
from family import queries, telling
from family.actions import invitations, sharing
from family.enums import SHARING
from family.forms import PaperSignForm, VersionForm, initial_terms
from family.models import SharingApplication

clerk = role_required(Role.CLERK)
WINDOW = Channel.WINDOW
SIGNABLE = (CaseState.DRAFT, CaseState.RETURNED)


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def bind(request: HttpRequest, serving: Opened) -> HttpResponse:
    """Everything on one page; sent, the dry run answers, and what passes it becomes a draft."""
    on = clock.today()
    region = queries.region_of(serving.member, on)
    rules = queries.rules_on(region, on) if region else None
    form = BindForm(rules, on, request.POST or None)
    if form.is_valid():
        return done_once(request, lambda: _begin(request, serving, form))
    if request.method != "POST":
        desk.look(request, serving.member, "bind", serving.reason)
    return _bind_page(request, serving, form, [])


def _bind_page(request: HttpRequest, serving: Opened, form: BindForm, findings: list[reasons.Told]) -> HttpResponse:
    context = opened_context(request, serving)
    context |= {"form": form, "findings": findings, "service": "bind", "has_errors": bool(form.errors or findings)}
    context |= {"kind": SHARING, "materials": kinds.get(SHARING).materials}
    return render(request, "counter/bind.html", context, status=422 if context["has_errors"] else 200)


def _begin(request: HttpRequest, serving: Opened, form: BindForm) -> HttpResponse:
    data, at = form.cleaned_data, clock.now()
    try:
        relative = sharing.find_relative(name=data["name"], id_number=data["id_number"])
        asked = {
            "grantor": serving.member,
            "beneficiary": relative,
            "relation": data["relation"],
            "by": request.user,
            "at": at,
            "terms": form.terms,
            "channel": WINDOW,
        }
        found = sharing.dry_run(**asked).findings
        if telling.tell_at_relation(form, found):
            return _bind_page(request, serving, form, [])
        if found:
            return _bind_page(request, serving, form, telling.findings(found))
        application = _draft(request, asked, data["agent_name"] or "")
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
        return _bind_page(request, serving, form, [])
    except PermissionDenied:
        # Insured elsewhere now: the record may be read here, but not worked on.
        form.add_error(None, str(reasons.tell("not_permitted")))
        return _bind_page(request, serving, form, [])
    return redirect("counter:case", public_id=application.case.public_id)


def _draft(request: HttpRequest, asked: dict[str, Any], agent_name: str) -> SharingApplication:
    """A draft of what is asked; one that is there for the same two is changed to it, so that there are never two."""
    region = queries.region_of(asked["grantor"], clock.today())
    begun = queries.draft_between(asked["grantor"], asked["beneficiary"], region)
    if begun is None:
        return sharing.draft(**asked, centre=centre_of(request.user, region or ""), agent_name=agent_name)
    changed = {name: asked[name] for name in ("by", "at", "relation", "terms", "channel")}
    application = sharing.amend(application=begun, agent_name=agent_name, **changed)
    messages.info(request, _("A draft for this relative was there already. It now says what you entered."))
    return application


def mine(request: HttpRequest, public_id: UUID) -> SharingApplication:
    """An application of the clerk's regions, or 404."""
    found = get_object_or_404(queries.applications_visible_to(request.user), case__public_id=public_id)
    if not may_work_on(request.user, found):
        return get_object_or_404(SharingApplication.objects.none())
    return found


def serves(serving: Opened | None, application: SharingApplication) -> bool:
    """Whether the record of one of the two is open: without that a case is read, not worked on."""
    return serving is not None and serving.member.pk in (application.grantor_id, application.beneficiary_id)


def _open_first(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Open the record of one of the two first, with a reason."))
    return redirect("counter:home")


@clerk
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A case at the window: its next step, what to read aloud, the timeline, the receipt."""
    found = mine(request, public_id)
    serving = desk.opened(request)
    if request.method != "POST":
        for person in (found.grantor, found.beneficiary):
            reason = serving.reason if serving and serves(serving, found) else found.case.number
            desk.look(request, person, f"case {found.case.number}", reason, action="read_case")
        return _case_page(request, found, serving)
    if not serves(serving, found):
        return _open_first(request)
    act = ACTS.get(request.POST.get("do", ""))
    if act is None:
        return _case_page(request, found, serving, problem=reasons.tell("not_in_this_state"))
    return act(request, found, serving)


def _case_page(
    request: HttpRequest,
    found: SharingApplication,
    serving: Opened | None,
    *,
    sign: PaperSignForm | None = None,
    code: ConsentCodeForm | None = None,
    paper: PaperConsentForm | None = None,
    problem: reasons.Told | None = None,
) -> HttpResponse:
    on = clock.today()
    state = found.case.state
    at_work = serves(serving, found)
    findings, _facts, rules = queries.findings_on(found, on) if state in SIGNABLE else ([], None, None)
    commitment = found.commitment or queries.commitment_on(on)
    fresh = {"version": found.case.version, "commitment": commitment}
    bad = bool(problem or any(form and form.errors for form in (sign, code, paper)))
    verbs = states.verbs_for(state, states.CLERK)
    context = {
        "application": found,
        "case": found.case,
        "at_work": at_work,
        "tag": case_telling.tag_of(found.case),
        "grantor_name": masks.mask_name(found.grantor.name),
        "beneficiary_name": telling.named(telling.term_of_beneficiary(found), found.beneficiary),
        "term": telling.term_of_beneficiary(found),
        "grantor_term": telling.term_of_grantor(found),
        "uses": telling.uses(found),
        "limit": telling.limit(found.limit),
        "until": telling.until(found.ends_on),
        "findings": telling.findings(findings),
        "commitment": commitment,
        "sign": sign or PaperSignForm(initial=fresh),
        "code": code or ConsentCodeForm(initial=fresh),
        "paper": paper or PaperConsentForm(initial=fresh),
        "plain": VersionForm(initial=fresh),
        "phone": sharing_phone(found),
        "problem": problem,
        "has_errors": bad,
        "events": case_telling.events(found.case, request.user, telling.waits_until(found)),
        "verbs": verbs,
        "ask": sure_of(request, verbs),
        "grant": getattr(found, "grant", None),
        "papers": PAPERS,
        "region": found.case.region,
        "service": "bind",
    }
    if serving is not None and at_work:
        context |= opened_context(request, serving)
    return render(request, "counter/case.html", context, status=422 if bad else 200)


def sharing_phone(found: SharingApplication) -> str:
    """Where a code for the relative would go, masked; empty if no telephone is known."""
    user = getattr(found.beneficiary, "user", None)
    phone = user.phone if user is not None and user.phone_verified else found.beneficiary.phone
    return masks.mask_phone(phone) if phone else ""


def _again(request: HttpRequest, found: SharingApplication, serving: Opened | None, refused: Refused) -> HttpResponse:
    """The page as the case is now, with what was in the way."""
    newest = queries.applications_visible_to(request.user).get(pk=found.pk)
    return _case_page(request, newest, serving, problem=reasons.tell_refused(refused))


def _submit(request: HttpRequest, found: SharingApplication, serving: Opened | None) -> HttpResponse:
    form = PaperSignForm(request.POST)
    if not form.is_valid():
        return _case_page(request, found, serving, sign=form)

    def work() -> HttpResponse:
        try:
            sharing.submit(
                application=found,
                by=request.user,
                at=clock.now(),
                commitment=form.cleaned_data["commitment"],
                channel=WINDOW,
                version=form.cleaned_data["version"],
            )
        except Refused as refused:
            return _again(request, found, serving, refused)
        return redirect("counter:case", public_id=found.case.public_id)

    return done_once(request, work)


def _send_code(request: HttpRequest, found: SharingApplication, serving: Opened | None) -> HttpResponse:
    def work() -> HttpResponse:
        try:
            invitations.send_code(application=found, by=request.user, at=clock.now())
        except Refused as refused:
            return _again(request, found, serving, refused)
        messages.success(request, _("The code was sent to %(phone)s.") % {"phone": sharing_phone(found)})
        return redirect("counter:case", public_id=found.case.public_id)

    return done_once(request, work)


def _agree(request: HttpRequest, found: SharingApplication, serving: Opened | None) -> HttpResponse:
    form = ConsentCodeForm(request.POST)
    if not form.is_valid():
        return _case_page(request, found, serving, code=form)

    def work() -> HttpResponse:
        try:
            invitations.consent(
                application=found,
                by=request.user,
                at=clock.now(),
                channel=WINDOW,
                code=form.cleaned_data["code"],
                version=form.cleaned_data["version"],
            )
        except Refused as refused:
            if refused.code.startswith("code_"):
                form.add_error("code", str(reasons.tell_refused(refused)))
                return _case_page(request, found, serving, code=form)
            return _again(request, found, serving, refused)
        return redirect("counter:case", public_id=found.case.public_id)

    return done_once(request, work)


def _with_version(request: HttpRequest, found: SharingApplication, serving: Opened | None, act: Any) -> HttpResponse:
    form = VersionForm(request.POST)
    if not form.is_valid():
        return _case_page(request, found, serving, problem=reasons.tell("stale"))

    def work() -> HttpResponse:
        try:
            act(
                application=found,
                by=request.user,
                at=clock.now(),
                channel=WINDOW,
                version=form.cleaned_data["version"],
            )
        except Refused as refused:
            return _again(request, found, serving, refused)
        return redirect("counter:case", public_id=found.case.public_id)

    return done_once(request, work)


def _agree_on_paper(request: HttpRequest, found: SharingApplication, serving: Opened | None) -> HttpResponse:
    form = PaperConsentForm(request.POST)
    if not form.is_valid():
        return _case_page(request, found, serving, paper=form)
    return _with_version(request, found, serving, invitations.consent)


def _decline(request: HttpRequest, found: SharingApplication, serving: Opened | None) -> HttpResponse:
    return _with_version(request, found, serving, invitations.decline)


def _withdraw(request: HttpRequest, found: SharingApplication, serving: Opened | None) -> HttpResponse:
    return _with_version(request, found, serving, sharing.withdraw)


ACTS = {
    "submit": _submit,
    "send_code": _send_code,
    "agree": _agree,
    "paper": _agree_on_paper,
    "decline": _decline,
    "withdraw": _withdraw,
}


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """Change relation and terms of a case of the opened member; it must then be signed and submitted again."""
    found = mine(request, public_id)
    if found.grantor_id != serving.member.pk or "amend" not in states.verbs_for(found.case.state, states.CLERK):
        return redirect("counter:case", public_id=public_id)
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
                channel=WINDOW,
                version=form.cleaned_data["version"],
            )
        except Refused as refused:
            form.add_error(None, str(reasons.tell_refused(refused)))
            return page()
        return redirect("counter:case", public_id=public_id)

    def page() -> HttpResponse:
        context = opened_context(request, serving) | {"form": form, "case": found.case, "service": "bind"}
        return render(request, "counter/amend.html", context, status=422 if form.errors else 200)

    if request.method != "POST":
        desk.look(request, serving.member, f"case {found.case.number}", serving.reason, action="read_case")
    return done_once(request, work) if form.is_valid() else page()


@clerk
@require_http_methods(["GET", "HEAD", "POST"])
def commitment(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The commitment to be printed and signed: whoever promises and agrees is named in full, and that is recorded with
    both."""
    found, serving = mine(request, public_id), desk.opened(request)
    if serving is None or not serves(serving, found):
        return _open_first(request)
    if request.method != "POST":
        return redirect("counter:case", public_id=public_id)
    for person in (found.grantor, found.beneficiary):
        desk.look(request, person, f"case {found.case.number}", serving.reason, action="unmask")
    context = {
        "application": found,
        "case": found.case,
        "commitment": found.commitment or queries.commitment_on(clock.today()),
        "rows": telling.answers(found, in_full=True),
        "today": clock.today(),
        "office": desk.office_of(request.user, found.case.region),
        "relative": telling.named(telling.term_of_beneficiary(found), found.beneficiary, in_full=True),
        "uses": telling.uses(found),
        "limit": telling.limit(found.limit),
        "asks": found.case.state == CaseState.CONSENT,
    }
    return render(request, "counter/commitment.html", context)


@clerk
@require_POST
def receipt(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The receipt as PDF, on the 80 mm roll or A4; later prints are marked as copies."""
    found = mine(request, public_id)
    if not serves(desk.opened(request), found):
        return _open_first(request)

    def print_on(paper: str) -> bytes:
        return print_receipt(application=found, by=request.user, at=clock.now(), paper=paper)

    return printed(request, print_on, f"receipt-{found.case.number}.pdf", redirect("counter:case", public_id=public_id))
