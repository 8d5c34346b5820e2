"""The order in which the grantors of the member whose record is open pay."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock, reasons
from accounts.decorators import role_required
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.once import new_token
from counter import desk
from counter.desk import Opened, needs_opened
from counter.views.desk import opened_context
from family import queries, telling
from family.actions import grants as grant_actions
from family.forms import MoveForm
from settlements import ordering


@role_required(Role.CLERK)
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The order of the opened member's grantors."""
    on, person = clock.today(), serving.member
    problem, moved, said = None, "", ""
    if request.method == "POST":
        problem, moved, said = _move(request, person)
        if problem is None and not request.htmx:
            messages.success(request, said)
            return redirect("counter:order")
    else:
        desk.look(request, person, "order", serving.reason)
    region = queries.region_of(person, on)
    rules = queries.rules_on(region, on) if region else None
    listed = ordering.in_order(person, rules, on)
    rows = telling.order_rows(listed, ordering.used_this_year(listed, on))
    for row in rows:
        row["changed"] = row["id"] == moved
    context = {
        "rows": rows,
        "version": queries.order_of(person.pk)[1],
        "adjustable": bool(rules and rules.order_adjustable),
        "fixed": telling.FIXED_ORDER.get(rules.order) if rules else None,
        "problem": problem,
        "announce": said,
        "has_errors": bool(problem),
        "service": "order",
        "token": new_token(),
    }
    status = 422 if problem else 200
    if request.htmx:
        return render(request, "counter/_order.html", context, status=status)
    return render(request, "counter/order.html", opened_context(request, serving) | context, status=status)


def _move(request: HttpRequest, person: Any) -> tuple[reasons.Told | None, str, str]:
    form = MoveForm(request.POST)
    held = list(queries.grants_to_order(person.pk, clock.today()))
    applied = form.applied_to(held) if form.is_valid() else None
    if applied is None:
        return reasons.tell("stale_order"), "", ""
    ids, grant = applied
    try:
        grant_actions.reorder(
            beneficiary=person,
            grant_ids=ids,
            version=form.cleaned_data["version"],
            by=request.user,
            at=clock.now(),
            channel=Channel.WINDOW,
        )
    except Refused as refused:
        return reasons.tell_refused(refused), "", ""
    except PermissionDenied:
        return reasons.tell("not_permitted"), "", ""
    facts = {"term": telling.term_of_grantor(grant), "place": ids.index(grant.pk) + 1}
    return None, str(grant.public_id), _("“%(term)s” is now number %(place)s") % facts
