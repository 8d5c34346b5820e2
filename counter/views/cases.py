"""One address for a case at the window and one for its second check; what kind it is decides which page it is."""

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from accounts.decorators import role_required
from accounts.enums import Role
from casework import queries as case_queries
from counter.views import bills, closing, sharing
from counter.views import review as sharing_review
from family.enums import SHARING
from settlements.domain import withdrawal
from settlements.enums import BILL_REVERSAL_CASE, CLAIM_CASE, RECALCULATION_CASE

BILLS = (CLAIM_CASE, RECALCULATION_CASE, BILL_REVERSAL_CASE)
CASES = {
    SHARING: sharing.case,
    **dict.fromkeys(withdrawal.KINDS, closing.case),
    **dict.fromkeys(BILLS, bills.case),
}
REVIEWS = {
    SHARING: sharing_review.review,
    **dict.fromkeys(withdrawal.KINDS, closing.review),
    **dict.fromkeys(BILLS, bills.review),
}


def _page(pages: dict[str, Callable[..., HttpResponse]], request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The page of the kind; a kind that is not dealt with here is not found."""
    kind = get_object_or_404(case_queries.visible_to(request.user), public_id=public_id).kind
    if kind not in pages:
        raise Http404
    return pages[kind](request, public_id)


@role_required(Role.CLERK)
def case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A case at the window."""
    return _page(CASES, request, public_id)


@role_required(Role.SUPERVISOR)
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The second check of a case."""
    return _page(REVIEWS, request, public_id)
