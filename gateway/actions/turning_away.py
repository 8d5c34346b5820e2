"""Calls that were turned away at the door are counted, so that the region's staff can help; nothing of them is kept.

Whoever has no key can call as often as he likes. So rows are few (a day, an institution that is known, one of our codes), and
a process writes at most so many times a second: in a flood it counts in memory, and writes the sum with the next one.
"""

import datetime
import logging
import threading
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from gateway.models import TurnedAway

logger = logging.getLogger(__name__)
MOST_WRITES_A_SECOND, MOST_WAITING = 20, 500
# The institutions are found out here: a header names a key, or, by x-ca, an institution. Sorted, so that processes that
# write at the same time wait for each other in one order.
COUNT = """
INSERT INTO gateway_turnedaway AS kept (day, institution_id, code, calls, last_at)
SELECT day, (
    SELECT institution_id FROM gateway_institutionkey WHERE key_id = said.who
    UNION ALL SELECT id FROM accounts_institution WHERE code = said.who LIMIT 1
), code, sum(calls), max(last_at)
FROM unnest(%s::text[], %s::date[], %s::text[], %s::int[], %s::timestamptz[]) AS said (who, day, code, calls, last_at)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (day, institution_id, code)
DO UPDATE SET calls = kept.calls + excluded.calls, last_at = greatest(kept.last_at, excluded.last_at)
"""
Row = tuple[str, datetime.date, str, int, datetime.datetime]


@dataclass
class _Waiting:
    """What this process has counted and not written yet."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: dict[tuple[str, datetime.date, str], tuple[int, datetime.datetime]] = field(default_factory=dict)
    second: int = 0
    writes: int = 0

    def add(self, who: str, code: str, at: datetime.datetime) -> list[Row]:
        """Count one more; gives what is to be written now, nothing while this second's writes are used up."""
        with self.lock:
            second = int(at.timestamp())
            if second != self.second:
                self.second, self.writes = second, 0
            writes_now = self.writes < MOST_WRITES_A_SECOND
            key = (who if writes_now or len(self.counts) < MOST_WAITING else "", timezone.localdate(at), code)
            self.counts[key] = (self.counts.get(key, (0, at))[0] + 1, at)
            if not writes_now:
                return []
            self.writes += 1
            rows = [(*key, *counted) for key, counted in self.counts.items()]
            self.counts.clear()
        return rows


waiting = _Waiting()


def count(*, who: str, code: str, at: datetime.datetime) -> None:
    """One more call was turned away. `who`: the key ID or institution code that its headers name, empty for none.

    A count that fails is logged: the caller is to hear why he was turned away, not that we could not count him.
    """
    rows = waiting.add(who, code, at)
    if not rows:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [list(column) for column in zip(*rows, strict=True)])
    except DatabaseError:
        logger.exception("calls turned away were not counted")


def delete_old(*, at: datetime.datetime) -> int:
    """Counts as old as the bodies of calls that are deleted are deleted too. How many rows."""
    before = timezone.localdate(at) - datetime.timedelta(days=settings.GATEWAY_BODIES_DAYS)
    return TurnedAway.objects.filter(day__lt=before).delete()[0]
