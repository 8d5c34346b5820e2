"""Settled bills: the list, and one bill with its working."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import clock, kinship
from accounts.decorators import deny, member_required
from accounts.models import User
from casework.enums import CaseState
from settlements.enums import EntryKind
from settlements.models import Reimbursement, Settlement
from settlements.policies import may_see_whole
from settlements.queries import member as read
from settlements.queries.claims import reversal_of
from settlements.telling import movements
from settlements.telling.explaining import Explanation, grant_names

PER_PAGE = 20
WHOSE = ("", "own", "family")


@require_safe
@member_required()
def bills(request: HttpRequest) -> HttpResponse:
    """One's own bills, and what one's account paid for relatives: amount and institution, never what for."""
    whose = request.GET.get("whose", "")
    whose = whose if whose in WHOSE else ""
    page = Paginator(read.settlements_of(request.user, whose), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "rows": [row(request.user, bill) for bill in page], "whose": whose}
    return render(request, "settlements/_bills.html" if request.htmx else "settlements/bills.html", context)


def row(user: User, bill: Settlement) -> dict[str, object]:
    """A bill in the list: for the patient the whole and the cash, for a relative his own leg."""
    mine = bill.patient_id == user.member_id
    leg = bill.legs[0] if bill.legs else None
    paid = leg.current + leg.historical if leg else None
    relation = leg.grant.relation if leg and leg.grant else ""
    return {
        "bill": bill,
        "mine": mine,
        "what": movements.CARE[bill.kind] if mine else kinship.term(relation, bill.patient.sex),
        "name": bill.patient.name,
        "paid": paid,
        "amount": bill.cash if mine else paid,
    }


@require_safe
@member_required()
def bill(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The whole bill for its patient; for a relative who paid only his leg. Somebody else's is as absent as no bill."""
    found = read.settlement_visible_to(request.user, public_id)
    if found is None:
        deny(request)
    if not may_see_whole(request.user, found):
        return render(request, "settlements/leg.html", _leg(request.user, found))
    told = Explanation(found, grant_names(found), two_buckets=found.region.two_buckets)
    context = {"bill": found, "told": told, "order": _order(found), "printed_at": clock.now()}
    context |= {"claimed": found.transaction.kind == EntryKind.CLAIM, "back_amount": found.total - found.cash}
    context |= _reversal(found)
    return render(request, "settlements/bill.html", context)


def _reversal(found: Settlement) -> dict[str, object]:
    """The reversal at the window of a bill that was settled anew, and what is between its patient and the office."""
    asked = reversal_of(found)
    if asked is None or asked.case.state != CaseState.GRANTED:
        return {"reversal": asked}
    payment = Reimbursement.objects.filter(case=asked.case).first()
    return {"reversal": asked, "payment": payment, "owed": -payment.amount if payment else None}


def _leg(user: User, found: Settlement) -> dict[str, object]:
    leg = next(leg for leg in found.payers.all() if leg.member_id == user.member_id)
    relation = leg.grant.relation if leg.grant else ""
    return {
        "bill": found,
        "paid": leg.current + leg.historical,
        "two_buckets": leg.account.region.two_buckets,
        "term": kinship.term(relation, found.patient.sex),
        "name": found.patient.name,
    }


def _order(found: Settlement) -> list[str]:
    """Whose accounts stood ready, in the order frozen at the settlement."""
    grants = read.order_at(found)
    return [kinship.term(kinship.inverse(grant.relation), grant.grantor.sex) for grant in grants]
