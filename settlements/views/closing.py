"""A citizen follows the closing of an account: his own, or one of which he inherits a part."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.decorators import member_required
from casework import kinds
from casework.enums import CaseState
from casework.telling import events, tag_of
from settlements.enums import AccountStatus
from settlements.queries.withdrawal import applications_visible_to, out_of_wallet
from settlements.telling import closing as telling


@require_safe
@member_required()
def closing(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is asked, where it stands, who gets what; an heir sees his own part only."""
    found = get_object_or_404(applications_visible_to(request.user), case__public_id=public_id)
    own = found.case.applicant_id == request.user.member_id
    context = {
        "case": found.case,
        "title": kinds.get(found.case.kind).title,
        "own": own,
        "reopened": found.account is not None
        and found.case.state == CaseState.GRANTED
        and found.account.status == AccountStatus.OPEN,
        "tag": tag_of(found.case),
        "rows": telling.answers(found),
        # The sum is of all heirs; each is told that it is counted in.
        "wallet": out_of_wallet(found) > 0,
        "payees": telling.payee_rows(found, only=None if own else request.user.member),
        "events": events(found.case, request.user, found.case.due_on if found.case.state == "review" else None),
    }
    return render(request, "settlements/closing.html", context)
