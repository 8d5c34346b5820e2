"""The second check, alike for every kind of case: looked at, then granted, returned or refused; never one's own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import clock, reasons
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Member
from accounts.once import done_once
from accounts.policies import regions_with_role, serves_himself
from casework import policies as case_policies
from casework.actions import cases
from casework.enums import CaseState
from casework.models import Case
from counter import desk
from counter.forms.window import DecisionForm

Problem = reasons.Told | None
RETURNED = gettext_lazy("%(number)s went back to be changed.")


@dataclass(frozen=True)
class Check:
    """How one kind of case is checked.

    `find` gives the case's payload within these regions or 404, `people` whose record is looked at with it, `page` the
    page, `said` what is told of each verdict.
    """

    find: Callable[[HttpRequest, UUID, set[str]], Any]
    people: Callable[[Any], Iterable[Member]]
    page: Callable[[HttpRequest, Any, DecisionForm, Problem], HttpResponse]
    said: Mapping[str, str | Promise]


def check(request: HttpRequest, public_id: UUID, how: Check) -> HttpResponse:
    """Show a case of the supervisor's regions, or decide it once."""
    found = how.find(request, public_id, regions_with_role(request.user, Role.SUPERVISOR))
    if request.method != "POST":
        reason = _("second check of %(number)s") % {"number": found.case.number}
        for person in how.people(found):
            desk.look(request, person, f"case {found.case.number}", reason, action="read_case")
        return how.page(request, found, DecisionForm("", initial={"version": found.case.version}), None)
    verdict = request.POST.get("verdict", "")
    form = DecisionForm(verdict, request.POST)
    if verdict not in how.said or not form.is_valid():
        return how.page(request, found, form, None)
    return done_once(request, lambda: _decide(request, found, form, how))


def _decide(request: HttpRequest, found: Any, form: DecisionForm, how: Check) -> HttpResponse:
    note, version = form.cleaned_data["reason"], form.cleaned_data["version"]
    try:
        cases.decide(case=found.case, verb=form.verdict, by=request.user, at=clock.now(), note=note, version=version)
    except Refused as refused:
        newest = how.find(request, found.case.public_id, {found.case.region_id})
        form = DecisionForm("", initial={"version": newest.case.version, "reason": note})
        return how.page(request, newest, form, reasons.tell_refused(refused))
    messages.success(request, how.said[form.verdict] % {"number": found.case.number})
    return redirect("counter:queue")


def decision_context(
    request: HttpRequest, case: Case, concerned: Iterable[int], form: DecisionForm, problem: Problem
) -> dict[str, Any]:
    """For counter/_decide.html: whether the case waits, and whether this supervisor may decide it. `concerned`: ids of
    the members whom it is about."""
    waits = case.state == CaseState.REVIEW
    return {
        "case": case,
        "waits": waits,
        "concerns": serves_himself(request.user, *concerned),
        "own": case_policies.had_a_hand(request.user, case),
        "late": waits and case.due_on is not None and case.due_on < clock.today(),
        "form": form,
        "problem": problem,
        "has_errors": bool(problem or form.errors),
    }
