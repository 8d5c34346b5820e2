"""Pages of the region's staff: the calls of a day, and one message with its way from question to answer."""

import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import clock, dates, reasons
from accounts.admin_lists import back_to, days_asked
from accounts.errors import Refused
from gateway import documentation, fields, texts
from gateway.actions import bodies, corrections
from gateway.forms.staff import ReasonForm
from gateway.models import GatewayMessage
from gateway.policies import may_open_messages, may_watch_calls
from gateway.queries.calls import (
    day_of,
    messages_visible_to,
    refusals_of,
    regions_watched_by,
    signed_in_now,
    slowest_of,
    turned_away_on,
)

ONE_DAY = datetime.timedelta(days=1)


def today(request: HttpRequest) -> HttpResponse:
    """The calls of a day: by institution, how they were refused or turned away, which took longest. `?on=2026-03-01` is
    another day."""
    if not may_watch_calls(request.user):
        raise Http404
    day, regions = _day(request), regions_watched_by(request.user)
    rows = day_of(regions, day)
    signed = signed_in_now(regions, clock.now())
    calls, refused = sum(row.calls for row in rows), sum(row.refused for row in rows)
    context = {
        "day": day,
        "before": day - ONE_DAY,
        "after": day + ONE_DAY if day < clock.today() else None,
        "rows": [
            {
                "of": row,
                "signed_in": signed.get(row.institution_id, 0),
                "url": _list(day, institution__id__exact=row.institution_id),
            }
            for row in rows
        ],
        "facts": [
            {"label": _("Calls"), "value": calls},
            {"label": _("Refused"), "value": f"{refused} ({round(100 * refused / calls)}%)" if calls else 0},
            {"label": _("Failed by our fault"), "value": sum(row.failed for row in rows)},
            {"label": _("Signed in now"), "value": sum(signed.values())},
        ],
        "refusals": [
            {"code": code, "count": count, "told": texts.outcome(code), "url": _list(day, outcome__exact=code)}
            for code, count in refusals_of(regions, day)
        ],
        "turned_away": [
            {"of": row, "told": texts.outcome(row.code), "remedy": documentation.remedy_at_the_door(row.code)}
            for row in turned_away_on(regions, day)
        ],
        "slowest": slowest_of(regions, day),
    }
    return render(request, "admin/gateway/message/today.html", context)


def message(request: HttpRequest, pk: int) -> HttpResponse:
    """A message: who called what and how it ended. What was said is read, or tried again, only for a reason."""
    if not may_watch_calls(request.user):
        raise Http404
    found = get_object_or_404(messages_visible_to(request.user), pk=pk)
    may = may_open_messages(request.user, found.institution.region_id)
    form = ReasonForm(request.POST or None)
    context: dict[str, Any] = {"message": found, "facts": _facts(found), "form": form if may else None}
    context["back"] = back_to(request, "admin:gateway_gatewaymessage_changelist")
    verb = {"open": bodies.open_message, "replay": bodies.replay}.get(request.POST.get("act", ""))
    if request.method == "POST":
        if not may or verb is None:
            raise Http404
        if form.is_valid():
            try:
                said = verb(message=found, by=request.user, reason=form.cleaned_data["reason"])
                context[request.POST["act"]] = said
            except Refused as refusal:
                context["refused"] = reasons.tell_refused(refusal)
    failed = request.method == "POST" and (form.errors or "refused" in context)
    return render(request, "admin/gateway/message/message.html", context, status=422 if failed else 200)


def _day(request: HttpRequest) -> datetime.date:
    asked = request.GET.get("on", "")
    try:
        return min(datetime.date.fromisoformat(asked), clock.today()) if asked else clock.today()
    except ValueError:
        raise Http404 from None


def _list(day: datetime.date, **asked: Any) -> str:
    asked |= dict.fromkeys(days_asked("received_at"), day)
    return f"{reverse('admin:gateway_gatewaymessage_changelist')}?{urlencode(asked)}"


def _facts(found: GatewayMessage) -> list[dict[str, Any]]:
    name = documentation.entry(found.infno).name if found.infno in fields.known() else ""
    kept = _("kept, encrypted") if found.body_kept else _("deleted; its time was over")
    return [
        {"label": _("Institution"), "value": f"{found.institution.name} · {found.institution.code}"},
        {"label": _("Transaction"), "value": f"{found.infno} {name}".strip()},
        {"label": _("Message ID"), "value": found.msgid},
        {"label": _("Signing key"), "value": found.key.key_id},
        {"label": _("Received"), "value": dates.second(found.received_at)},
        {"label": _("Outcome"), "value": " · ".join(filter(None, [texts.outcome(found.outcome), found.outcome]))},
        *([{"label": _("What to do"), "value": remedy}] if (remedy := _remedy(found.outcome)) else []),
        {"label": _("Duration, milliseconds"), "value": "-" if found.duration_ms is None else found.duration_ms},
        {"label": _("Message and answer"), "value": kept},
    ]


def _remedy(outcome: str) -> str:
    """What the institution does after a refusal, to be told to whoever asks; empty where nothing is to be done."""
    if outcome in ("", GatewayMessage.OK, corrections.CORRECTED):
        return ""
    code = outcome if outcome[0].islower() else "system_error"
    return documentation.remedy(code) if code in texts.TEXTS else str(reasons.tell(code).remedy)
