"""What the region's staff see of the calls of a day: how many, how they ended, how long they took."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Region, User
from accounts.policies import has_role, regions_with_role
from gateway.models import GatewayMessage, SignIn, TurnedAway

MOST_SLOW, MOST_REFUSALS = 10, 12
# An outcome is ok, the code of a refusal, the name of an error of ours, or empty when the process ended under the call.
DAY = """
SELECT i.id, i.code, i.name, i.is_active, count(m.id),
    count(m.id) FILTER (WHERE m.outcome ~ '^[a-z]' AND m.outcome <> 'ok'),
    count(m.id) FILTER (WHERE m.outcome !~ '^[a-z]'),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY m.duration_ms),
    percentile_disc(0.95) WITHIN GROUP (ORDER BY m.duration_ms),
    max(m.duration_ms), max(m.received_at)
FROM gateway_gatewaymessage m JOIN accounts_institution i ON i.id = m.institution_id
WHERE m.received_at >= %s AND m.received_at < %s AND i.region_id = ANY(%s)
GROUP BY i.id ORDER BY count(m.id) DESC, i.code
"""


@dataclass(frozen=True)
class InstitutionDay:
    """An institution's calls of a day; times in milliseconds, None when none has ended. `failed`: by our own fault."""

    institution_id: int
    code: str
    name: str
    is_active: bool
    calls: int
    refused: int
    failed: int
    median_ms: int | None
    slow_ms: int | None
    slowest_ms: int | None
    last_at: datetime.datetime

    @property
    def refused_percent(self) -> int:
        """Of a hundred calls so many were refused."""
        return round(100 * self.refused / self.calls)


def regions_watched_by(user: User) -> list[str]:
    """The codes of the regions whose calls somebody may look at."""
    if has_role(user, Role.SYSTEM_ADMIN):
        return list(Region.objects.values_list("code", flat=True))
    return sorted(regions_with_role(user, Role.REGION_ADMIN))


def messages_visible_to(user: User) -> QuerySet[GatewayMessage]:
    """Messages of the regions somebody may look at, without their bodies."""
    known = GatewayMessage.objects.filter(institution__region__in=regions_watched_by(user))
    known = known.select_related("institution", "key").defer("body", "answer", "key__secret")
    return known.annotate(body_kept=Q(body__isnull=False))


def day_of(regions: Collection[str], day: datetime.date) -> list[InstitutionDay]:
    """The calls of a day by institution, most first; whoever did not call is not there."""
    with connection.cursor() as cursor:
        cursor.execute(DAY, [*bounds_of(day), list(regions)])
        return [InstitutionDay(*row) for row in cursor.fetchall()]


def refusals_of(regions: Collection[str], day: datetime.date) -> list[tuple[str, int]]:
    """How calls of a day ended that did not end well: outcome and number, most first."""
    found = _of_day(regions, day).exclude(outcome=GatewayMessage.OK).order_by()
    counted = found.values("outcome").annotate(count=Count("pk")).order_by("-count", "outcome")
    return [(row["outcome"], row["count"]) for row in counted[:MOST_REFUSALS]]


def slowest_of(regions: Collection[str], day: datetime.date) -> list[GatewayMessage]:
    """The calls of a day that took longest."""
    found = _of_day(regions, day).filter(duration_ms__isnull=False).select_related("institution")
    return list(found.defer("body", "answer").order_by("-duration_ms")[:MOST_SLOW])


def turned_away_on(regions: Collection[str], day: datetime.date) -> list[TurnedAway]:
    """Calls of a day that were turned away at the door, by institution and reason; last those that named none we know, whom
    every region sees: one of its own may be among them."""
    found = TurnedAway.objects.filter(day=day).filter(Q(institution__region__in=regions) | Q(institution=None))
    return list(found.select_related("institution").order_by(F("institution__name").asc(nulls_last=True), "-calls"))


def signed_in_now(regions: Collection[str], at: datetime.datetime) -> dict[int, int]:
    """Institution -> sign-ins that hold at a moment."""
    held = SignIn.objects.filter(institution__region__in=regions, signed_out_at=None, expires_at__gt=at)
    return dict(held.order_by().values_list("institution").annotate(count=Count("pk")))


def _of_day(regions: Collection[str], day: datetime.date) -> QuerySet[GatewayMessage]:
    since, until = bounds_of(day)
    return GatewayMessage.objects.filter(institution__region__in=regions, received_at__gte=since, received_at__lt=until)


def bounds_of(day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """The moments between which a day lies: its midnight, and the next."""
    begin = timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
    return begin, begin + datetime.timedelta(days=1)
