"""A settled bill of the member whose record is open: how it came out, and, if it was settled anew, its reversal."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock, reasons
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.once import done_once
from accounts.policies import centre_of
from casework import telling as case_telling
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.window import BillReversalForm
from counter.views.desk import opened_context
from settlements.actions import bill_reversals
from settlements.models import BillReversal, Settlement
from settlements.queries import claims as read
from settlements.telling import bills as bill_telling
from settlements.telling.explaining import Explanation, grant_names


@role_required(Role.CLERK)
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def bill(request: HttpRequest, serving: Opened, public_id: UUID) -> HttpResponse:
    """The bill by any of its settlements; a claim has its own page. Sent, its reversal is asked for."""
    seen = read.bills_visible_to(request.user).filter(patient=serving.member)
    first = get_object_or_404(seen, public_id=public_id).first
    last = first.last
    if claim := read.claims_visible_to(request.user).filter(settlement=last).first():
        return redirect("counter:case", public_id=claim.case.public_id)
    reversal = BillReversal(bill=first)
    undoing = bill_reversals.undoing(reversal)
    form = BillReversalForm(undoing.to_member > 0, request.POST or None)
    if request.method != "POST":
        desk.look(request, serving.member, f"bill {first.number}", serving.reason)
    elif form.is_valid():
        return done_once(request, lambda: _ask(request, serving, first, form))
    return _page(request, serving, first, form)


def _page(
    request: HttpRequest,
    serving: Opened,
    first: Settlement,
    form: BillReversalForm,
    problem: reasons.Told | None = None,
) -> HttpResponse:
    last = first.last
    asked = read.reversals_visible_to(request.user).filter(bill=first).order_by("-id")
    under_way = any(one.case.closed_at is None for one in asked)
    anew, stands = last != first, last.reversed_on is None
    bad = bool(problem or form.errors)
    context: dict[str, Any] = opened_context(request, serving) | {
        "bill": last,
        "rows": bill_telling.settled_anew(first) if anew else bill_telling.settled(first),
        "told": Explanation(last, grant_names(last), mine=False, two_buckets=last.region.two_buckets),
        "cases": case_telling.rows([one.case for one in asked], request.user),
        "anew": anew,
        "stands": stands,
        "form": form if anew and stands and not under_way else None,
        "undoing": bill_reversals.undoing(BillReversal(bill=first)),
        "problem": problem,
        "service": "recalculate",
        "has_errors": bad,
    }
    return render(request, "counter/bill.html", context, status=422 if bad else 200)


def _ask(request: HttpRequest, serving: Opened, first: Settlement, form: BillReversalForm) -> HttpResponse:
    try:
        asked = bill_reversals.request_reversal(
            bill=first,
            reason=form.cleaned_data["why"],
            by=request.user,
            at=clock.now(),
            bank=form.cleaned_data.get("bank", ""),
            bank_account=form.cleaned_data.get("bank_account", ""),
            centre=centre_of(request.user, first.region_id),
        )
    except Refused as refused:
        return _page(request, serving, first, form, reasons.tell_refused(refused))
    except PermissionDenied:
        return _page(request, serving, first, form, reasons.tell("not_permitted"))
    messages.success(request, _("%(number)s waits for the second check.") % {"number": asked.case.number})
    return redirect("counter:case", public_id=asked.case.public_id)
