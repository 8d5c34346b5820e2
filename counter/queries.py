"""What a clerk reads of his own day, and a supervisor of a case since it was submitted."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import EnrolmentStatus, Insurance
from accounts.models import AuditEvent, Member, Region, User
from accounts.money import ZERO
from casework.domain import states
from casework.models import Case, CaseEvent
from family import queries as family
from family import telling
from family.domain.check import Person
from family.models import SharingApplication

READINGS = ("open_member", "read_member", "read_case", "unmask", "open_refused")


def day_of(on: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """The first instant of a day and of the next one."""
    start = timezone.make_aware(datetime.datetime.combine(on, datetime.time.min))
    return start, start + datetime.timedelta(days=1)


def steps_of(user: User, on: datetime.date) -> QuerySet[CaseEvent]:
    """The steps a login took with cases on a day, the latest first."""
    start, end = day_of(on)
    mine = CaseEvent.objects.filter(actor=user, at__gte=start, at__lt=end)
    return mine.select_related("case", "case__applicant", "case__region").order_by("-id")


def cases_of(user: User, on: datetime.date) -> list[Case]:
    """The cases a login took a step with on a day, the latest first."""
    return list({event.case_id: event.case for event in steps_of(user, on)}.values())


def readings_of(user: User, on: datetime.date) -> QuerySet[AuditEvent]:
    """What a login opened and looked at on a day, the latest first."""
    start, end = day_of(on)
    return AuditEvent.objects.filter(actor_id=user.pk, action__in=READINGS, at__gte=start, at__lt=end).order_by("-id")


def acts_of(user: User, on: datetime.date) -> QuerySet[AuditEvent]:
    """What a login did for members on a day beside cases (grants, premiums, wallet, papers), the latest first.

    An act that stands in the records of two is counted in that of the one for whom it was done.
    """
    start, end = day_of(on)
    mine = AuditEvent.objects.filter(actor_id=user.pk, at__gte=start, at__lt=end, on_behalf_of_id=F("member_id"))
    return mine.exclude(action__in=READINGS).exclude(action__startswith="case_").order_by("-id")


@dataclass(frozen=True, kw_only=True)
class DaySums:
    """A clerk's day in figures; `money`: the act -> how often, and yuan together."""

    people: int
    submitted: int
    papers: int
    copies: int
    money: Mapping[str, tuple[int, Decimal]]


def sums_of(user: User, on: datetime.date, acts: Iterable[AuditEvent]) -> DaySums:
    """The totals of a day with these `acts_of` it."""
    kept = list(acts)
    money: dict[str, tuple[int, Decimal]] = {}
    for act in kept:
        if act.action.startswith("window_") and "amount" in act.details:
            count, total = money.get(act.action, (0, ZERO))
            money[act.action] = (count + 1, total + Decimal(act.details["amount"]))
    opened = readings_of(user, on).filter(action="open_member").order_by().values("member_id").distinct()
    return DaySums(
        people=opened.count(),
        submitted=steps_of(user, on).filter(verb="submit").count(),
        papers=sum(act.action == "paper_issued" for act in kept),
        copies=sum(act.action == "paper_copied" for act in kept),
        money=money,
    )


def members_by_id(ids: set[int]) -> dict[int, Member]:
    """The members that lines of the log are about."""
    return Member.objects.in_bulk(ids)


def checked_today(user: User, on: datetime.date) -> int:
    """How many cases a supervisor has decided on a day."""
    return steps_of(user, on).filter(verb__in=states.CHECKING).count()


@dataclass(frozen=True)
class Change:
    """Something that is not as it was: what, before, now; in the reader's language."""

    what: str
    before: str
    now: str


def changes_since_submission(application: SharingApplication, on: datetime.date) -> list[Change]:
    """What differs today from the day on which the application was submitted, and what was changed between submissions.

    The facts are those of the check: insurance of the two, who shares with whom. Terms come from the audit log.
    """
    submitted = application.case.submitted_at
    if submitted is None:
        return []
    return [*_terms(application), *_facts(application, timezone.localdate(submitted), on)]


def _facts(application: SharingApplication, then: datetime.date, on: datetime.date) -> list[Change]:
    (_found, before, _rules), (_found, now, _rules) = (
        family.findings_on(application, then),
        family.findings_on(application, on),
    )
    pairs = [
        (_("Insurance of the account holder"), _insured(before.grantor), _insured(now.grantor)),
        (_("Insurance of the relative"), _insured(before.beneficiary), _insured(now.beneficiary)),
        (
            _("Relatives who use the account"),
            str(sum(before.relatives.values())),
            str(sum(now.relatives.values())),
        ),
        (_("Accounts the relative uses"), str(before.grantors), str(now.grantors)),
    ]
    return [Change(what, was, is_now) for what, was, is_now in pairs if was != is_now]


def _insured(person: Person) -> str:
    if person.insurance is None:
        return _("not insured")
    region = Region.objects.get(pk=person.region).local_name
    return f"{region} · {Insurance(person.insurance).label} · {EnrolmentStatus(person.status).label}"


def _terms(application: SharingApplication) -> list[Change]:
    """The terms as they were first submitted, against what they are now."""
    first = family.first_terms(application)
    if first is None:
        return []
    now = family.terms_data(application)
    was, is_now = telling.told_terms(first, application), telling.told_terms(now, application)
    return [Change(what, was[what], is_now[what]) for what in was if was[what] != is_now[what]]
