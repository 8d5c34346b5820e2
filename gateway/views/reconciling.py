"""Pages of reconciliation for the region's staff: what is open, a difference, the clearing of a month. Below the admin."""

import datetime
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import clock, dates, reasons
from accounts.admin_lists import back_to
from accounts.amounts import yuan
from accounts.enums import Role
from accounts.errors import Refused
from accounts.naming import in_house
from accounts.policies import has_any_role
from gateway import difference_texts
from gateway.actions import clearing_paper, differences, reconciling_watch
from gateway.enums import DayState, DifferenceKind, DifferenceState
from gateway.forms.reconciling import ClearingForm, NoteForm
from gateway.models import Difference, VisitSettlement
from gateway.policies import may_settle_differences
from gateway.queries.clearing import Clearing, clearing_of
from gateway.queries.reconciling import clr_type_of, days_visible_to, differences_visible_to, institutions_visible_to

MOST_DAYS, MOST_ROWS = 60, 60
VERBS = {"explain": differences.explain, "close": differences.close}


def board(request: HttpRequest) -> HttpResponse:
    """What stands open: days not reconciled, differences by institution and kind, and the way to the statements."""
    if not has_any_role(request.user, Role.REGION_ADMIN, Role.AUDITOR):
        raise Http404
    since = clock.today() - datetime.timedelta(days=reconciling_watch.DAYS)
    late = (
        days_visible_to(request.user)
        .exclude(state=DayState.BALANCED)
        .filter(day__gte=since)
        .order_by("-day", "institution__code")
    )
    open_ones = differences_visible_to(request.user).exclude(state=DifferenceState.CLOSED).order_by()
    counted = (
        open_ones.values("institution", "institution__name", "institution__code", "kind")
        .annotate(count=Count("pk"))
        .order_by("institution__code", "kind")
    )
    context = {
        "days": [_day(day) for day in late[:MOST_DAYS]],
        "more_days": late.count() > MOST_DAYS,
        "differences": [_counted(row) for row in counted[:MOST_ROWS]],
        "more_differences": counted.count() > MOST_ROWS,
        "form": ClearingForm(institutions=institutions_visible_to(request.user)),
    }
    return render(request, "admin/gateway/difference/board.html", context)


def _day(day: Any) -> dict[str, Any]:
    parts = [
        f"{clearing_paper.clr_name(part['clr_type'])} {part['count']}"
        for part in day.parts
        if part["state"] != DayState.BALANCED
    ]
    return {"row": day, "state": day.get_state_display(), "parts": parts, "differs": day.state == DayState.DIFFERS}


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    query = f"?institution__id__exact={row['institution']}&kind__exact={row['kind']}"
    return {
        "name": row["institution__name"],
        "code": row["institution__code"],
        "kind": DifferenceKind(row["kind"]).label,
        "count": row["count"],
        "url": reverse("admin:gateway_difference_changelist") + query,
    }


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A difference: both sides, what it means, what to do; explain or close it with a note."""
    difference = get_object_or_404(differences_visible_to(request.user), pk=pk)
    may = may_settle_differences(request.user, difference.institution.region_id)
    is_closed = difference.state == DifferenceState.CLOSED
    # What was said before stays in the box: the note that is kept is the last one.
    form, refused = NoteForm(request.POST or None, initial={"note": difference.note}), None
    if request.method == "POST":
        verb = VERBS.get(request.POST.get("verb", ""))
        if not may or verb is None:
            raise Http404
        if is_closed:
            # Another window, or the night's comparison, was first.
            refused = reasons.tell_refused(Refused("difference_closed"))
        elif form.is_valid():
            try:
                verb(difference=difference, text=form.cleaned_data["note"], by=request.user)
                return redirect("admin:gateway_difference_change", pk)
            except Refused as refusal:
                refused = reasons.tell_refused(refusal)
    known = clr_type_of(difference.institution, difference.setl_id)
    clr_type = difference_texts.category(known, difference.found_by.clr_type, difference.institution)
    meaning, remedy = difference_texts.told(difference.kind, clr_type)
    context = {
        "difference": difference,
        "meaning": meaning,
        "remedy": remedy,
        "sides": _sides(difference),
        "facts": _facts(difference),
        "back": back_to(request, "admin:gateway_difference_changelist"),
        "form": form if may and not is_closed else None,
        "may_close": difference.state == DifferenceState.EXPLAINED,
        "refused": refused,
    }
    status = 422 if refused or (request.method == "POST" and form.errors) else 200
    return render(request, "admin/gateway/difference/difference.html", context, status=status)


def _sides(difference: Difference) -> list[dict[str, Any]]:
    names = {"total": _("Total"), "fund": _("Funds"), "accounts": _("Accounts")}
    return [
        {
            "label": label,
            "ours": getattr(difference, f"our_{name}"),
            "theirs": getattr(difference, f"their_{name}"),
            "differs": getattr(difference, f"our_{name}") != getattr(difference, f"their_{name}"),
        }
        for name, label in names.items()
    ]


def _facts(difference: Difference) -> list[dict[str, str]]:
    last = difference.seen_last_by
    who = difference.changed_by
    changed = dates.moment(difference.changed_at)
    by = in_house(who) or _("the system")
    window = VisitSettlement.AT_WINDOW
    sent = difference.msgid if not difference.msgid.startswith(window) else ""
    found = {
        _("Institution"): f"{difference.institution.name} · {difference.institution.code}",
        _("Settlement ID"): difference.setl_id,
        _("Visit ID"): difference.mdtrt_id,
        _("Person number"): difference.psn_no,
        _("Message ID"): sent,
        _("Reversed at the window, case"): "" if sent else difference.msgid.removeprefix(window),
        _("Line of the file"): str(difference.line or ""),
        _("Found at"): dates.moment(difference.found_at),
        _("Last compared"): f"{dates.moment(last.at)} · {dates.day(last.begins_on)} – {dates.day(last.ends_on)}",
        _("State"): difference.get_state_display(),
        _("Last change"): f"{changed} · {by}" if changed else "",
        _("Note"): difference.note,
    }
    return [{"label": label, "value": value} for label, value in found.items() if value]


def clearing(request: HttpRequest) -> HttpResponse:
    """The clearing of a month of an institution, to look at."""
    form, found = _chosen(request)
    context: dict[str, Any] = {"form": form, "found": found}
    if found is not None:
        heads = clearing_paper.heads()
        context |= {
            "heads": heads,
            "rows": [
                {"cells": [{"head": head, "value": value} for head, value in zip(heads, row, strict=True)]}
                for row in clearing_paper.rows_of(found, yuan)
            ],
            "notes": clearing_paper.notes(found),
            "query": f"institution={found.institution.pk}&month={found.first:%Y-%m}",
        }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "admin/gateway/difference/clearing.html", context, status=status)


def clearing_csv(request: HttpRequest) -> HttpResponse:
    """The same as a table."""
    found = _asked(request)
    return _download(found, clearing_paper.table(clearing=found, by=request.user), "csv", "text/csv; charset=utf-8")


def clearing_pdf(request: HttpRequest) -> HttpResponse:
    """The same on paper."""
    found = _asked(request)
    return _download(found, clearing_paper.pdf(clearing=found, by=request.user), "pdf", "application/pdf")


def _chosen(request: HttpRequest) -> tuple[ClearingForm, Clearing | None]:
    institutions = institutions_visible_to(request.user)
    if not has_any_role(request.user, Role.REGION_ADMIN, Role.AUDITOR):
        raise Http404
    form = ClearingForm(request.GET or None, institutions=institutions)
    if not form.is_bound or not form.is_valid():
        return form, None
    return form, clearing_of(form.cleaned_data["institution"], form.cleaned_data["month"])


def _asked(request: HttpRequest) -> Clearing:
    _form, found = _chosen(request)
    if found is None:
        raise Http404
    return found


def _download(found: Clearing, body: bytes, ending: str, content_type: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    name = f"clearing-{found.institution.code}-{found.first:%Y-%m}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
