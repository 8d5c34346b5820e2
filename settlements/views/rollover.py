"""Pages of the year-end rollover: plan, watch, press the buttons. Served below the admin's address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseStopPolling

from accounts import clock, reasons
from accounts.enums import Role
from accounts.errors import Refused
from accounts.inputs import row_number
from accounts.models import Region, User
from accounts.policies import regions_with_role
from settlements import tasks
from settlements.actions import adjusting, rehearsal, rollover, rollover_report
from settlements.enums import RunState
from settlements.forms.rollover import PlanForm
from settlements.models import PersonalAccount, RolloverRun
from settlements.policies import may_close, may_release, may_run_rollover
from settlements.queries.rollover import progress, status, still_since, visible_to
from settlements.telling import rollover as telling

DETAIL = "admin:settlements_rolloverrun_change"


@dataclass(frozen=True)
class Verb:
    """A button: what it does, when there is one, and what is said before it is pressed."""

    do: Callable[..., RolloverRun]
    states: tuple[str, ...]
    button: Promise
    question: Promise
    # How workers are called afterwards.
    ring: Callable[[RolloverRun], None] | None = None


def _ring(run: RolloverRun) -> None:
    tasks.ring(run.pk)


def _ring_rehearsal(run: RolloverRun) -> None:
    if rehearsal.is_under_way(run):
        tasks.ring_rehearsal(run.pk)


# In the order in which they stand beside each other: first what comes next.
VERBS = {
    "release": Verb(
        rollover.release,
        (RunState.REHEARSED,),
        gettext_lazy("Release"),
        gettext_lazy("Every account rolls with these rates when the new year begins. They can no longer be changed."),
    ),
    "begin": Verb(
        rollover.begin,
        (RunState.RELEASED,),
        gettext_lazy("Begin now"),
        gettext_lazy("The batch begins. Care and enquiries go on meanwhile."),
        ring=_ring,
    ),
    "pause": Verb(
        rollover.pause,
        (RunState.RUNNING,),
        gettext_lazy("Pause"),
        gettext_lazy(
            "Chunks being worked on are finished, then it stops. Balances, care and enquiries are not affected."
        ),
    ),
    "resume": Verb(
        rollover.resume,
        (RunState.PAUSED,),
        gettext_lazy("Resume"),
        gettext_lazy("It goes on where it stopped. No account is rolled twice."),
        ring=_ring,
    ),
    "close": Verb(
        rollover.close,
        (RunState.RECONCILED,),
        gettext_lazy("Close the rollover"),
        gettext_lazy("Everything is counted once more. If it agrees to the fen, the rollover is closed for good."),
    ),
    "reconcile": Verb(
        rollover.reconcile,
        (RunState.PAUSED, RunState.RECONCILED),
        gettext_lazy("Count again"),
        gettext_lazy("Counts the closed year two ways and compares to the fen."),
    ),
    "rehearse": Verb(
        rehearsal.start,
        (RunState.PLANNED, RunState.REHEARSED),
        gettext_lazy("Rehearse"),
        gettext_lazy("Works out what the rollover would come to today. Nothing is written to any account."),
        ring=_ring_rehearsal,
    ),
    "cancel": Verb(
        rollover.cancel,
        (RunState.PLANNED, RunState.REHEARSED, RunState.RELEASED),
        gettext_lazy("Take the plan back"),
        gettext_lazy("The plan is taken back. You can plan this year again."),
    ),
}


def plan(request: HttpRequest) -> HttpResponse:
    """The form by which a run is planned, or planned anew with other rates."""
    regions = Region.objects.filter(pk__in=regions_with_role(request.user, Role.REGION_ADMIN))
    if not regions:
        raise Http404
    form = PlanForm(request.POST or None, regions=regions, initial=_first_guess(request, regions))
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            run = rollover.plan(**form.cleaned_data, by=request.user)
            return redirect(DETAIL, run.pk)
        except Refused as refusal:
            refused = reasons.tell(refusal.code, refusal.params)
    status = 422 if form.errors or refused else 200
    return render(request, "admin/settlements/rolloverrun/plan.html", {"form": form, "refused": refused}, status=status)


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A run: how far it is, control totals, both counts, chunks, what happened."""
    return render(request, "admin/settlements/rolloverrun/run.html", _context(_run(request, pk), request.user))


def progress_part(request: HttpRequest, pk: int) -> HttpResponse:
    """The same without the page around it, asked for every two seconds while the run works."""
    context = _context(_run(request, pk), request.user)
    page = render(request, "admin/settlements/rolloverrun/_run.html", context)
    return page if context["polls"] else HttpResponseStopPolling(page.content)


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Ask before a button does what it says; on POST do it."""
    run, verb = _run(request, pk), VERBS.get(name)
    if verb is None or not may_run_rollover(request.user, run.region_id):
        raise Http404
    if request.method != "POST" and run.state not in verb.states:
        # By the back button, or from an old page: the run has gone on, and its page says how it stands.
        return redirect(DETAIL, run.pk)
    refused = None
    if request.method == "POST":
        try:
            run = verb.do(run=run, by=request.user)
            if verb.ring:
                verb.ring(run)
            return redirect(DETAIL, run.pk)
        except Refused as refusal:
            refused = reasons.tell(refusal.code, refusal.params)
    facts = [*telling.facts(run), *(telling.rehearsed(run) if name == "release" else [])]
    context = {"run": run, "verb": verb, "refused": refused, "facts": facts}
    status = 422 if refused else 200
    return render(request, "admin/settlements/rolloverrun/act.html", context, status=status)


def report(request: HttpRequest, pk: int) -> HttpResponse:
    """Control totals, both counts, corrections and every chunk as CSV; amounts in yuan."""
    run = _run(request, pk)
    return _download(run, rollover_report.table(run=run, by=request.user, at=clock.now()), "csv", "text/csv")


def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same on paper, chunks in groups."""
    run = _run(request, pk)
    return _download(run, rollover_report.pdf(run=run, by=request.user, at=clock.now()), "pdf", "application/pdf")


def _download(run: RolloverRun, body: bytes, ending: str, content_type: str) -> HttpResponse:
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    response = HttpResponse(body, content_type=content_type + charset)
    response["Content-Disposition"] = f'attachment; filename="rollover-{run.region_id}-{run.year}.{ending}"'
    return response


def status_json(request: HttpRequest, pk: int) -> HttpResponse:
    """How a run stands, for machines."""
    return JsonResponse(status(_run(request, pk), clock.now()))


def status_all(request: HttpRequest) -> HttpResponse:
    """How all runs stand that are neither closed nor taken back, for machines."""
    now = clock.now()
    runs = visible_to(request.user).exclude(state__in=[RunState.CLOSED, RunState.CANCELLED])
    return JsonResponse({"at": now.isoformat(), "runs": [status(run, now) for run in runs]})


def _run(request: HttpRequest, pk: int) -> RolloverRun:
    return get_object_or_404(visible_to(request.user), pk=pk)


def _first_guess(request: HttpRequest, regions: Any) -> dict[str, Any]:
    """The run to plan anew, or the oldest year that accounts of the first region are still in."""
    known = visible_to(request.user).filter(pk=row_number(request.GET.get("run"))).first()
    if known:
        names = ("region", "year", "current_rate", "historical_rate")
        return {name: getattr(known, name) for name in names}
    region = regions[0]
    oldest = (
        PersonalAccount.objects.filter(region=region).order_by("benefit_year").values_list("benefit_year", flat=True)
    )
    return {"region": region.pk, "year": oldest.first()}


def _context(run: RolloverRun, user: User) -> dict[str, Any]:
    now = clock.now()
    shown = progress(run, now) if run.started_at else None
    boundary = rollover.boundary_of(run)
    is_over = boundary is not None and rollover.clock_day(now) >= boundary
    rehearsing = rehearsal.is_under_way(run)
    own_plan = run.planned_by_id is not None and user.pk == run.planned_by_id
    may_run = may_run_rollover(user, run.region_id)
    return {
        "run": run,
        "now": now,
        "rates": {"current": telling.rate(run.current_rate), "historical": telling.rate(run.historical_rate)},
        "head": _("Rehearsing") if rehearsing else telling.STATE_HEADS[RunState(run.state)],
        "note": telling.rehearsing(run) if rehearsing else telling.note(run, is_over),
        "still_since": still_since(run, now),
        "progress": shown,
        "figures": telling.figures(shown) if shown else [],
        "bar": telling.bar(shown) if shown else None,
        "chunk_size": run.chunks.order_by("number").values_list("planned", flat=True).first() if shown else 0,
        "boundary": boundary,
        "is_over": is_over,
        "verbs": _verbs(run, user, is_over) if may_run else [],
        "own_plan": may_run and own_plan and run.state == RunState.REHEARSED,
        "own_close": may_run and own_plan and run.state == RunState.RECONCILED,
        "may_plan": may_run and run.state in rollover.BEFORE_RELEASE,
        "may_adjust": may_run and run.state in adjusting.CORRECTABLE,
        "rows": telling.rows(run, shown),
        "lines": telling.lines(run),
        "odd": telling.odd(run, may_run),
        "adjustments": [telling.adjusted(adjustment) for adjustment in run.adjustments.all()],
        "events": telling.events(run, boundary),
        "polls": run.state == RunState.RUNNING or rehearsing,
    }


def _verbs(run: RolloverRun, user: User, is_over: bool) -> list[tuple[str, Verb]]:
    """The buttons that do something now, and that this person may press."""
    barred = set()
    if not may_release(user, run.planned_by_id):
        barred.add("release")
    if not may_close(user, run.planned_by_id):
        barred.add("close")
    if not is_over:
        barred.add("begin")
    elif run.state == RunState.RELEASED:
        barred.add("cancel")
    if run.chunks.filter(done=False).exists():
        barred.add("reconcile")
    if rehearsal.is_under_way(run):
        barred.add("rehearse")
    return [(name, verb) for name, verb in VERBS.items() if run.state in verb.states and name not in barred]
