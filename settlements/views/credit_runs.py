"""Pages of crediting runs: how far one is, pause and resume, and planning and releasing a clearing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseStopPolling

from accounts import clock, dates, reasons
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Region, User
from accounts.naming import in_house
from accounts.policies import regions_with_role
from settlements import tasks
from settlements.actions import clearing, credit_runs
from settlements.enums import CreditKind, CreditState
from settlements.forms.crediting import ClearingForm
from settlements.models import CreditRun
from settlements.policies import may_credit
from settlements.queries.crediting import Progress, left_out, progress, runs_visible_to
from settlements.queries.parameters import credit_rule_on

# Why something was not credited, and the key of the rule in the region's file that says so.
LEFT_TEXTS = {
    "standing": (gettext_lazy("The month stands credited already, and a month is credited once."), ""),
    "year": (gettext_lazy("The month is covered by the credit of the whole year."), "every"),
    "arrears": (
        gettext_lazy("For a month of an earlier year that is paid late the region credits nothing."),
        "arrears",
    ),
    "closed": (gettext_lazy("The account is closed."), ""),
    "unknown": (gettext_lazy("No source tells what somebody of this status is credited."), "retired_amount"),
    "meanwhile": (gettext_lazy("Left the insurance, or was credited, since the run was planned."), ""),
}
DETAIL = "admin:settlements_creditrun_change"


@dataclass(frozen=True)
class Verb:
    """A button: what it does, when there is one, and what is said before it is pressed."""

    do: Callable[..., CreditRun]
    state: str
    button: Promise
    question: Promise
    rings: bool = False


VERBS = {
    "release": Verb(
        credit_runs.release,
        CreditState.PLANNED,
        gettext_lazy("Release"),
        gettext_lazy("What is short is topped up, what is over goes back or is owed. This cannot be taken back."),
        rings=True,
    ),
    "cancel": Verb(
        credit_runs.cancel,
        CreditState.PLANNED,
        gettext_lazy("Take the plan back"),
        gettext_lazy("Nothing was posted yet. You can plan this year again."),
    ),
    "pause": Verb(
        credit_runs.pause,
        CreditState.RUNNING,
        gettext_lazy("Pause"),
        gettext_lazy("Chunks being worked on are finished, then it stops."),
    ),
    "resume": Verb(
        credit_runs.resume,
        CreditState.PAUSED,
        gettext_lazy("Resume"),
        gettext_lazy("It goes on where it stopped. Nobody is credited twice."),
        rings=True,
    ),
}


def plan(request: HttpRequest) -> HttpResponse:
    """The form by which the clearing of a year is planned."""
    regions = Region.objects.filter(pk__in=regions_with_role(request.user, Role.REGION_ADMIN))
    if not regions:
        raise Http404
    form = ClearingForm(request.POST or None, regions=regions)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            run = clearing.plan(**form.cleaned_data, by=request.user)
            return redirect(DETAIL, run.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    status = 422 if form.errors or refused else 200
    return render(request, "admin/settlements/creditrun/plan.html", {"form": form, "refused": refused}, status=status)


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A run: how far it is, what it came to, what happened."""
    return render(request, "admin/settlements/creditrun/run.html", _context(_run(request, pk), request.user))


def part(request: HttpRequest, pk: int) -> HttpResponse:
    """The same without the page around it, asked for every two seconds while the run works."""
    context = _context(_run(request, pk), request.user)
    page = render(request, "admin/settlements/creditrun/_run.html", context)
    return page if context["polls"] else HttpResponseStopPolling(page.content)


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Ask before a button does what it says; on POST do it."""
    run, verb = _run(request, pk), VERBS.get(name)
    if verb is None or not may_credit(request.user, run.region_id):
        raise Http404
    refused = None
    if request.method == "POST":
        try:
            verb.do(run=run, by=request.user)
            if verb.rings:
                tasks.ring_credits(run.pk)
            return redirect(DETAIL, run.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    context = {"run": run, "verb": verb, "refused": refused, "facts": _facts(run), "name": told(run)}
    status = 422 if refused else 200
    return render(request, "admin/settlements/creditrun/act.html", context, status=status)


def told(run: CreditRun) -> str:
    """The kind and the period: "Monthly credit 2026-11"."""
    return f"{run.get_kind_display()} {run.period}"


def _run(request: HttpRequest, pk: int) -> CreditRun:
    return get_object_or_404(runs_visible_to(request.user), pk=pk)


def _context(run: CreditRun, user: User) -> dict[str, Any]:
    now = clock.now()
    shown = progress(run, now)
    may = may_credit(user, run.region_id)
    verbs = [(name, verb) for name, verb in VERBS.items() if may and run.state == verb.state]
    own = run.state == CreditState.PLANNED and run.planned_by_id == user.pk
    if own:
        verbs = [(name, verb) for name, verb in verbs if name != "release"]
    return {
        "run": run,
        "name": told(run),
        "now": now,
        "progress": shown if run.released_at else None,
        "figures": _figures(run, shown),
        "verbs": verbs,
        "own_plan": own and may,
        "planned": f"{shown.total:,}",
        "facts": _facts(run),
        "money": _money(run, shown),
        "left": _left(run) if run.released_at else [],
        "polls": run.state == CreditState.RUNNING,
    }


def _figures(run: CreditRun, shown: Progress) -> list[dict[str, str]]:
    rate = _("%(count)s a second") % {"count": f"{shown.per_second:,}"} if shown.per_second else "—"
    left = (
        dates.duration(shown.seconds_left)
        if shown.seconds_left is not None and run.state == CreditState.RUNNING
        else "—"
    )
    # A clearing counts whoever was compared, also where nothing was short or over.
    moved = _("Accounts cleared") if run.kind == CreditKind.CLEARING else _("Accounts moved")
    return [
        {"label": _("Done"), "value": f"{shown.done:,} / {shown.total:,}"},
        {"label": moved, "value": f"{shown.accounts:,}"},
        {"label": _("Speed"), "value": rate},
        {"label": _("Time left, about"), "value": left},
        {"label": _("Time worked"), "value": dates.duration(shown.seconds)},
    ]


def _money(run: CreditRun, shown: Progress) -> list[tuple[str, Any]]:
    """Names and yuan of what the run did so far."""
    if run.kind == CreditKind.CONTRIBUTIONS and run.file and "expected" in run.file.totals:
        return [
            (_("Credit that these contributions carry"), run.file.totals["expected"]),
            (_("Credited"), shown.amount),
        ]
    if run.kind != CreditKind.CLEARING:
        return [(_("Credited"), shown.amount)]
    return [
        (_("Topped up"), shown.amount),
        (_("Taken from accounts"), shown.taken),
        (_("Owed from now on"), shown.debt),
    ]


def _left(run: CreditRun) -> list[dict[str, Any]]:
    """Why it is not more: for each reason how many, the yuan they stood for, and the key and source of the rule."""
    found = left_out(run)
    if not found:
        return []
    rule = credit_rule_on(run.region_id, run.file.month if run.file else run.on)
    values = {"every": rule.every, "arrears": rule.arrears, "retired_amount": ""}
    rows = []
    for why, (count, yuan) in sorted(found.items(), key=lambda row: -row[1][0]):
        text, key = LEFT_TEXTS[why]
        told = f"crediting.{key}" + (f" = {values[key]}" if values.get(key) else "") if key else ""
        source = f"{rule.source} ({rule.grade})" if key else ""
        rows.append(
            {"text": text, "count": f"{count:,}", "yuan": yuan, "key": " · ".join(filter(None, [told, source]))}
        )
    return rows


def _facts(run: CreditRun) -> list[dict[str, str]]:
    facts = [
        (_("Region"), str(run.region)),
        (_("Business date"), dates.day(run.on)),
        (_("State"), run.get_state_display()),
        (_("Planned by"), in_house(run.planned_by)),
        (_("Released by"), in_house(run.released_by)),
        (_("Posting began"), dates.moment(run.released_at)),
        (_("Posting ended"), dates.moment(run.finished_at)),
    ]
    return [{"label": label, "value": value} for label, value in facts if value]
