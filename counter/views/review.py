"""The second check: the supervisor's queue and one case with all that the decision needs."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, masks
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.queries import enrolment_on
from casework import queries as case_queries
from casework import telling as case_telling
from counter import queries
from counter.forms.window import DecisionForm
from counter.views.checking import RETURNED, Check, Problem, check, decision_context
from family import queries as family
from family import telling
from family.models import SharingApplication

supervisor = role_required(Role.SUPERVISOR)
PER_PAGE = 50


@supervisor
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Cases that wait for a second check in this supervisor's regions, the first due first."""
    on = clock.today()
    page = Paginator(case_queries.review_queue(request.user, on), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": [
            {"row": row, "late": (on - row.case.due_on).days if row.case.overdue else 0, "today": row.case.due_on == on}
            for row in case_telling.rows(page.object_list, request.user)
        ],
        "counts": case_queries.waiting(request.user, on),
        "checked": queries.checked_today(request.user, on),
        "today": on,
    }
    return render(request, "counter/queue.html", context)


@supervisor
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Grant, return or refuse. Never one's own case: the page says why."""
    return check(request, public_id, SHARING)


def _find(request: HttpRequest, public_id: UUID, regions: set[str]) -> SharingApplication:
    seen = family.applications_visible_to(request.user).filter(case__region__in=regions)
    return get_object_or_404(seen, case__public_id=public_id)


def _page(request: HttpRequest, found: SharingApplication, form: DecisionForm, problem: Problem) -> HttpResponse:
    on = clock.today()
    findings, facts, rules = family.findings_on(found, on)
    grantor, beneficiary = enrolment_on(found.grantor, on), enrolment_on(found.beneficiary, on)
    context = decision_context(request, found.case, [found.grantor_id, found.beneficiary_id], form, problem)
    context |= {
        "application": found,
        "on_paper": found.case.events.filter(verb="consent", note="paper").exists(),
        "tag": case_telling.tag_of(found.case),
        "grantor_name": masks.mask_name(found.grantor.name),
        "beneficiary_name": telling.named(telling.term_of_beneficiary(found), found.beneficiary),
        "grantor_enrolment": grantor,
        "beneficiary_enrolment": beneficiary,
        "facts": facts,
        "relatives": sum(facts.relatives.values()),
        "most_relatives": rules.max_beneficiaries if rules else None,
        "most_grantors": rules.max_grantors if rules else None,
        "uses": telling.uses(found),
        "limit": telling.limit(found.limit),
        "until": telling.until(found.ends_on),
        "findings": telling.findings(findings),
        "changes": queries.changes_since_submission(found, on),
        "events": case_telling.events(found.case, request.user, telling.waits_until(found)),
    }
    return render(request, "counter/review.html", context, status=422 if context["has_errors"] else 200)


SHARING = Check(
    find=_find,
    people=lambda found: (found.grantor, found.beneficiary),
    page=_page,
    said={
        "approve": gettext_lazy("%(number)s is granted. Both have been told."),
        "return": RETURNED,
        "refuse": gettext_lazy("%(number)s is refused. The applicant has been told why."),
    },
)
