"""Pages of the year-end rollover: plan, watch, press the buttons. Served below the admin's address."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
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
from accounts.templatetags.portal import yuan_unit
from settlements import tasks
from settlements.actions import adjusting, rehearsal, rollover, rollover_report
from settlements.enums import AdjustmentState, RunState
from settlements.forms.rollover import PlanForm
from settlements.models import PersonalAccount, RolloverAdjustment, RolloverRun
from settlements.policies import may_close, may_release, may_run_rollover
from settlements.queries.rollover import Progress, progress, status, still_since, visible_to

CHANGELIST = "admin:settlements_rolloverrun_changelist"
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
STATE_HEADS = {
    RunState.OPENED: gettext_lazy("Waiting for its rates"),
    RunState.PLANNED: gettext_lazy("Planned"),
    RunState.REHEARSED: gettext_lazy("Rehearsed"),
    RunState.RELEASED: gettext_lazy("Released"),
    RunState.RUNNING: gettext_lazy("Rolling over"),
    RunState.PAUSED: gettext_lazy("Paused"),
    RunState.RECONCILED: gettext_lazy("Agrees to the fen"),
    RunState.CLOSED: gettext_lazy("The rollover is closed"),
    RunState.CANCELLED: gettext_lazy("The plan was taken back"),
}
STATE_NOTES = {
    RunState.OPENED: gettext_lazy(
        "Opened by the system. Give the interest rates next; whoever does so is the planner."
    ),
    RunState.PLANNED: gettext_lazy("Rehearse it next: nothing is written to any account."),
    RunState.REHEARSED: gettext_lazy("Look at the figures; then another administrator releases it."),
    RunState.RELEASED: gettext_lazy("It begins by itself on the first day of the new year."),
    RunState.RUNNING: gettext_lazy(
        "You can close this page; the work goes on. After a pause, chunks being worked on are finished first."
    ),
    RunState.PAUSED: gettext_lazy("Nothing is lost; it goes on where it stopped."),
    RunState.RECONCILED: gettext_lazy(
        "All accounts are rolled over and both counts agree. Somebody other than its planner closes it."
    ),
    RunState.CLOSED: gettext_lazy("All accounts are rolled over, and both counts agree."),
    RunState.CANCELLED: gettext_lazy("This plan was taken back."),
}
ODD_NAMES = {
    "behind": gettext_lazy("are one year behind; both years are rolled, each with its own rates"),
    "far_behind": gettext_lazy("are several years behind; each year is rolled with its own rates"),
    "ahead": gettext_lazy("are in a later year already"),
    "in_debt": gettext_lazy("owe more than they hold; the rest stays owed"),
    "closed": gettext_lazy("are closed; they pass into the new year with nothing in them"),
    "closed_with_money": gettext_lazy("are closed and still hold money"),
    "frozen": gettext_lazy("belong to people whose insurance is frozen; they are rolled over all the same"),
    "not_enrolled": gettext_lazy("belong to nobody who is insured here today; they are rolled over all the same"),
    "products_wrong": gettext_lazy("have days counted that cannot be right; run check_ledger before the release"),
    "counted_too_far": gettext_lazy("have days counted beyond the year's end"),
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
    refused = None
    if request.method == "POST":
        try:
            run = verb.do(run=run, by=request.user)
            if verb.ring:
                verb.ring(run)
            return redirect(DETAIL, run.pk)
        except Refused as refusal:
            refused = reasons.tell(refusal.code, refusal.params)
    facts = [*_facts(run), *(_rehearsed(run) if name == "release" else [])]
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
    known = visible_to(request.user).filter(pk=request.GET.get("run") or 0).first() if _number(request) else None
    if known:
        names = ("region", "year", "current_rate", "historical_rate")
        return {name: getattr(known, name) for name in names}
    region = regions[0]
    oldest = (
        PersonalAccount.objects.filter(region=region).order_by("benefit_year").values_list("benefit_year", flat=True)
    )
    return {"region": region.pk, "year": oldest.first()}


def _number(request: HttpRequest) -> bool:
    return request.GET.get("run", "").isascii() and request.GET.get("run", "").isdigit()


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
        "rates": {"current": _rate(run.current_rate), "historical": _rate(run.historical_rate)},
        "head": _("Rehearsing") if rehearsing else STATE_HEADS[RunState(run.state)],
        "note": _rehearsing(run) if rehearsing else _note(run, is_over),
        "still_since": still_since(run, now),
        "progress": shown,
        "figures": _figures(shown) if shown else [],
        "bar": _bar(shown) if shown else None,
        "chunk_size": run.chunks.order_by("number").values_list("planned", flat=True).first() if shown else 0,
        "boundary": boundary,
        "is_over": is_over,
        "verbs": _verbs(run, user, is_over) if may_run else [],
        "own_plan": may_run and own_plan and run.state == RunState.REHEARSED,
        "own_close": may_run and own_plan and run.state == RunState.RECONCILED,
        "may_plan": may_run and run.state in rollover.BEFORE_RELEASE,
        "may_adjust": may_run and run.state in adjusting.CORRECTABLE,
        "rows": _rows(run, shown),
        "lines": _lines(run),
        "odd": _odd(run, may_run),
        "adjustments": [_adjusted(adjustment) for adjustment in run.adjustments.all()],
        "events": _events(run, boundary),
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


def _note(run: RolloverRun, is_over: bool) -> str:
    """What comes next."""
    if run.state == RunState.RELEASED and is_over:
        return _("The year is over. It begins by itself within a minute; if it does not, look whether the workers run.")
    return str(STATE_NOTES[RunState(run.state)])


def _rehearsing(run: RolloverRun) -> str:
    done = {"percent": rehearsal.percent(run)}
    return _("%(percent)s of 100 parts of the accounts gone through. Nothing is written to any account.") % done


def _odd(run: RolloverRun, may_see: bool) -> list[dict[str, Any]]:
    """Odd accounts by kind, the first of each by number; only who may see accounts gets the way to them."""
    found, named = run.rehearsal.get("odd", {}), run.rehearsal.get("named", {})
    return [
        {"count": f"{found[kind]:,}", "what": what, "ids": named.get(kind, []), "linked": may_see}
        for kind, what in ODD_NAMES.items()
        if kind in found
    ]


def _adjusted(adjustment: RolloverAdjustment) -> dict[str, Any]:
    old, new = (
        _both(adjustment.old_current_rate, adjustment.old_historical_rate),
        _both(adjustment.current_rate, adjustment.historical_rate),
    )
    return {
        "pk": adjustment.pk,
        "text": f"{old} → {new}",
        "state": adjustment.get_state_display(),
        "open": adjustment.state not in (AdjustmentState.DONE, AdjustmentState.CANCELLED),
    }


def _both(current: Decimal, historical: Decimal) -> str:
    return f"{_rate(current)}% / {_rate(historical)}%"


def _facts(run: RolloverRun) -> list[dict[str, str]]:
    return [
        {"label": _("Region"), "value": str(run.region)},
        {"label": _("Benefit year that closes"), "value": str(run.year)},
        {"label": _("Interest on this year's balance"), "value": f"{_rate(run.current_rate)}%"},
        {"label": _("Interest on earlier years' balance"), "value": f"{_rate(run.historical_rate)}%"},
        {"label": _("Planned by"), "value": in_house(run.planned_by)},
    ]


def _rehearsed(run: RolloverRun) -> list[dict[str, str]]:
    """What the rehearsal came to, beside the button that releases it."""
    totals = run.rehearsal.get("totals")
    if not totals:
        return []
    return [
        {"label": _("Accounts rehearsed"), "value": f"{totals['accounts']:,}"},
        {"label": _("Interest"), "value": yuan_unit(totals["interest"])},
        {"label": _("Earlier years' afterwards"), "value": yuan_unit(totals["historical_after"])},
    ]


def _figures(shown: Progress) -> list[dict[str, str]]:
    rate = _("%(count)s a second") % {"count": f"{shown.per_second:,}"} if shown.per_second else "—"
    left = duration(shown.seconds_left) if shown.seconds_left is not None else "—"
    return [
        {"label": _("Rolled over"), "value": _accounts(shown.done)},
        {"label": _("Still to do"), "value": _accounts(shown.left)},
        {"label": _("Speed"), "value": rate},
        {"label": _("Time left, about"), "value": left},
        {"label": _("Time worked"), "value": duration(int(shown.seconds))},
    ]


def _accounts(count: int) -> str:
    return _("%(count)s accounts") % {"count": f"{count:,}"}


def duration(seconds: int) -> str:
    """Seconds as people say them: 5 min 48 s, 2 h 5 min."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


def _bar(shown: Progress) -> dict[str, Any]:
    """Widths of the bar of chunks out of 640, and its words."""
    chunks = max(shown.chunks, 1)
    done, again = 640 * shown.chunks_done / chunks, 640 * shown.chunks_again / chunks
    waiting = shown.chunks - shown.chunks_done - shown.chunks_again
    facts = {"done": shown.chunks_done, "again": shown.chunks_again, "waiting": waiting}
    return {
        "done": f"{done:.1f}",
        "again_at": f"{done:.1f}",
        "again": f"{again:.1f}",
        "waiting_at": f"{done + again:.1f}",
        "waiting": f"{max(640 - done - again, 0):.1f}",
        "waits": waiting,
        "title": _("%(done)s chunks done, %(again)s to be visited again, %(waiting)s waiting") % facts,
    }


def _rows(run: RolloverRun, shown: Progress | None) -> list[dict[str, Any]]:
    """The table of control totals: counted if it was counted, else what is known so far."""
    if run.totals:
        batch, otherwise = run.totals["batch"], run.totals["otherwise"]
        rows = [_row(_("Batch"), batch), _row(_("Rolled by a movement"), otherwise)]
        late = run.totals["late_interest"]
        # Without it the two sums of interest on this page would differ.
        return [*rows, {"name": _("Posted afterwards"), "accounts": "—", "interest": late}] if Decimal(late) else rows
    if shown:
        batch = {
            "accounts": shown.by_batch, "moved": shown.moved, "netted": shown.netted, "interest": shown.interest,
        }  # fmt: skip
        return [_row(_("Batch"), batch), _row(_("Rolled by a movement"), {"accounts": shown.by_movement})]
    if run.rehearsal:
        return [_row(_("Rehearsal"), run.rehearsal["totals"])]
    return []


def _row(name: str, part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "name": name, "accounts": f"{part['accounts']:,}"}


def _rate(rate: Decimal | None) -> str:
    """A rate without the noughts that the column keeps: 1.35, 2."""
    return "—" if rate is None else f"{rate.normalize():f}"


def _lines(run: RolloverRun) -> list[dict[str, Any]]:
    return [
        {
            **{way: line[way] if line["name"] != "accounts" else f"{line[way]:,}" for way in ("run", "books")},
            "label": rollover_report.line_name(line["name"]),
            "is_money": line["name"] != "accounts",
            "agrees": line["run"] == line["books"],
        }
        for line in run.totals.get("lines", [])
    ]


def _events(run: RolloverRun, boundary: datetime.date | None) -> list[dict[str, str]]:
    """What happened and what comes, in order."""
    over = boundary is not None and rollover.clock_day(clock.now()) >= boundary
    steps = [
        (_("Opened by the system") if run.state == RunState.OPENED else _("Planned"), run.planned_at, run.planned_by),
        (_("Rehearsed"), run.rehearsed_at, None),
        (_("Released by a second person"), run.released_at, run.released_by),
        (_("The year ends"), boundary if over else None, None),
        (_("Batch begins"), run.started_at, None),
        (_("Last account rolled over"), run.finished_at, None),
        (_("Closed after both counts agreed"), run.closed_at, run.closed_by),
    ]
    events = [
        {
            "text": text,
            "small": " · ".join(filter(None, [_when(when), in_house(who)])),
            "when": "" if when else "next",
        }
        for text, when, who in steps
    ]
    if boundary and not over:
        events[3]["small"] = dates.day(boundary)
    if run.state == RunState.CANCELLED:
        # Nothing of what was to come comes any more.
        return [event for event in events if not event["when"]] + [
            {"text": _("Taken back"), "small": "", "when": "now"}
        ]
    return events


def _when(when: datetime.date | None) -> str:
    return dates.moment_short(when) if isinstance(when, datetime.datetime) else dates.day_short(when)
