"""Visits of an institution, the charge batches of each, and which of them are open."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.calls import Call, from_json, send
from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from gateway.domain import life
from gateway.models import FeeLine, Visit, VisitSettlement
from gateway.queries.people import MEMBER_FIELDS, member_of, psn_no
from settlements.domain.withdrawal import Open
from settlements.enums import CareKind
from settlements.queries.withdrawal import Purse

OPEN_DAYS = datetime.timedelta(days=life.DAYS)
# In the order of the model, by which `from_db` takes them.
VISIT_FIELDS = ["id", "mdtrt_id", "member_id", "region_id", "insurance", "kind", "begun_at", "med_type", "ended"]
VISIT = f"""
SELECT {", ".join(f"v.{name}" for name in VISIT_FIELDS)}, {", ".join(f"m.{name}" for name in MEMBER_FIELDS)}
FROM gateway_visit v JOIN accounts_member m ON m.id = v.member_id
WHERE v.institution_id = %s AND v.mdtrt_id = %s
"""
BATCH = """
SELECT sums.*,
    EXISTS (
        SELECT FROM gateway_visitsettlement WHERE visit_id = %(visit)s AND batch = %(batch)s AND reversed_at IS NULL
    ),
    e.insurance, e.personal_status,
    (SELECT id FROM settlements_personalaccount
     WHERE member_id = %(member)s AND region_id = %(region)s AND status = 'open')
FROM (
    SELECT count(*), coalesce(sum(amount), 0), coalesce(sum(in_scope), 0), coalesce(sum(pre_self_pay), 0),
        coalesce(sum(over_limit), 0), coalesce(sum(off_catalogue), 0)
    FROM gateway_feeline WHERE visit_id = %(visit)s AND batch = %(batch)s AND cancelled_at IS NULL
) sums LEFT JOIN accounts_enrolment e
    ON e.member_id = %(member)s AND e.valid_from <= %(day)s AND (e.valid_to IS NULL OR e.valid_to > %(day)s)
"""
TAKEN = """
SELECT true, batch FROM gateway_visitsettlement WHERE visit_id = %(visit)s AND reversed_at IS NULL
UNION ALL
SELECT false, sn FROM gateway_feeline WHERE visit_id = %(visit)s AND sn = ANY(%(sns)s) AND cancelled_at IS NULL
"""


@dataclass(frozen=True)
class BatchFacts:
    """The lines of a charge batch in sum (yuan), whether it is settled, and of the patient: how insured on the day of
    the visit (None: not at all), and the open account in the region of the visit."""

    lines: int
    amount: Decimal
    in_scope: Decimal
    pre_self_pay: Decimal
    over_limit: Decimal
    off_catalogue: Decimal
    settled: bool
    enrolment: Enrolment | None
    account_id: int | None


def visit_of(
    institution: Institution, mdtrt_id: str, person_number: str, *, lock: bool = False, stay: bool | None = False
) -> Visit:
    """A visit of this institution by this person; another's visit is as unknown as one that never was.

    `lock`: nobody else uploads, settles or reverses meanwhile. `stay`: whether it must be one in hospital; None: either.
    Raises Refused: visit_unknown, is_a_stay, not_a_stay.
    """
    with connection.cursor() as cursor:
        cursor.execute(VISIT + " FOR NO KEY UPDATE OF v" * lock, [institution.pk, mdtrt_id])
        row = cursor.fetchone()
    if row is None:
        raise Refused("visit_unknown")
    visit = Visit.from_db(DEFAULT_DB_ALIAS, VISIT_FIELDS, row[: len(VISIT_FIELDS)])
    visit.institution, visit.member = institution, member_of(row[len(VISIT_FIELDS) :])
    if psn_no(visit.member) != person_number:
        raise Refused("visit_unknown")
    if stay is not None and (visit.kind == CareKind.INPATIENT) != stay:
        raise Refused("not_a_stay" if stay else "is_a_stay")
    return visit


def batch_of(
    institution: Institution, mdtrt_id: str, person_number: str, batch: str, *, lock: bool
) -> tuple[Visit, BatchFacts]:
    """A visit as `visit_of` finds it, with a charge batch of it; what is committed before the lock counts."""
    (found,) = send(Call("gateway_batch(%s, %s, %s, %s)", [institution.pk, mdtrt_id, batch, lock]))
    if found is None:
        raise Refused("visit_unknown")
    row = from_json(found)
    width = len(VISIT_FIELDS) + len(MEMBER_FIELDS)
    known = dict(zip(VISIT_FIELDS, row, strict=False))
    known["begun_at"] = datetime.datetime.fromisoformat(known["begun_at"])
    visit = Visit.from_db(DEFAULT_DB_ALIAS, VISIT_FIELDS, known.values())
    person = dict(zip(MEMBER_FIELDS, row[len(VISIT_FIELDS) : width], strict=True))
    person |= {
        "public_id": UUID(person["public_id"]),
        "id_number": bytes.fromhex(person["id_number"]),
        "birth": datetime.date.fromisoformat(person["birth"]),
        "died_on": datetime.date.fromisoformat(person["died_on"]) if person["died_on"] else None,
    }
    visit.institution, visit.member = institution, member_of([*person.values()])
    if psn_no(visit.member) != person_number:
        raise Refused("visit_unknown")
    lines, *amounts = row[width : width + 6]
    return visit, _batch_facts(visit, [lines, *map(Decimal, amounts)], *row[width + 6 :])


def batch_facts(visit: Visit, batch: str, day: datetime.date | None = None) -> BatchFacts:
    """A charge batch of a visit that the caller has locked, if it is to be settled: what came before the lock counts.

    `day`: on which the patient is insured as it says; of the visit's beginning if None."""
    day = day or timezone.localdate(visit.begun_at)
    known = {
        "visit": visit.pk, "batch": batch, "member": visit.member_id, "region": visit.region_id, "day": day,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(BATCH, known)
        *sums, settled, insurance, personal_status, account_id = cursor.fetchone()
    return _batch_facts(visit, sums, settled, insurance, personal_status, account_id)


def _batch_facts(
    visit: Visit, sums: list[Any], settled: bool, insurance: str | None, personal_status: str, account_id: int | None
) -> BatchFacts:
    day = timezone.localdate(visit.begun_at)
    died = visit.member.died_on is not None and visit.member.died_on < day
    enrolment = None if died or insurance is None else Enrolment(insurance=insurance, personal_status=personal_status)
    return BatchFacts(*sums, settled=settled, enrolment=enrolment, account_id=account_id)


def taken(visit: Visit, sns: Collection[str]) -> tuple[set[str], set[str]]:
    """What a visit that the caller has locked has already: its settled charge batches, and which of these numbers its
    lines have."""
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, {"visit": visit.pk, "sns": list(sns)})
        rows = cursor.fetchall()
    return {name for settled, name in rows if settled}, {name for settled, name in rows if not settled}


def visit_settlement(visit: Visit, setl_id: str) -> VisitSettlement:
    """A settlement of the visit. Raises Refused("settlement_unknown")."""
    found = visit.settlements.select_related("settlement").filter(setl_id=setl_id).first()
    if found is None:
        raise Refused("settlement_unknown")
    return found


def going_on(since: datetime.datetime) -> Q:
    """Visits that are not given up: registered since then, or something of them was reversed since then."""
    reversed_later = VisitSettlement.objects.filter(visit=OuterRef("pk"), reversed_at__gte=since)
    return Q(registered_at__gte=since) | Exists(reversed_later)


def open_bills(purse: Purse) -> list[Open]:
    """Charge batches of the holder that were uploaded within `OPEN_DAYS` and stand unsettled.

    Older ones are given up (`gateway.domain.life`); lines of a stay are open until it is settled, however long it is.
    """
    going = going_on(timezone.now() - OPEN_DAYS) | Q(kind=CareKind.INPATIENT)
    visits = Visit.objects.filter(going, member=purse.member_id, region=purse.region_id, ended="")
    settled = VisitSettlement.objects.filter(visit=OuterRef("visit"), batch=OuterRef("batch"), reversed_at=None)
    lines = FeeLine.objects.filter(~Exists(settled), visit__in=visits, cancelled_at=None)
    names = lines.order_by().values_list("visit__institution__name", flat=True).distinct()
    return [Open(what="bill", name=name) for name in names]


def to_give_up(at: datetime.datetime) -> QuerySet[Visit]:
    """Outpatient and pharmacy visits of which nothing is settled and whose time is over; a stay has no such end."""
    settled = VisitSettlement.objects.filter(visit=OuterRef("pk"), reversed_at=None)
    visits = Visit.objects.exclude(kind=CareKind.INPATIENT).filter(~Exists(settled), ended="")
    return visits.exclude(going_on(at - OPEN_DAYS)).order_by("registered_at", "id")
