"""The order in which the grantors of the member whose record is open pay."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.decorators import role_required
from accounts.enums import Channel, Role
from accounts.once import new_token
from counter import desk
from counter.desk import Opened, needs_opened
from counter.views.desk import opened_context
from family import queries, telling
from family.moving import Moved, move
from settlements import ordering


@role_required(Role.CLERK)
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, serving: Opened) -> HttpResponse:
    """The order of the opened member's grantors."""
    on, person = clock.today(), serving.member
    problem, moved, said = Moved(None)
    if request.method == "POST":
        problem, moved, said = move(request.POST, beneficiary=person, by=request.user, channel=Channel.WINDOW)
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
