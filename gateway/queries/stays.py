"""Stays of an institution, and how much of each is settled."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import Institution
from gateway.models import Stay, Visit, VisitSettlement
from gateway.queries.visits import visit_of


def stay_of(institution: Institution, mdtrt_id: str, person_number: str, *, lock: bool = False) -> Stay:
    """A stay of this institution by this person, with its visit; one of another's is as unknown as one that never was.

    `lock`: nobody else changes, charges or settles it meanwhile. Raises Refused: visit_unknown, not_a_stay.
    """
    return stay_at(visit_of(institution, mdtrt_id, person_number, lock=lock, stay=True))


def stay_at(visit: Visit) -> Stay:
    """The stay of a visit that is one."""
    stay = Stay.objects.get(visit=visit)
    stay.visit = visit
    return stay


@dataclass(frozen=True)
class Settled:
    """The settlements of a stay that stand, the earliest first, and the charge batch that is open."""

    standing: tuple[VisitSettlement, ...]

    @property
    def open_batch(self) -> str:
        """Where lines go: a stay is one batch, and one more after each part that was settled."""
        return str(len(self.standing) + 1)

    @property
    def last(self) -> VisitSettlement | None:
        return self.standing[-1] if self.standing else None


def settled_of(visit: Visit) -> Settled:
    """Of a visit that the caller has locked, if anything is to come of it."""
    return Settled(tuple(visit.settlements.filter(reversed_at=None).order_by("id")))


def service_day(stay: Stay, otherwise: datetime.date) -> datetime.date:
    """The day by which a stay is shared out and whose year it counts in: that of the discharge."""
    return timezone.localdate(stay.discharged_at) if stay.discharged_at else otherwise
