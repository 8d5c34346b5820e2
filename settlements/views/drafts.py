"""Pages of drafts of rules: make, edit, try on real bills, publish by a second person. Served below the admin's address."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseStopPolling

from accounts import clock, dates, reasons
from accounts.errors import Refused
from accounts.inputs import row_number
from accounts.naming import in_house
from settlements import tasks
from settlements.actions import drafts, trials
from settlements.domain.region_file import BadRegionFile
from settlements.enums import TrialState
from settlements.forms.rules import DiscardForm, DraftForm, PublishForm, TextForm, TrialForm
from settlements.models import RuleDraft, Scheme, Trial
from settlements.policies import may_change_rules
from settlements.queries.drafts import versions_to_draft, visible_to
from settlements.telling import rules as rules_telling
from settlements.texts.rules import tell_problem

DETAIL = "admin:settlements_ruledraft_change"


@dataclass(frozen=True)
class Verb:
    """A button of a what-if: what it does, in which states, and whether a worker is called."""

    do: Callable[..., Trial]
    states: tuple[str, ...]
    button: Promise
    ring: bool = False


VERBS = {
    "pause": Verb(trials.pause, (TrialState.RUNNING,), gettext_lazy("Pause")),
    "resume": Verb(trials.resume, (TrialState.PAUSED,), gettext_lazy("Resume"), ring=True),
    "cancel": Verb(trials.cancel, (TrialState.RUNNING, TrialState.PAUSED), gettext_lazy("Cancel")),
}


def open_draft(view: Callable[[HttpRequest, RuleDraft], HttpResponse]) -> Callable[[HttpRequest, int], HttpResponse]:
    """A page on which something is done with a draft. One that ended in the meantime (a second press, the back button,
    the other administrator) is shown as it stands."""

    @wraps(view)
    def page(request: HttpRequest, pk: int) -> HttpResponse:
        draft = _draft(request, pk)
        if not may_change_rules(request.user, draft.region_id):
            raise Http404
        return view(request, draft) if draft.is_open else redirect(DETAIL, draft.pk)

    return page


def make(request: HttpRequest) -> HttpResponse:
    """Choose the version that the draft begins as."""
    versions = {_key(version): (_named(version), version) for version in versions_to_draft(request.user)}
    if not versions:
        raise Http404
    form = DraftForm(request.POST or None, versions=versions, initial={"version": request.GET.get("version")})
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            draft = drafts.make(version=form.cleaned_data["version"], by=request.user)
            return redirect("admin:settlements_ruledraft_edit", draft.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    return _page(request, "make", {"form": form, "refused": refused})


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft: what it changes, what it would come to, and what can be done with it."""
    draft = _draft(request, pk)
    return render(request, "admin/settlements/ruledraft/draft.html", _context(request, draft))


def part(request: HttpRequest, pk: int) -> HttpResponse:
    """The what-if without the page around it, asked for while it runs."""
    context = _trial_context(request, _draft(request, pk))
    page = render(request, "admin/settlements/ruledraft/_trial.html", context)
    return page if context["polls"] else HttpResponseStopPolling(page.content)


@open_draft
def edit(request: HttpRequest, draft: RuleDraft) -> HttpResponse:
    """The text of a draft; a mistake is told with its line and key, and nothing is kept."""
    if draft.made_by_id != request.user.pk:
        raise Http404
    form = TextForm(request.POST or None, initial={"text": draft.text})
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            drafts.edit(draft=draft, text=form.cleaned_data["text"], by=request.user)
            return redirect(DETAIL, draft.pk)
        except BadRegionFile as bad:
            for problem in bad.problems:
                form.add_error("text", tell_problem(problem))
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    return _page(request, "edit", {"form": form, "refused": refused, "draft": draft, "title": _title(draft)})


@open_draft
def what_if(request: HttpRequest, draft: RuleDraft) -> HttpResponse:
    """Choose the settlements that are decided anew; says what is replayed and what is not."""
    form = TrialForm(request.POST or None, today=clock.today())
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            trial = trials.start(draft=draft, by=request.user, **form.chosen())
            tasks.ring_trial(trial.pk)
            return redirect(DETAIL, draft.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    context = {"form": form, "refused": refused, "draft": draft, "title": _title(draft), "replayed": replayed(draft)}
    return _page(request, "what_if", context)


@open_draft
def publish(request: HttpRequest, draft: RuleDraft) -> HttpResponse:
    """The day from which the draft holds, beside what it would come to; by another person than its maker."""
    earliest = drafts.earliest(draft.base, clock.now())
    initial = {"valid_from": earliest, "seen": draft.edited_at.isoformat()}
    form = PublishForm(request.POST or None, earliest=earliest, initial=initial)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            drafts.publish(draft=draft, by=request.user, **form.cleaned_data)
            return redirect(DETAIL, draft.pk)
        except BadRegionFile as bad:
            refused = " ".join(tell_problem(problem) for problem in bad.problems)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
            if refusal.code == "draft_changed":
                # The new text is on this page: pressed again, it is what was read.
                form = PublishForm(earliest=earliest, initial=initial | {"valid_from": form.cleaned_data["valid_from"]})
    lines = rules_telling.changed_lines(draft.base.data, draft.data)
    context = {"form": form, "refused": refused, "draft": draft, "title": _title(draft), "lines": lines}
    return _page(request, "publish", context | _trial_context(request, draft))


@open_draft
def discard(request: HttpRequest, draft: RuleDraft) -> HttpResponse:
    """Ask before a draft is given up, and why; on POST do it."""
    own = draft.made_by_id == request.user.pk
    form = DiscardForm(request.POST if request.method == "POST" else None, own=own)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            drafts.discard(draft=draft, by=request.user, reason=form.cleaned_data["reason"])
            return redirect(DETAIL, draft.pk)
        except Refused as refusal:
            refused = reasons.tell_refused(refusal)
    context = {"form": form, "refused": refused, "draft": draft, "title": _title(draft)}
    return _page(request, "discard", context)


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A button of the draft's what-if; pausing and cancelling lose nothing, so they do not ask."""
    draft, verb = _draft(request, pk), VERBS.get(name)
    trial = draft.trials.order_by("-pk").first()
    if verb is None or trial is None or not may_change_rules(request.user, draft.region_id):
        raise Http404
    if request.method == "POST":
        try:
            verb.do(trial=trial, by=request.user)
            if verb.ring:
                tasks.ring_trial(trial.pk)
        except Refused as refusal:
            context = _context(request, draft) | {"refused": reasons.tell_refused(refusal)}
            return render(request, "admin/settlements/ruledraft/draft.html", context, status=422)
    return redirect(DETAIL, draft.pk)


def replayed(draft: RuleDraft) -> list[str]:
    """What a what-if decides anew and what it leaves as it was."""
    told = [
        _("Decided anew, in their order: the region's bills that were not reversed, each with what was true on its day:"
          " age, status, level, signed institution, counters, and what own and relatives' accounts held."),
        _("Bills that the present version settled follow the draft; all others keep their rules. Counters and balances"
          " that come out differently are carried on to the next bills, over all people and accounts."),
        _("Left as it was: when people went where and for what, credits, premiums, transfers, and who shares with whom."),
    ]  # fmt: skip
    if draft.sharing_id:
        told.append(
            _("Of sharing rules the order and what stays with the grantor are tried; who may share with whom is not.")
        )
    return told


def _draft(request: HttpRequest, pk: int) -> RuleDraft:
    return get_object_or_404(visible_to(request.user), pk=pk)


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    wrong = context.get("refused") or (context["form"].errors if "form" in context else None)
    return render(request, f"admin/settlements/ruledraft/{name}.html", context, status=422 if wrong else 200)


def _key(version: Any) -> str:
    return f"{drafts.part_of(version)}-{version.pk}"


def _named(version: Any) -> str:
    insurance, kind = (version.insurance, version.kind) if isinstance(version, Scheme) else ("", "")
    what = rules_telling.title(drafts.part_of(version), insurance, kind)
    return _("%(region)s · %(what)s, from %(day)s") % {
        "region": version.region, "what": what, "day": dates.day(version.valid_from),
    }  # fmt: skip


def _title(draft: RuleDraft) -> str:
    return rules_telling.title(draft.part, draft.insurance, draft.kind)


def _context(request: HttpRequest, draft: RuleDraft) -> dict[str, Any]:
    may = draft.is_open and may_change_rules(request.user, draft.region_id)
    own = draft.made_by_id == request.user.pk
    return {
        "title": _title(draft),
        "facts": _facts(draft),
        "lines": rules_telling.changed_lines(draft.base.data, draft.data),
        "whole": rules_telling.whole(draft.data),
        "may": may,
        "may_edit": may and own,
        "may_publish": may and not own,
        "own": may and own,
        **_trial_context(request, draft),
    }


def _facts(draft: RuleDraft) -> list[dict[str, str]]:
    base = draft.base
    facts = [
        {"label": _("Region"), "value": str(draft.region)},
        {"label": _("State"), "value": str(draft.get_state_display())},
        {"label": _("Made by"), "value": f"{in_house(draft.made_by)} · {dates.moment(draft.edited_at)}"},
        {"label": _("Follows the version from"), "value": dates.day(base.valid_from)},
    ]
    if draft.discarded_by is not None and draft.discarded_at:
        facts.append(
            {
                "label": _("Discarded by"),
                "value": f"{in_house(draft.discarded_by)} · {dates.moment(draft.discarded_at)}",
            }
        )
    if draft.discard_reason:
        facts.append({"label": _("Why"), "value": draft.discard_reason})
    if draft.published_by is not None and draft.valid_from and draft.published_at:
        facts += [
            {
                "label": _("Published by"),
                "value": f"{in_house(draft.published_by)} · {dates.moment(draft.published_at)}",
            },
            {"label": _("Holds from"), "value": dates.day(draft.valid_from)},
        ]
    return facts


def _trial_context(request: HttpRequest, draft: RuleDraft) -> dict[str, Any]:
    """The latest what-if of a draft, or the one that is asked for."""
    known = draft.trials.select_related("draft").order_by("-pk")
    trial = known.filter(pk=row_number(request.GET.get("trial"))).first() or known.first()
    context: dict[str, Any] = {"draft": draft, "trial": trial, "polls": False}
    if trial is None:
        return context
    may = may_change_rules(request.user, draft.region_id)
    latest = known.first() == trial
    over = dates.month(_first(trial.month)) if trial.month else _("the last %(count)s") % {"count": f"{trial.total:,}"}
    context |= {
        "now": clock.now(),
        "over": over,
        "outdated": trial.data != draft.data,
        "earlier": [one for one in known if one.pk != trial.pk],
        "verbs": [(name, verb) for name, verb in VERBS.items() if trial.state in verb.states] if may and latest else [],
        "figures": _figures(trial),
        "polls": trial.state == TrialState.RUNNING and latest,
    }
    if trial.state == TrialState.DONE:
        context |= {
            "sums": rules_telling.sums(trial),
            "people": rules_telling.people(trial),
            "bars": rules_telling.bars(trial),
            "groups": rules_telling.groups(trial),
            "worst": rules_telling.worst(trial) if may else [],
            "notes": rules_telling.notes(trial),
            "replayed": replayed(draft),
        }
    return context


def _first(month: str) -> datetime.date:
    return datetime.date.fromisoformat(f"{month}-01")


def _figures(trial: Trial) -> list[dict[str, str]]:
    seconds = trial.worked_seconds
    if trial.resumed_at:
        seconds += max((clock.now() - trial.resumed_at).total_seconds(), 0)
    rate = trial.done / seconds if seconds > 0 and trial.done else 0
    left = _("%(count)s a second") % {"count": f"{rate:,.0f}"} if rate >= 1 else "—"
    return [
        {"label": _("Bills decided"), "value": f"{trial.done:,}"},
        {"label": _("Of"), "value": f"{trial.total:,}"},
        {"label": _("Rate"), "value": left},
    ]
