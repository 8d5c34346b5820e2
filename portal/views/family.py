"""The pages of the family that need its accounts as well: home, the order with its worked example, one grant."""

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, dates, masks, reasons
from accounts.decorators import fresh_proof_required, member_required
from accounts.enums import Channel, IdentityLevel
from accounts.errors import Refused
from accounts.models import Member
from casework.enums import OPEN_STATES, CaseState
from casework.telling import STATE_TAGS
from family import queries, telling
from family.models import SharingApplication
from family.moving import Moved, move
from portal.forms import ExampleForm
from portal.views.home import relatives
from settlements import ordering
from settlements.queries import member as read
from settlements.queries import year as years
from settlements.telling import movements as told

EXAMPLE = Decimal("300.00")
USES_SHOWN = 10


@require_safe
@member_required()
def home(request: HttpRequest) -> HttpResponse:
    """Whom I share with, who shares with me, what waits for an answer, and this year's use."""
    on, member = clock.today(), request.user.member
    context = relatives(member, on)
    mine = queries.applications_visible_to(request.user).filter(grantor=member, case__state__in=OPEN_STATES)
    region = queries.region_of(member, on)
    rules = queries.rules_on(region, on) if region else None
    account = read.account_of(member, on)
    context |= {
        "applications": [_applied(one) for one in mine.order_by("-case__opened_at")],
        "invitations": [_invited(one) for one in queries.invitations_to(member)],
        "may_order": len(context["held"]) > 1,
        "rules": rules,
        "account": account,
        "used": sum(ordering.used_this_year(list(queries.given_by(member)), on).values(), Decimal(0)),
    }
    if account is not None:
        historical = read.balance_of(account, on).historical
        kept = rules.keep if rules else Decimal(0)
        context |= {"shareable": max(historical - kept, Decimal(0)), "kept": kept}
    return render(request, "portal/family.html", context)


def _applied(application: SharingApplication) -> dict[str, Any]:
    small = telling.limit(application.limit)
    if application.case.state == CaseState.CONSENT:
        small = _("Can agree until %(day)s") % {"day": dates.day_short(application.consent_until)}
    return {
        "case": application.case,
        "term": telling.term_of_beneficiary(application),
        "name": masks.mask_name(application.beneficiary.name),
        "small": small,
        "tag": application.case.get_state_display(),
        "tag_kind": STATE_TAGS[CaseState(application.case.state)],
    }


def _invited(application: SharingApplication) -> dict[str, Any]:
    return {
        "case": application.case,
        "term": telling.term_of_grantor(application),
        "name": masks.mask_name(application.grantor.name),
        "small": telling.uses(application),
        "until": application.consent_until,
    }


@member_required(IdentityLevel.VERIFIED)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof_required
def order(request: HttpRequest) -> HttpResponse:
    """Whose account pays first; the list and its example are one part, for each move changes the example."""
    member = request.user.member
    problem, moved, said = Moved(None)
    if request.method == "POST":
        problem, moved, said = move(request.POST, beneficiary=member, by=request.user, channel=Channel.ONLINE)
        if problem is None and not request.htmx:
            messages.success(request, said)
            return redirect("family:order")
    context = order_context(request, member) | {"problem": problem, "announce": said, "has_errors": bool(problem)}
    for row in context["rows"]:
        row["changed"] = row["id"] == moved
    template = "portal/_order.html" if request.htmx else "portal/order.html"
    if request.htmx and request.htmx.target == "example":
        template = "portal/_order_example.html"
    return render(request, template, context, status=422 if problem or context["example_form"].errors else 200)


def order_context(request: HttpRequest, member: Member) -> dict[str, Any]:
    """The order as it holds today, and the worked example for it."""
    on = clock.today()
    region = queries.region_of(member, on)
    rules = queries.rules_on(region, on) if region else None
    listed = ordering.in_order(member, rules, on)
    account = read.account_of(member, on)
    levels = ordering.levels(region)
    example = ExampleForm(levels, request.GET if "amount" in request.GET else None)
    asked = {"amount": EXAMPLE, "level": ordering.usual_level(levels)}
    if example.is_bound and example.is_valid():
        asked = example.cleaned_data
        if not ratelimit.consume(request, action="estimate"):
            example.add_error(None, str(reasons.tell("too_many_tries")))
    elif not example.is_bound:
        example = ExampleForm(levels, initial=asked)
    context: dict[str, Any] = {
        "member": member,
        "account": account,
        "balance": read.balance_of(account, on) if account else None,
        "version": queries.order_of(member.pk)[1],
        "rows": telling.order_rows(listed, ordering.used_this_year(listed, on)),
        "adjustable": bool(rules and rules.order_adjustable),
        "fixed": telling.FIXED_ORDER.get(rules.order) if rules else None,
        "example_form": example,
        "levels": dict(levels),
        "asked": asked,
    }
    if not example.errors:
        try:
            context["example"] = ordering.worked_example(member, asked["amount"], asked["level"], listed, on)
        except Refused as refused:
            context["no_example"] = reasons.tell_refused(refused)
    return context


@require_safe
@member_required()
def grant(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One relative: the terms, this year's use, the latest uses (amount and institution, nothing else), what can be done."""
    found = get_object_or_404(queries.grants_visible_to(request.user), public_id=public_id)
    on = clock.today()
    is_grantor = found.grantor_id == request.user.member_id
    now = years.year_on(found.region_id, on)
    used = years.grant_use([found], {found.region_id: now.number} if now else {})[found.pk]
    holds = found.starts_on <= on and (found.ends_on is None or on < found.ends_on)
    context = {
        "grant": found,
        "is_grantor": is_grantor,
        "holds": holds,
        "term": telling.term_of_beneficiary(found) if is_grantor else telling.term_of_grantor(found),
        "name": masks.mask_name((found.beneficiary if is_grantor else found.grantor).name),
        "used": used,
        "left": max(found.limit - used, Decimal(0)) if found.limit is not None else None,
        "uses": telling.uses(found),
        "limit": telling.limit(found.limit),
        "until": telling.until(found.ends_on),
        "why_ended": telling.why_ended(found, is_grantor=is_grantor),
        "latest": _latest(request, found, on) if is_grantor else [],
    }
    return render(request, "portal/grant.html", context)


def _latest(request: HttpRequest, found: Any, on: datetime.date) -> list[Any]:
    """What the relative used of the grantor's account, newest first: of the one in the grant's region, though the grantor
    may have moved on since."""
    account = read.accounts_visible_to(request.user).filter(region=found.region_id).first()
    if account is None:
        return []
    entries = read.movements(request.user, account, person=found.beneficiary.public_id)[:USES_SHOWN]
    return told.tell_lines(read.lines(account, entries), on)
