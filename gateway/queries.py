"""What the interface asks for: people by their credential, visits of an institution, lines of a charge batch."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.calls import Call, from_json, send
from accounts.crypto import blind_index, decrypt
from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member, Region
from gateway.domain import life
from gateway.domain.places import covering
from gateway.models import FeeLine, Visit, VisitSettlement
from settlements.domain.withdrawal import Open
from settlements.enums import CareKind
from settlements.ledger import Balance, moment
from settlements.ledger.balances import HELD, HELD_COLUMNS, shown
from settlements.models import PersonalAccount

ID_CARD, SOCIAL_SECURITY_CARD = "02", "03"
OPEN_DAYS = datetime.timedelta(days=life.DAYS)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ID_NUMBER = Member._meta.get_field("id_number")
# In the order of the model, by which `from_db` takes them.
VISIT_FIELDS = ["id", "mdtrt_id", "member_id", "region_id", "insurance", "kind", "begun_at", "med_type", "ended"]
MEMBER_FIELDS = [
    "id", "public_id", "name", "id_number", "id_number_index", "card_number_index", "birth", "sex", "died_on"
]  # fmt: skip
ENROLMENT_FIELDS = ["region_id", "insurance", "status", "personal_status"]
INSURED_FIELDS = [*ENROLMENT_FIELDS, "employer", "valid_from", "valid_to"]
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
ACCOUNT = "SELECT id FROM settlements_personalaccount WHERE member_id = %s AND region_id = %s AND status = 'open'"
# The account belongs to the employee insurance in force; a row of the past shows none.
PERSON = f"""
SELECT {", ".join(f"m.{name}" for name in MEMBER_FIELDS)}, {", ".join(f"e.{name}" for name in INSURED_FIELDS)}, {HELD}
FROM accounts_member m JOIN accounts_enrolment e
    ON e.member_id = m.id AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(since)s)
LEFT JOIN settlements_personalaccount a
    ON a.member_id = m.id AND a.region_id = e.region_id AND a.status = 'open'
    AND e.insurance = 'employee' AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
WHERE m.{{index}} = %(index)s ORDER BY e.valid_from DESC
"""
PATIENT = f"""
SELECT {", ".join(f"m.{name}" for name in MEMBER_FIELDS)}, e.region_id, e.insurance, e.status, e.personal_status
FROM accounts_member m LEFT JOIN accounts_enrolment e
    ON e.member_id = m.id AND e.valid_from <= %(day)s AND (e.valid_to IS NULL OR e.valid_to > %(day)s)
WHERE m.{{index}} = %(index)s
"""
INDEXES = {ID_CARD: "id_number_index", SOCIAL_SECURITY_CARD: "card_number_index"}


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


def insured_at(institution: Institution, place: str) -> str | None:
    """The region that a division code (insuplc_admdvs) means; None if it is empty. The region of treatment is tried
    first, without a query: nearly everybody is insured there. Raises Refused("insuplc_not_held")."""
    if not place or covering(place, [institution.region_id]):
        return institution.region_id if place else None
    found = covering(place, Region.objects.values_list("pk", flat=True))
    if found is None:
        raise Refused("insuplc_not_held", place=place)
    return found


def psn_no(member: Member) -> str:
    """The number by which institutions know a member: 25 characters out of the public ID, which is too long itself."""
    return number_of(member.public_id)


# An answer names the same person twice, and asks for him once.
@lru_cache(maxsize=256)
def number_of(public_id: UUID) -> str:
    """The same for a public ID alone."""
    number, text = public_id.int, ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text.rjust(25, "0")


def member_by_psn_no(number: str) -> Member | None:
    """The member with this person number."""
    try:
        value = int(number, 36) if number.isascii() and number.isalnum() else -1
        return Member.objects.filter(public_id=UUID(int=value)).first()
    except ValueError:
        return None


def member_by_credential(cert_type: str, cert_no: str) -> Member:
    """The member whose ID number or social-security card number it is.

    Raises Refused: credential_unsupported, person_unknown.
    """
    index, number = _indexed(cert_type, cert_no)
    member = Member.objects.filter(**{index: number}).first()
    if member is None:
        raise Refused("person_unknown")
    return member


def person_by_credential(
    cert_type: str, cert_no: str, since: datetime.date, on: datetime.date
) -> tuple[Member, list[tuple[Enrolment, Balance | None]]]:
    """The member whom the credential shows, and how he is insured on a day and was since an earlier one, the latest first
    and none before his last day; beside the insurance in force what its account holds.

    Raises Refused: credential_unsupported, person_unknown (also for somebody insured nowhere then).
    """
    index, number = _indexed(cert_type, cert_no)
    known = {"index": number, "since": since, "on": on, "moment": moment(on)}
    with connection.cursor() as cursor:
        cursor.execute(PERSON.format(index=index), known)
        rows = cursor.fetchall()
    member = _member(rows[0][: len(MEMBER_FIELDS)]) if rows else None
    # The last day's care is still settled, as `settlements.actions.care` has it.
    if member is None or (member.died_on and member.died_on < on):
        raise Refused("person_unknown")
    insured = [dict(zip(INSURED_FIELDS, row[len(MEMBER_FIELDS) :], strict=False)) for row in rows]
    accounts = [row[-HELD_COLUMNS:] for row in rows]
    held = shown([account for account in accounts if account[0]], on)
    return member, [
        (Enrolment(**values), held.get(account[0])) for values, account in zip(insured, accounts, strict=True)
    ]


def _indexed(cert_type: str, cert_no: str) -> tuple[str, str]:
    """The column by which a credential is found, and what stands in it. Raises Refused("credential_unsupported")."""
    if cert_type not in INDEXES:
        raise Refused("credential_unsupported")
    index = INDEXES[cert_type]
    return index, blind_index(cert_no.upper() if index == "id_number_index" else cert_no)


def patient(given: dict, day: datetime.date) -> tuple[Member, Enrolment | None]:
    """The member whom `psn_no` names and whose credential was shown, and how he is insured on a day.

    Raises Refused: credential_unsupported, person_unknown.
    """
    index, number = _indexed(given["mdtrt_cert_type"], given["mdtrt_cert_no"])
    with connection.cursor() as cursor:
        cursor.execute(PATIENT.format(index=index), {"index": number, "day": day})
        row = cursor.fetchone()
    if row is None:
        raise Refused("person_unknown")
    member, enrolment = _member(row[: len(MEMBER_FIELDS)]), row[len(MEMBER_FIELDS) :]
    if given["psn_no"] != psn_no(member):
        raise Refused("person_unknown")
    died = member.died_on is not None and member.died_on < day
    if died or enrolment[0] is None:
        return member, None
    return member, Enrolment(**dict(zip(ENROLMENT_FIELDS, enrolment, strict=True)))


def _member(values: Sequence[Any]) -> Member:
    """The model out of `MEMBER_FIELDS` as the database has them."""
    known = dict(zip(MEMBER_FIELDS, values, strict=True))
    known["id_number"] = decrypt(known["id_number"], ID_NUMBER.context)
    return Member.from_db(DEFAULT_DB_ALIAS, MEMBER_FIELDS, known.values())


def enrolments_since(member: Member, since: datetime.date, until: datetime.date) -> list[Enrolment]:
    """How the member is insured on `until`, and was from `since` on, the latest first; nothing after his last day."""
    # The last day's care is still settled, as `settlements.actions.care` has it.
    if member.died_on and member.died_on < until:
        return []
    touches = Q(valid_to=None) | Q(valid_to__gt=since)
    return list(member.enrolments.filter(touches, valid_from__lte=until).order_by("-valid_from"))


def account_id_of(member: Member, region_id: str) -> int | None:
    """The member's open account in a region."""
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNT, [member.pk, region_id])
        row = cursor.fetchone()
    return row and row[0]


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
    visit.institution, visit.member = institution, _member(row[len(VISIT_FIELDS) :])
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
    visit.institution, visit.member = institution, _member([*person.values()])
    if psn_no(visit.member) != person_number:
        raise Refused("visit_unknown")
    lines, *amounts = row[width : width + 6]
    return visit, _batch_facts(visit, [lines, *map(Decimal, amounts)], *row[width + 6 :])


def is_credential_of(member: Member, cert_type: str, cert_no: str) -> bool:
    """Whether the ID number or social-security card number is this member's. Raises Refused("credential_unsupported")."""
    index, number = _indexed(cert_type, cert_no)
    return bool(getattr(member, index) == number)


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


def open_bills(account: PersonalAccount) -> list[Open]:
    """Charge batches of the account's holder that were uploaded within `OPEN_DAYS` and stand unsettled.

    Older ones are given up (`gateway.domain.life`); lines of a stay are open until it is settled, however long it is.
    """
    going = going_on(timezone.now() - OPEN_DAYS) | Q(kind=CareKind.INPATIENT)
    visits = Visit.objects.filter(going, member=account.member_id, region=account.region_id, ended="")
    settled = VisitSettlement.objects.filter(visit=OuterRef("visit"), batch=OuterRef("batch"), reversed_at=None)
    lines = FeeLine.objects.filter(~Exists(settled), visit__in=visits, cancelled_at=None)
    names = lines.order_by().values_list("visit__institution__name", flat=True).distinct()
    return [Open(what="bill", name=name) for name in names]


def to_give_up(at: datetime.datetime) -> QuerySet[Visit]:
    """Outpatient and pharmacy visits of which nothing is settled and whose time is over; a stay has no such end."""
    settled = VisitSettlement.objects.filter(visit=OuterRef("pk"), reversed_at=None)
    visits = Visit.objects.exclude(kind=CareKind.INPATIENT).filter(~Exists(settled), ended="")
    return visits.exclude(going_on(at - OPEN_DAYS)).order_by("registered_at")
