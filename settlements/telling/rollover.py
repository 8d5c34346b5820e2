"""A rollover in the reader's language: its state and what comes next, its figures, and what happened when."""

import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import clock, dates
from accounts.amounts import yuan_unit
from accounts.naming import in_house
from settlements.actions import rehearsal, rollover, rollover_report
from settlements.enums import AdjustmentState, RunState
from settlements.models import RolloverAdjustment, RolloverRun
from settlements.queries.rollover import Progress

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


def note(run: RolloverRun, is_over: bool) -> str:
    """What comes next."""
    if run.state == RunState.RELEASED and is_over:
        return _("The year is over. It begins by itself within a minute; if it does not, look whether the workers run.")
    return str(STATE_NOTES[RunState(run.state)])


def rehearsing(run: RolloverRun) -> str:
    """How far the rehearsal is."""
    done = {"percent": rehearsal.percent(run)}
    return _("%(percent)s of 100 parts of the accounts gone through. Nothing is written to any account.") % done


def odd(run: RolloverRun, may_see: bool) -> list[dict[str, Any]]:
    """Odd accounts by kind, the first of each by number; only who may see accounts gets the way to them."""
    found, named = run.rehearsal.get("odd", {}), run.rehearsal.get("named", {})
    return [
        {"count": f"{found[kind]:,}", "what": what, "ids": named.get(kind, []), "linked": may_see}
        for kind, what in ODD_NAMES.items()
        if kind in found
    ]


def adjusted(adjustment: RolloverAdjustment) -> dict[str, Any]:
    """A correction of the rates, as one line of the run's page."""
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
    return f"{rate(current)}% / {rate(historical)}%"


def facts(run: RolloverRun) -> list[dict[str, str]]:
    """What a run is, beside each button that asks first."""
    return [
        {"label": _("Region"), "value": str(run.region)},
        {"label": _("Benefit year that closes"), "value": str(run.year)},
        {"label": _("Interest on this year's balance"), "value": f"{rate(run.current_rate)}%"},
        {"label": _("Interest on earlier years' balance"), "value": f"{rate(run.historical_rate)}%"},
        {"label": _("Planned by"), "value": in_house(run.planned_by)},
    ]


def rehearsed(run: RolloverRun) -> list[dict[str, str]]:
    """What the rehearsal came to, beside the button that releases it."""
    totals = run.rehearsal.get("totals")
    if not totals:
        return []
    return [
        {"label": _("Accounts rehearsed"), "value": f"{totals['accounts']:,}"},
        {"label": _("Interest"), "value": yuan_unit(totals["interest"])},
        {"label": _("Earlier years' afterwards"), "value": yuan_unit(totals["historical_after"])},
    ]


def figures(shown: Progress) -> list[dict[str, str]]:
    """How far the batch is, how fast, and how long it still takes."""
    rate = _("%(count)s a second") % {"count": f"{shown.per_second:,}"} if shown.per_second else "—"
    left = dates.duration(shown.seconds_left) if shown.seconds_left is not None else "—"
    return [
        {"label": _("Rolled over"), "value": _accounts(shown.done)},
        {"label": _("Still to do"), "value": _accounts(shown.left)},
        {"label": _("Speed"), "value": rate},
        {"label": _("Time left, about"), "value": left},
        {"label": _("Time worked"), "value": dates.duration(int(shown.seconds))},
    ]


def _accounts(count: int) -> str:
    return _("%(count)s accounts") % {"count": f"{count:,}"}


def bar(shown: Progress) -> dict[str, Any]:
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


def rows(run: RolloverRun, shown: Progress | None) -> list[dict[str, Any]]:
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


def rate(rate: Decimal | None) -> str:
    """A rate without the noughts that the column keeps: 1.35, 2."""
    return "—" if rate is None else f"{rate.normalize():f}"


def lines(run: RolloverRun) -> list[dict[str, Any]]:
    """Both counts of the closed year, line by line."""
    return [
        {
            **{way: line[way] if line["name"] != "accounts" else f"{line[way]:,}" for way in ("run", "books")},
            "label": rollover_report.line_name(line["name"]),
            "is_money": line["name"] != "accounts",
            "agrees": line["run"] == line["books"],
        }
        for line in run.totals.get("lines", [])
    ]


def events(run: RolloverRun, boundary: datetime.date | None) -> list[dict[str, str]]:
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
    # With the year: a run is about the turn of one, and may be made long after.
    return dates.moment(when) if isinstance(when, datetime.datetime) else dates.day(when)
