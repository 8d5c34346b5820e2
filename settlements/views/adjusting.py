"""Pages of the correction of a rollover's rates: plan it, see what it would post, release it, watch it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseStopPolling

from accounts import dates, reasons
from accounts.amounts import yuan_signed, yuan_unit
from accounts.errors import Refused
from accounts.models import User
from accounts.naming import in_house
from settlements import tasks
from settlements.actions import adjusting
from settlements.enums import AdjustmentState
from settlements.forms.rollover import AdjustForm
from settlements.models import RolloverAdjustment, RolloverRun
from settlements.policies import may_release, may_run_rollover
from settlements.queries.rollover import adjustments_visible_to, visible_to

DETAIL = "admin:settlements_rolloverrun_adjustment"


@dataclass(frozen=True)
class Verb:
    """A button: what it does, when there is one, and what is said before it is pressed."""

    do: Callable[..., RolloverAdjustment]
    states: tuple[str, ...]
    button: Promise
    question: Promise


VERBS = {
    "release": Verb(
        adjusting.release,
        (AdjustmentState.COUNTED,),
        gettext_lazy("Release the correction"),
        gettext_lazy(
            "The right rates count from now on, and every account concerned gets or gives back the difference. It is"
            " taken back only by another correction."
        ),
    ),
    "cancel": Verb(
        adjusting.cancel,
        (AdjustmentState.COUNTING, AdjustmentState.COUNTED),
        gettext_lazy("Take the correction back"),
        gettext_lazy("Nothing was posted, and nothing will be."),
    ),
}
NOTES = {
    AdjustmentState.COUNTING: gettext_lazy("What it comes to is being counted. Nothing is posted yet."),
    AdjustmentState.COUNTED: gettext_lazy("Look at the sums; then another administrator releases it."),
    AdjustmentState.RUNNING: gettext_lazy("You can close this page; the work goes on. No account is corrected twice."),
    AdjustmentState.DONE: gettext_lazy("Everything is posted, and the year was counted again."),
    AdjustmentState.CANCELLED: gettext_lazy("It was taken back; nothing was posted."),
}


def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The form by which the correction of a run is planned."""
    run = get_object_or_404(visible_to(request.user), pk=pk)
    if not may_run_rollover(request.user, run.region_id) or run.state not in adjusting.CORRECTABLE:
        raise Http404
    form = AdjustForm(request.POST or None, initial=_present(run))
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            adjustment = adjusting.plan(run=run, by=request.user, **form.cleaned_data)
            tasks.ring_adjustment(adjustment.pk)
            return redirect(DETAIL, adjustment.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    context = {"form": form, "run": run, "refused": refused}
    status = 422 if form.errors or refused else 200
    return render(request, "admin/settlements/rolloverrun/adjust.html", context, status=status)


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A correction: its sums counted two ways, how far it is, the buttons."""
    context = _context(_adjustment(request, pk), request.user)
    if not request.htmx:
        return render(request, "admin/settlements/rolloverrun/adjustment.html", context)
    page = render(request, "admin/settlements/rolloverrun/_adjustment.html", context)
    return page if context["polls"] else HttpResponseStopPolling(page.content)


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Ask before a button does what it says; on POST do it."""
    adjustment, verb = _adjustment(request, pk), VERBS.get(name)
    if verb is None or not may_run_rollover(request.user, adjustment.run.region_id):
        raise Http404
    refused = None
    if request.method == "POST":
        try:
            verb.do(adjustment=adjustment, by=request.user)
            tasks.ring_adjustment(adjustment.pk)
            return redirect(DETAIL, adjustment.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    found = adjusting.sums(adjustment)
    facts = [*_facts(adjustment, found), *_comes_to(found)]
    context = {"adjustment": adjustment, "verb": verb, "refused": refused, "facts": facts}
    page = "admin/settlements/rolloverrun/adjustment_act.html"
    return render(request, page, context, status=422 if refused else 200)


def _adjustment(request: HttpRequest, pk: int) -> RolloverAdjustment:
    return get_object_or_404(adjustments_visible_to(request.user), pk=pk)


def _present(run: RolloverRun) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ("current_rate", "historical_rate")}


def _context(adjustment: RolloverAdjustment, user: User) -> dict[str, Any]:
    may_run = may_run_rollover(user, adjustment.run.region_id)
    own = not may_release(user, adjustment.planned_by_id)
    found = adjusting.sums(adjustment)
    worked = found.done if adjustment.state == AdjustmentState.RUNNING else found.counted
    return {
        "adjustment": adjustment,
        "run": adjustment.run,
        "head": adjustment.get_state_display(),
        "note": NOTES[AdjustmentState(adjustment.state)],
        "facts": _facts(adjustment, found),
        "sums": found,
        "percent": worked * 100 // found.chunks if found.chunks else 100,
        "differs": found.counted == found.chunks and not found.agrees,
        "verbs": [
            (name, verb)
            for name, verb in VERBS.items()
            if may_run and adjustment.state in verb.states and not (own and name == "release")
        ],
        "own": may_run and own and adjustment.state == AdjustmentState.COUNTED,
        "polls": adjustment.state in adjusting.AT_WORK,
    }


def _facts(adjustment: RolloverAdjustment, found: adjusting.Sums) -> list[dict[str, str]]:
    run = adjustment.run
    rows = [
        (_("Region and year"), f"{run.region} · {run.year}"),
        (_("Rates so far"), _rates(adjustment.old_current_rate, adjustment.old_historical_rate)),
        (_("Right rates"), _rates(adjustment.current_rate, adjustment.historical_rate)),
        (_("Why"), adjustment.reason),
        (_("Planned"), _act(adjustment.planned_at, adjustment.planned_by)),
    ]
    if adjustment.released_at:
        rows.append((_("Released"), _act(adjustment.released_at, adjustment.released_by)))
    if found.counted == found.chunks:
        rows.append((_("Accounts concerned"), f"{found.due_accounts:,}"))
    return [{"label": label, "value": value} for label, value in rows]


def _comes_to(found: adjusting.Sums) -> list[dict[str, str]]:
    """The sum, to be seen beside the button that posts it."""
    if found.counted != found.chunks:
        return []
    debt = [{"label": _("Of it would become debt"), "value": yuan_unit(found.due_debt)}] if found.due_debt else []
    due = _("%(amount)s yuan") % {"amount": yuan_signed(found.due)}
    return [{"label": _("What it comes to"), "value": due}, *debt]


def _rates(current: Any, historical: Any) -> str:
    values = {"current": f"{current.normalize():f}", "historical": f"{historical.normalize():f}"}
    return _("this year's %(current)s%%, earlier years' %(historical)s%%") % values


def _act(when: Any, who: User | None) -> str:
    return " · ".join(filter(None, [dates.moment(when), in_house(who)]))
