"""Reading cases, always through what a login may see."""

import datetime
from dataclasses import dataclass

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from accounts.enums import Role
from accounts.models import Member, User
from accounts.policies import person_of, regions_with_role
from casework import kinds
from casework.domain import states, working_days
from casework.enums import CaseState
from casework.models import Case, CaseEvent, WorkingDayException
from casework.policies import staff_regions


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many cases wait in a supervisor's regions; `overdue` and `due_today` are among those in `review`."""

    review: int
    overdue: int
    due_today: int
    consent: int
    returned: int


def visible_to(user: User) -> QuerySet[Case]:
    """One's own cases, those that the kind lets one see, and for staff those of their regions."""
    seen = _of(user.member_id) | Q(region__in=staff_regions(user))
    return Case.objects.filter(seen).select_related("region", "applicant")


def about(user: User, member: Member) -> QuerySet[Case]:
    """The cases about a member, of those that a login may see: his own, and in which he has a part."""
    return visible_to(user).filter(_of(member.pk))


def _of(member_id: int | None) -> Q:
    """Cases of a member (id), and those that their kind lets him see."""
    seen = Q(applicant=member_id)
    for kind in kinds.known():
        seen |= Q(kind=kind.code) & kind.others_see(member_id)
    return seen


def review_queue(user: User, on: datetime.date) -> QuerySet[Case]:
    """Cases that wait for a second check in a supervisor's regions, the first due first.

    Each with `overdue` (due before `on`) and `own` (the supervisor had a hand in it, or it is about himself: somebody else
    must check it).
    """
    person = person_of(user)
    his = _of(person)
    hand = CaseEvent.objects.filter(case=OuterRef("pk"), actor=user.pk, verb__in=states.MAKING)
    waiting = _in_regions_of(user).filter(state=CaseState.REVIEW)
    return (
        waiting.annotate(
            overdue=ExpressionWrapper(Q(due_on__lt=on), output_field=BooleanField()),
            own=ExpressionWrapper(Q(Exists(hand)) | his, output_field=BooleanField()),
        )
        .select_related("region", "applicant", "opened_by", "centre")
        .order_by("due_on", "submitted_at", "id")
    )


def waiting(user: User, on: datetime.date) -> Waiting:
    """The counts for a supervisor's start page; one statement."""
    review = Q(state=CaseState.REVIEW)
    counts = _in_regions_of(user).aggregate(
        review=Count("id", filter=review),
        overdue=Count("id", filter=review & Q(due_on__lt=on)),
        due_today=Count("id", filter=review & Q(due_on=on)),
        consent=Count("id", filter=Q(state=CaseState.CONSENT)),
        returned=Count("id", filter=Q(state=CaseState.RETURNED)),
    )
    return Waiting(**counts)


def _in_regions_of(user: User) -> QuerySet[Case]:
    return Case.objects.filter(region__in=regions_with_role(user, Role.SUPERVISOR))


def timeline(case: Case) -> QuerySet[CaseEvent]:
    """What happened to a case, the first first. Staff are named by their login's shown name, members never."""
    return case.events.select_related("actor").order_by("id")


def working_day_exceptions(start: datetime.date, days: int = 120) -> working_days.Exceptions:
    """The official calendar from a day on, as `working_days` reads it."""
    end = start + datetime.timedelta(days=days)
    return dict(WorkingDayException.objects.filter(day__range=(start, end)).values_list("day", "is_working"))
