"""Writing down at the window how an account is closed and who gets its money: choose what, the checks first, the form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, reasons
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Member
from accounts.money import ZERO
from accounts.once import done_once
from accounts.policies import centre_of
from casework import kinds
from casework.domain import states
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.closing import MOST_HEIRS, PREFIX, ClosingForm, Heirs, changed_rows, initial_closing, initial_heirs
from counter.views.closing import mine
from counter.views.desk import opened_context
from family.domain.check import Finding
from family.forms import VersionForm
from settlements.actions import withdrawal
from settlements.actions.payees import PayeeAsked
from settlements.actions.withdrawal import DryRun
from settlements.domain.withdrawal import INHERITANCE, KINDS, leaving
from settlements.enums import AccountStatus, PayeeWay
from settlements.models import PersonalAccount, Wallet, WithdrawalApplication
from settlements.queries import withdrawal as queries
from settlements.queries.withdrawal import Purse
from settlements.telling import closing as telling

clerk = role_required(Role.CLERK)


@clerk
@needs_opened
@require_safe
def choose(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The three ways an account is closed, each with whether it would succeed today, before any paper is asked for."""
    desk.look(request, serving.member, "closing", serving.reason)
    context = opened_context(request, serving)
    context |= {"ways": _ways(request, serving.member, context["account"]), "service": "closing"}
    return render(request, "counter/closing_choose.html", context)


def _ways(request: HttpRequest, member: Member, account: PersonalAccount | None) -> list[dict[str, Any]]:
    ways = []
    for kind in KINDS:
        purse = queries.purse_for(member, kind, account)
        if purse is None:
            continue
        rule = queries.rule_on(purse.region_id, clock.today())
        reasons_of = rule.reasons_of(kind) if rule else ()
        run = _dry_run(request, purse, kind, reasons_of[0] if reasons_of else "")
        ways.append(
            {
                "kind": kind,
                "title": kinds.get(kind).title,
                "findings": telling.findings(run.findings),
                "run": run,
                "wallet": isinstance(purse, Wallet),
                "form": _may_be_written(purse),
            }
        )
    return ways


def _may_be_written(purse: Purse) -> bool:
    """Whether there is a form for it, though today something may stand against it."""
    if isinstance(purse, Wallet):
        return not queries.has_open_account(purse.member_id) and not queries.was_inherited(purse.member_id)
    return purse.status == AccountStatus.OPEN


def _dry_run(request: HttpRequest, purse: Purse, kind: str, reason: str) -> DryRun:
    """As of today; an inheritance from the day of the register, if it knows one."""
    on = clock.today()
    died_on = purse.member.died_on
    try:
        return withdrawal.dry_run(
            purse=purse,
            kind=kind,
            reason=reason,
            since=died_on if kind == INHERITANCE and died_on else on,
            by=request.user,
            at=clock.now(),
        )
    except PermissionDenied:
        return DryRun(findings=[Finding("not_permitted", {})], going=leaving(ZERO, ZERO, ZERO))


@dataclass(frozen=True)
class Sheet:
    """An application as it is being written.

    `found` is the one that is changed, None for a new one; `keep` writes it down: what is asked, the payees, the agent.
    """

    request: HttpRequest
    serving: Opened
    kind: str
    purse: Purse
    found: WithdrawalApplication | None
    keep: Callable[[dict[str, Any], list[PayeeAsked], str], WithdrawalApplication]

    @property
    def inherits(self) -> bool:
        return self.kind == INHERITANCE

    @property
    def no_heir(self) -> bool:
        """As ticked, or as it was written down before."""
        if self.request.method == "POST":
            return self.inherits and "no_heir" in self.request.POST
        return self.found is not None and self.found.payees.filter(way=PayeeWay.FUND).exists()


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, serving: Opened, kind: str) -> HttpResponse:
    """Everything on one page; sent, the dry run answers, and what passes it becomes a draft."""
    if kind not in KINDS:
        raise Http404
    purse = queries.purse_for(serving.member, kind, opened_context(request, serving)["account"])
    if purse is None or not _may_be_written(purse):
        return redirect("counter:closing")
    if request.method != "POST":
        desk.look(request, serving.member, "closing", serving.reason)

    def keep(asked: dict[str, Any], payees: list[PayeeAsked], agent_name: str) -> WithdrawalApplication:
        return withdrawal.draft(
            **asked,
            purse=purse,
            kind=kind,
            payees=payees,
            centre=centre_of(request.user, purse.region_id),
            agent_name=agent_name,
        )

    return _write(Sheet(request, serving, kind, purse, None, keep))


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """Change what is asked; it must then be submitted again."""
    found = mine(request, public_id)
    if found.member.pk != serving.member.pk or "amend" not in states.verbs_for(found.case.state, states.CLERK):
        return redirect("counter:case", public_id=public_id)
    if request.method != "POST":
        desk.look(request, serving.member, f"case {found.case.number}", serving.reason, action="read_case")

    def keep(asked: dict[str, Any], payees: list[PayeeAsked], agent_name: str) -> WithdrawalApplication:
        form = VersionForm(request.POST)
        version = form.cleaned_data["version"] if form.is_valid() else -1
        return withdrawal.amend(**asked, application=found, payees=payees, agent_name=agent_name, version=version)

    return _write(Sheet(request, serving, found.case.kind, queries.purse_of(found), found, keep))


def _write(sheet: Sheet) -> HttpResponse:
    """The form of a new or a changed application: rows of heirs come and go, what is whole is checked and kept."""
    form, heirs, only_rows = _forms(sheet)
    if sheet.request.method != "POST" or only_rows:
        return _page(sheet, form, heirs)
    whole = form.is_valid()
    if sheet.inherits and not sheet.no_heir:
        whole = heirs.is_valid() and whole
    if not whole:
        return _page(sheet, form, heirs)
    return done_once(sheet.request, lambda: _keep(sheet, form, heirs))


def _forms(sheet: Sheet) -> tuple[ClosingForm, Any, bool]:
    """The form and the rows as sent; `True` where only the rows were changed."""
    request, found, purse = sheet.request, sheet.found, sheet.purse
    rule = queries.rule_on(purse.region_id, clock.today())
    offered = rule.reasons_of(sheet.kind) if rule else ()
    if request.method != "POST":
        initial = initial_closing(found) if found else {}
        if not found and sheet.inherits:
            initial["since"] = purse.member.died_on
        heirs = Heirs(prefix=PREFIX, initial=initial_heirs(found) if found else [{"percent": "100"}])
        return ClosingForm(sheet.kind, offered, purse, initial=initial), heirs, False
    do = request.POST.get("do", "")
    drop = {f"drop-{at}": at for at in range(MOST_HEIRS)}.get(do)
    data = changed_rows(request.POST, add=do == "add", drop=drop)
    form, heirs = ClosingForm(sheet.kind, offered, purse, data), Heirs(data, prefix=PREFIX)
    only_rows = do == "add" or drop is not None
    if only_rows:
        form._errors = {}
        heirs.say_nothing()
    return form, heirs, only_rows


def _keep(sheet: Sheet, form: ClosingForm, heirs: Any) -> HttpResponse:
    data, found = form.cleaned_data, sheet.found
    asked = {"reason": data["reason"], "since": data["since"], "by": sheet.request.user, "at": clock.now()}
    if sheet.no_heir:
        payees = [PayeeAsked(way=PayeeWay.FUND, name=_("pooled fund"))]
    elif sheet.inherits:
        payees = [row.asked() for row in heirs.forms]
    else:
        payees = form.payees()
    try:
        run = withdrawal.dry_run(
            **asked, purse=sheet.purse, kind=sheet.kind, except_case=found.case_id if found else None
        )
        if run.findings:
            return _page(sheet, form, heirs, run.findings)
        application = sheet.keep(asked, payees, data["agent_name"] or "")
    except Refused as refused:
        form.add_error(None, str(reasons.tell_refused(refused)))
    except PermissionDenied:
        # Insured elsewhere now: the record may be read here, but not worked on.
        form.add_error(None, str(reasons.tell("not_permitted")))
    else:
        return redirect("counter:case", public_id=application.case.public_id)
    return _page(sheet, form, heirs)


def _page(sheet: Sheet, form: ClosingForm, heirs: Any, findings: Sequence[Finding] = ()) -> HttpResponse:
    bad = bool(findings or form.errors or (sheet.inherits and heirs.is_bound and any(heirs.errors)))
    context = opened_context(sheet.request, sheet.serving) | {
        "kind": sheet.kind,
        "title": kinds.get(sheet.kind).title,
        "form": form,
        "heirs": heirs if sheet.inherits else None,
        "no_heir": sheet.no_heir,
        "findings": telling.findings(findings),
        "materials": telling.materials(sheet.kind),
        "case": sheet.found.case if sheet.found else None,
        "wallet": isinstance(sheet.purse, Wallet),
        "service": "closing",
        "has_errors": bad,
    }
    return render(sheet.request, "counter/closing_form.html", context, status=422 if bad else 200)
