"""The window: open a member with a reason, see the record, numbers in full, close it, the day's journal, a statement."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit_texts, clock, lookups, masks, reasons
from accounts.decorators import role_required
from accounts.domain import id_number
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import AuditEvent, Member
from accounts.once import done_once, new_token
from accounts.policies import has_any_role, serves_himself
from accounts.queries import enrolment_on, find_member
from casework import telling as case_telling
from casework.enums import OPEN_STATES
from casework.models import CaseEvent
from casework.queries import about
from counter import desk, queries
from counter.desk import Opened, needs_opened
from counter.forms.window import OpenForm, PeriodForm
from counter.papers.receipts import PAPERS
from counter.policies import may_open
from documents import numbers
from family import queries as family
from family import telling
from family.models import SharingApplication
from settlements import ordering, periods
from settlements.actions import statements
from settlements.queries import member as read

clerk = role_required(Role.CLERK)
ONE_DAY = datetime.timedelta(days=1)
# Of what is finished, at first: what somebody comes back for is mostly among the latest.
CLOSED_SHOWN = 5
# Nothing brings a case back after one of these.
ENDING = ("withdraw", "decline")


@role_required(Role.CLERK, Role.SUPERVISOR)
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Where staff land: whom to open and why, whom one opened lately, the cases of today. Supervisors go to their queue."""
    if not has_any_role(request.user, Role.CLERK):
        return redirect("counter:queue")
    if "again" in request.POST:
        return done_once(request, lambda: _open_again(request))
    form = OpenForm(request.POST or None)
    if form.is_valid():
        return done_once(request, lambda: _open(request, form))
    return _home_page(request, form)


def _home_page(request: HttpRequest, form: OpenForm) -> HttpResponse:
    on = clock.today()
    context = {
        "form": form,
        "token": new_token(),
        "last": desk.last_opened(request),
        "serving": desk.opened(request),
        "rows": case_telling.rows(queries.cases_of(request.user, on), request.user),
        "today": on,
    }
    return render(request, "counter/home.html", context, status=422 if form.errors else 200)


def _open(request: HttpRequest, form: OpenForm) -> HttpResponse:
    number, reason, at = form.cleaned_data["number"], form.told_reason(), clock.now()
    try:
        lookups.count(request)
    except Refused as refused:
        form.add_error("number", str(reasons.tell_refused(refused)))
        return _home_page(request, form)
    is_id = len(number) == id_number.LENGTH
    found = find_member(id_number=number) if is_id else find_member(card_number=number)
    if found is None or not may_open(request.user, found):
        # One answer for both: who is insured elsewhere is not this window's affair. The try itself is recorded.
        desk.look(request, found, "search", reason, action="open_refused")
        told = _("Nobody with this number is served here. Check the number, or the place of insurance.")
        if found is not None and serves_himself(request.user, found.pk):
            told = str(reasons.tell("own_case"))
        form.add_error("number", told)
        return _home_page(request, form)
    desk.open_member(request, found, reason, at)
    return redirect("counter:member")


def _open_again(request: HttpRequest) -> HttpResponse:
    """One of those opened lately, for the same reason."""
    again = next(
        (row for row in desk.last_opened(request) if str(row["member"].public_id) == request.POST["again"]), None
    )
    if again is None or not may_open(request.user, again["member"]):
        messages.warning(request, _("State the reason and open it again."))
        return redirect("counter:home")
    desk.open_member(request, again["member"], again["reason"], clock.now())
    return redirect("counter:member")


@clerk
@needs_opened
@require_safe
def member(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The record that is open: insurance, balances, family, cases open and finished, and what is urgent."""
    desk.look(request, serving.member, "member", serving.reason)
    return render(request, "counter/member.html", member_context(request, serving))


@clerk
@needs_opened
@require_POST
def unmask(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The numbers in full, this once; that they were shown is recorded. The record's page; under HTMX the bar over the
    page one is on, so that a form that is half filled in stays."""
    desk.look(request, serving.member, "member", serving.reason, action="unmask")
    if request.htmx:
        return render(request, "counter/_opened.html", opened_context(request, serving) | {"in_full": True})
    return render(request, "counter/member.html", member_context(request, serving) | {"in_full": True})


@clerk
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close the record before its time."""
    desk.close(request)
    return redirect("counter:home")


def opened_context(request: HttpRequest, serving: Opened) -> dict[str, Any]:
    """The deep bar over every page about an opened record."""
    on = clock.today()
    account = read.account_of(serving.member, on)
    visible = account is not None and read.accounts_visible_to(request.user).filter(pk=account.pk).exists()
    return {
        "serving": serving,
        "enrolment": enrolment_on(serving.member, on),
        "account": account if visible else None,
        "balance": read.balance_of(account, on) if account and visible else None,
    }


def member_context(request: HttpRequest, serving: Opened) -> dict[str, Any]:
    on, person = clock.today(), serving.member
    given, held = list(family.whom_shares(person, on)), list(family.who_shares_with(person, on))
    used = ordering.used_this_year([*given, *held], on)
    seen = family.applications_visible_to(request.user)
    mine = (seen.filter(grantor=person) | seen.filter(beneficiary=person)).filter(case__state__in=OPEN_STATES)
    cases = about(request.user, person)
    closed = cases.exclude(state__in=OPEN_STATES).order_by("-closed_at", "-pk")
    shown = closed if request.GET.get("closed") == "all" else closed[:CLOSED_SHOWN]
    return opened_context(request, serving) | {
        "given": [
            _grant_row(grant, used[grant.pk], telling.term_of_beneficiary(grant), grant.beneficiary) for grant in given
        ],
        "held": [_grant_row(grant, used[grant.pk], telling.term_of_grantor(grant), grant.grantor) for grant in held],
        "cases": case_telling.rows(cases.filter(state__in=OPEN_STATES).order_by("-opened_at", "-pk"), request.user),
        "closed": case_telling.rows(shown, request.user),
        "closed_more": shown is not closed and closed.count() > CLOSED_SHOWN,
        "matters": _matters(person, list(mine)),
        "may_order": len(held) > 1,
        "service": "",
    }


def _grant_row(grant: Any, used: Decimal, term: str, other: Member) -> dict[str, Any]:
    return {
        "grant": grant,
        "term": term,
        "name": masks.mask_name(other.name),
        "small": " · ".join([telling.uses(grant), telling.room(grant, used)]),
        "used": used,
    }


def _matters(person: Member, applications: list[SharingApplication]) -> list[dict[str, str]]:
    """What the clerk should bring up: consent that is waited for, drafts, a missing telephone."""
    told = []
    for one in applications:
        if one.case.state == "consent" and one.beneficiary_id == person.pk:
            who = telling.named(telling.term_of_grantor(one), one.grantor)
            told.append({"css": "is-warm", "text": _("%(who)s waits for this person's consent") % {"who": who}})
        elif one.case.state == "draft" and one.grantor_id == person.pk:
            told.append(
                {
                    "css": "is-warn",
                    "text": _("Application %(case)s was begun and not submitted") % {"case": one.case.number},
                }
            )
        elif one.case.state == "returned" and one.grantor_id == person.pk:
            told.append(
                {
                    "css": "is-warn",
                    "text": _("Application %(case)s came back and waits to be changed") % {"case": one.case.number},
                }
            )
    if not person.phone:
        told.append({"css": "is-warn", "text": _("No telephone is registered")})
    if person.died_on:
        told.append({"css": "is-warn", "text": _("This person has died")})
    return told


@clerk
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def statement(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The statement of a period as PDF, printed here and now."""
    context = opened_context(request, serving)
    account = context["account"]
    if account is None:
        messages.warning(request, _("This person has no account in your region, so there is no statement."))
        return redirect("counter:member")
    on = clock.today()
    choices = {preset.code: preset for preset in periods.presets(account.region_id, on)}
    form = PeriodForm([(code, str(one.label)) for code, one in choices.items()], request.POST or None)
    if form.is_valid():
        chosen = choices[form.cleaned_data["period"]]
        try:
            document, pdf = statements.issue_statement(
                account=account, start=chosen.start, end=chosen.end, by=request.user, at=clock.now()
            )
        except Refused as refused:
            form.add_error(None, str(reasons.tell_refused(refused)))
        else:
            return pdf_response(pdf, f"statement-{document.number}.pdf")
    if request.method != "POST":
        desk.look(request, serving.member, "statement", serving.reason)
    context |= {"form": form, "service": "statement"}
    return render(request, "counter/statement.html", context, status=422 if form.errors else 200)


def sure_of(request: HttpRequest, verbs: list[str]) -> str:
    """The step that ends a case and is asked about first, where it is open: withdraw or decline. Empty: none."""
    asked = request.GET.get("ask", "") if request.method == "GET" else ""
    return asked if asked in ENDING and asked in verbs else ""


def pdf_response(pdf: bytes, name: str) -> HttpResponse:
    """A paper to be shown and printed by the browser."""
    return HttpResponse(
        pdf, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def printed(
    request: HttpRequest,
    print_on: Callable[[str], bytes],
    name: str,
    back: HttpResponseRedirect,
    papers: tuple[str, ...] = PAPERS,
) -> HttpResponse:
    """A paper of a case on what was asked for, the 80 mm roll or A4; `back` where it cannot be printed, with the reason."""
    paper = request.POST.get("paper", "")
    if paper not in papers:
        return back
    try:
        return pdf_response(print_on(paper), name)
    except Refused as refused:
        messages.error(request, str(reasons.tell_refused(refused)))
        return back


@clerk
@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    """What this clerk did and looked at on a day, with its totals; today unless an earlier day is asked for."""
    today = clock.today()
    on = _day_asked(request, today)
    acts, readings = list(queries.acts_of(request.user, on)), _readings(request, on)
    members = queries.members_by_id({line.member_id for line in [*acts, *readings] if line.member_id})
    sums = queries.sums_of(request.user, on, acts)
    context = {
        "on": on,
        "today": today,
        "before": on - ONE_DAY,
        "after": on + ONE_DAY if on < today else None,
        "sums": sums,
        "money": [{"what": audit_texts.tell(act), "count": n, "total": yuan} for act, (n, yuan) in sums.money.items()],
        "steps": _steps(list(queries.steps_of(request.user, on)), request),
        "acts": _lines(audit_texts.grouped(acts), members),
        "readings": _lines(audit_texts.grouped(readings), members),
    }
    return render(request, "counter/journal.html", context)


def _readings(request: HttpRequest, on: datetime.date) -> list[AuditEvent]:
    """What the clerk looked at. Whom a refused try was about is for the log: here it would tell who is insured elsewhere."""
    readings = list(queries.readings_of(request.user, on))
    for line in readings:
        if line.action == "open_refused":
            line.member_id = None
    return readings


def _day_asked(request: HttpRequest, today: datetime.date) -> datetime.date:
    """The day of the address; what is no day, or has not come yet, is today."""
    try:
        return min(datetime.date.fromisoformat(request.GET.get("day", "")), today)
    except ValueError:
        return today


def _lines(looks: list[audit_texts.Looks], members: dict[int, Member]) -> list[dict[str, Any]]:
    """Lines of the log with the person each is about, and the amount where money moved."""
    return [
        {
            "at": look.event.at,
            "what": look.what,
            "reason": look.reason,
            "name": masks.mask_name(members[look.event.member_id].name) if look.event.member_id in members else "",
            "amount": Decimal(look.event.details["amount"]) if "amount" in look.event.details else None,
            "number": numbers.grouped(number) if (number := _paper(look.event)) else "",
        }
        for look in looks
    ]


def _paper(event: AuditEvent) -> str:
    """The number of the paper that a line is about; empty for other lines."""
    kind, _space, number = event.target.partition(" ")
    return number if kind == "paper" else ""


def _steps(events: list[CaseEvent], request: HttpRequest) -> list[dict[str, Any]]:
    rows = case_telling.rows([event.case for event in events], request.user)
    return [
        {"event": event, "row": row, "told": case_telling.step_of(event)}
        for event, row in zip(events, rows, strict=True)
    ]
