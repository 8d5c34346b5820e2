"""Every morning: which institutions have not reconciled what they settled, and the alarm."""

import datetime
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from gateway.enums import DayState
from gateway.models import Reconciliation, ReconciliationDay
from gateway.queries.reconciling import REFUNDS_ALONE, Part, parts_of_day

# For so long a day is looked at again: whoever reconciles late is no longer on the list.
DAYS = 7


def look(*, on: datetime.date, at: datetime.datetime) -> list[ReconciliationDay]:
    """Work out the last `DAYS` days before `on` anew; those of the day before that do not agree, for the alarm."""
    days = [on - datetime.timedelta(days=back) for back in range(1, DAYS + 1)]
    for day in days:
        _look_at(day, at)
    late = ReconciliationDay.objects.filter(day=days[0]).exclude(state=DayState.BALANCED)
    return list(late.select_related("institution").order_by("institution__code"))


@transaction.atomic
def _look_at(day: datetime.date, at: datetime.datetime) -> None:
    of_institution: dict[int, list[Part]] = defaultdict(list)
    for part in parts_of_day(day):
        of_institution[part.institution_id].append(part)
    covering = Reconciliation.objects.filter(
        ~Q(refunds=REFUNDS_ALONE), institution__in=of_institution, begins_on__lte=day, ends_on__gte=day
    ).order_by("at", "id")
    done: dict[int, list[Reconciliation]] = defaultdict(list)
    for run in covering:
        done[run.institution_id].append(run)
    ReconciliationDay.objects.bulk_create(
        [
            _day(institution_id, day, parts, done[institution_id], at)
            for institution_id, parts in of_institution.items()
        ],
        update_conflicts=True,
        unique_fields=["institution", "day"],
        update_fields=["settlements", "state", "parts", "looked_at"],
    )


def _day(
    institution_id: int, day: datetime.date, parts: list[Part], done: Iterable[Reconciliation], at: datetime.datetime
) -> ReconciliationDay:
    states = [(part, _state(part, done)) for part in parts]
    told = [
        {
            "region": part.region_id,
            "insurance": part.insurance,
            "clr_type": part.clr_type,
            "count": part.count,
            "state": state,
        }
        for part, state in states
    ]
    found = {state for _part, state in states}
    worst = next(state for state in (DayState.DIFFERS, DayState.MISSING, DayState.BALANCED) if state in found)
    return ReconciliationDay(
        institution_id=institution_id,
        day=day,
        settlements=sum(part.count for part in parts),
        state=worst,
        parts=told,
        looked_at=at,
    )


def _state(part: Part, done: Iterable[Reconciliation]) -> DayState:
    """That of the latest comparison which covers all of it; one from before its last bill covers no more."""
    covers = [
        run
        for run in done
        if run.region_id == part.region_id
        and run.clr_type in ("", part.clr_type)
        and run.insurance in ("", part.insurance)
        and run.at >= part.last_at
    ]
    if not covers:
        return DayState.MISSING
    return DayState.BALANCED if covers[-1].balanced else DayState.DIFFERS
