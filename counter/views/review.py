"""The second check: the supervisor's queue and one case with all that the decision needs."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock, masks, reasons
from accounts.decorators import role_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.once import done_once
from accounts.policies import regions_with_role, serves_himself
from accounts.queries import enrolment_on
from casework import policies as case_policies
from casework import queries as case_queries
from casework import telling as case_telling
from casework.enums import CaseState
from counter import desk, queries
from counter.forms import DecisionForm
from family import queries as family
from family import telling
from family.actions import sharing
from family.models import SharingApplication

supervisor = role_required(Role.SUPERVISOR)
PER_PAGE = 50
VERDICTS = {"approve": sharing.review_approve, "return": sharing.review_return, "refuse": sharing.review_refuse}


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
    regions = regions_with_role(request.user, Role.SUPERVISOR)
    seen = family.applications_visible_to(request.user).filter(case__region__in=regions)
    found = get_object_or_404(seen, case__public_id=public_id)
    if request.method != "POST":
        for person in (found.grantor, found.beneficiary):
            reason = _("second check of %(number)s") % {"number": found.case.number}
            desk.look(request, person, f"case {found.case.number}", reason, action="read_case")
        form = DecisionForm("", initial={"version": found.case.version})
        return _page(request, found, form)
    verdict = request.POST.get("verdict", "")
    form = DecisionForm(verdict, request.POST)
    if verdict not in VERDICTS or not form.is_valid():
        return _page(request, found, form)
    return done_once(request, lambda: _decide(request, found, form))


def _decide(request: HttpRequest, found: SharingApplication, form: DecisionForm) -> HttpResponse:
    try:
        VERDICTS[form.verdict](
            application=found,
            by=request.user,
            at=clock.now(),
            note=form.cleaned_data["reason"],
            version=form.cleaned_data["version"],
        )
    except Refused as refused:
        newest = family.applications_visible_to(request.user).get(pk=found.pk)
        form = DecisionForm("", initial={"version": newest.case.version, "reason": form.cleaned_data["reason"]})
        return _page(request, newest, form, reasons.tell_refused(refused))
    said = {
        "approve": _("%(number)s is granted. Both have been told."),
        "return": _("%(number)s went back to be changed."),
        "refuse": _("%(number)s is refused. The applicant has been told why."),
    }
    messages.success(request, said[form.verdict] % {"number": found.case.number})
    return redirect("counter:queue")


def _page(
    request: HttpRequest, found: SharingApplication, form: DecisionForm, problem: reasons.Told | None = None
) -> HttpResponse:
    on = clock.today()
    waits = found.case.state == CaseState.REVIEW
    findings, facts, rules = family.findings_on(found, on)
    grantor, beneficiary = enrolment_on(found.grantor, on), enrolment_on(found.beneficiary, on)
    bad = bool(problem or form.errors)
    context = {
        "application": found,
        "case": found.case,
        "waits": waits,
        "concerns": serves_himself(request.user, found.grantor_id, found.beneficiary_id),
        "own": case_policies.had_a_hand(request.user, found.case),
        "on_paper": found.case.events.filter(verb="consent", note="paper").exists(),
        "late": waits and found.case.due_on is not None and found.case.due_on < on,
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
        "form": form,
        "problem": problem,
        "has_errors": bad,
    }
    return render(request, "counter/review.html", context, status=422 if bad else 200)
