"""The account: balances, the last twelve months, and every movement told in a sentence."""

import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import clock, dates
from accounts.decorators import member_required
from accounts.models import User
from family.queries import rules_on
from settlements import periods
from settlements.forms.account import MovementFilter
from settlements.models import PersonalAccount
from settlements.queries import member as read
from settlements.queries.crediting import credited_years
from settlements.queries.statement import due_lines, month_ends
from settlements.queries.year import year_on
from settlements.telling import movements
from settlements.telling import why as why_telling

PER_PAGE = 20


@require_safe
@member_required()
def account(request: HttpRequest) -> HttpResponse:
    """Balances, chart, movements; under HTMX only the movements."""
    on = clock.today()
    found = read.account_of(request.user.member, on)
    if found is None:
        context = {"whys": why_telling.tell(request.user, clock.now(), on)}
        return render(request, "settlements/no_account.html", context)
    context = movements_context(request, found, on)
    if request.htmx:
        return render(request, "settlements/_movements.html", context, status=context["status"])
    context |= {
        "balance": read.balance_of(found, on),
        "year": year_on(found.region_id, on),
        "credited": credited_years(found),
        "uses": rules.uses if (rules := rules_on(found.region_id, on)) else (),
        "months": [
            {"label": dates.month(day), "current": held.current, "historical": held.historical}
            for day, held in month_ends(found, on)
        ],
    }
    return render(request, "settlements/account.html", context, status=context["status"])


@require_safe
@member_required()
def why(request: HttpRequest) -> HttpResponse:
    """What explains the balance, or that there is none."""
    on = clock.today()
    found = read.account_of(request.user.member, on)
    context = {
        "balance": read.balance_of(found, on) if found else None,
        "whys": why_telling.tell(request.user, clock.now(), on),
    }
    return render(request, "settlements/why.html", context)


def movements_context(request: HttpRequest, found: PersonalAccount, on: datetime.date) -> dict[str, Any]:
    """The filter and one page of movements."""
    user = request.user
    presets = periods.presets(found.region_id, on)
    form = _filter(request, user, found, presets)
    chosen = form.cleaned_data if form.is_valid() else {}
    period = next((preset for preset in presets if preset.code == chosen.get("period")), None)
    entries = read.movements(
        user,
        found,
        start=period.start if period else None,
        end=period.end if period else None,
        kind=chosen.get("kind", ""),
        person=chosen.get("person") or None,
    )
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    lines = read.lines(found, page.object_list)
    if page.number == 1 and not chosen.get("person"):
        lines = [*reversed(_due(found, on, period, chosen.get("kind", ""))), *lines]
    return {
        "account": found,
        "form": form,
        "page_obj": page,
        "lines": movements.tell_lines(lines, on),
        "filtered": any(chosen.values()),
        "status": 422 if form.errors else 200,
    }


def _filter(request: HttpRequest, user: User, found: PersonalAccount, presets: list[periods.Preset]) -> MovementFilter:
    people = [
        (str(person.public_id), movements.named(person, relation))
        for person, relation in read.people_paid_for(user, found)
    ]
    choices = [(preset.code, str(preset.label)) for preset in presets]
    return MovementFilter(request.GET, periods=choices, people=people)


def _due(found: PersonalAccount, on: datetime.date, period: periods.Preset | None, kind: str) -> list[read.Line]:
    """What the balances above show already belongs into the list below."""
    wanted = read.ENTRY_KINDS.get(kind, ())
    return [
        line
        for line in due_lines(found, on)
        if (not kind or line.kind in wanted) and (period is None or period.start <= line.on <= period.end)
    ]
