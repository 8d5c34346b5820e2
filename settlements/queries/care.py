"""What a settlement must know of a patient and his family before it decides; nothing here is locked."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.errors import Refused
from family.domain.rules import SharingRules
from family.models import SharingGrant
from family.queries import grants_for_care, rules_on
from settlements.domain.parameters import Person
from settlements.queries.parameters import SchemeVersion, scheme_version

PATIENT = """
SELECT e.region_id, e.insurance, e.status, e.personal_status, e.retired_on, e.signed_institution_id,
    m.birth, m.died_on, m.name, r.two_buckets, a.id,
    (SELECT max(year) FROM accounts_benefityear y WHERE y.region_id = e.region_id AND y.starts_on <= %(on)s),
    (SELECT max(year) FROM accounts_benefityear y WHERE y.region_id = e.region_id AND y.starts_on <= %(service_on)s),
    s.id, md5(s.data::text)
FROM accounts_enrolment e
JOIN accounts_member m ON m.id = e.member_id
JOIN accounts_region r ON r.code = e.region_id
LEFT JOIN settlements_personalaccount a
    ON a.member_id = e.member_id AND a.region_id = e.region_id AND a.status = 'open'
LEFT JOIN settlements_scheme s
    ON s.region_id = e.region_id AND s.insurance = e.insurance AND s.kind = %(kind)s
    AND s.valid_from <= %(service_on)s AND (s.valid_to IS NULL OR s.valid_to > %(service_on)s)
WHERE e.member_id = %(member)s AND e.valid_from <= %(service_on)s
    AND (e.valid_to IS NULL OR e.valid_to > %(service_on)s)
"""
# A grantor's account in the region where he is enrolled on the day of settlement, which need not be the patient's.
GRANTORS = """
SELECT a.member_id, a.id, e.status FROM settlements_personalaccount a
JOIN accounts_enrolment e ON e.member_id = a.member_id AND e.region_id = a.region_id
JOIN accounts_member m ON m.id = a.member_id
WHERE a.member_id = ANY(%(members)s) AND a.status = 'open'
    AND e.insurance = 'employee' AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
    AND (m.died_on IS NULL OR m.died_on > %(on)s)
"""


@dataclass(frozen=True, kw_only=True)
class GrantorAccount:
    """A grant in force with the grantor's account and the state of his enrolment (normal, suspended, …)."""

    grant: SharingGrant
    account_id: int
    status: str


@dataclass(frozen=True, kw_only=True)
class CareFacts:
    """A patient on a day of care and of settlement; years are benefit years of his region."""

    member_id: int
    name: str
    region_id: str
    insurance: str
    person: Person
    two_buckets: bool
    account_id: int | None
    signed_institution_id: int | None
    settled_year: int
    counted_year: int
    scheme: SchemeVersion
    rules: SharingRules | None
    grantors: tuple[GrantorAccount, ...]


def care_facts(
    *, member_id: int, kind: str, on: datetime.date, service_on: datetime.date, use_family: bool = True
) -> CareFacts:
    """The facts of a bill: enrolment and scheme on the day of care, account and grants on the day of settlement.

    Raises Refused: not_insured, closed, not_covered (no scheme on that day).
    """
    row = _patient(member_id, kind, on, service_on)
    region_id, insurance, status, personal_status, retired_on, signed_id, birth, died_on, name, *rest = row
    two_buckets, account_id, settled_year, service_year, scheme_id, digest = rest
    if status == "closed" or (died_on is not None and service_on > died_on):
        raise Refused("closed")
    if settled_year is None or service_year is None or scheme_id is None:
        raise Refused(
            "not_covered", why="no_scheme", region=region_id, insurance=insurance, kind=kind, on=service_on.isoformat()
        )
    scheme = scheme_version(scheme_id, digest)
    # Somebody whose contributions have stopped keeps the use of his own money; sharing rests (domain.md 5, number 22).
    rules = rules_on(region_id, on) if use_family and status == "normal" else None
    by_settlement = scheme.scheme.accumulate_by == "settlement"
    return CareFacts(
        member_id=member_id,
        name=name,
        region_id=region_id,
        insurance=insurance,
        person=Person(birth=birth, status=personal_status, retired_on=retired_on, enrolment=status),
        two_buckets=two_buckets,
        account_id=account_id if insurance == "employee" else None,
        signed_institution_id=signed_id,
        settled_year=settled_year,
        counted_year=settled_year if by_settlement else service_year,
        scheme=scheme,
        rules=rules,
        grantors=_grantors(member_id, on) if rules else (),
    )


def _patient(member_id: int, kind: str, on: datetime.date, service_on: datetime.date) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(PATIENT, {"member": member_id, "kind": kind, "on": on, "service_on": service_on})
        row = cursor.fetchone()
    if row is None:
        raise Refused("not_insured")
    return row


def _grantors(member_id: int, on: datetime.date) -> tuple[GrantorAccount, ...]:
    grants = grants_for_care(member_id, on)
    if not grants:
        return ()
    with connection.cursor() as cursor:
        members = [grant.grantor_id for grant in grants]
        cursor.execute(GRANTORS, {"members": members, "on": on})
        accounts = {member: (account, status) for member, account, status in cursor.fetchall()}
    return tuple(
        GrantorAccount(grant=grant, account_id=accounts[grant.grantor_id][0], status=accounts[grant.grantor_id][1])
        for grant in grants
        if grant.grantor_id in accounts
    )
