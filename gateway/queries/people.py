"""People as the interface names them: by credential or person number, and how they are insured."""

import datetime
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Q

from accounts.crypto import blind_index, decrypt
from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member, Region
from gateway.domain.places import covering
from settlements.ledger import Balance, moment
from settlements.ledger.balances import HELD, HELD_COLUMNS, shown

ID_CARD, SOCIAL_SECURITY_CARD = "02", "03"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ID_NUMBER = Member._meta.get_field("id_number")
MEMBER_FIELDS = [
    "id", "public_id", "name", "id_number", "id_number_index", "card_number_index", "birth", "sex", "died_on"
]  # fmt: skip
ENROLMENT_FIELDS = ["region_id", "insurance", "status", "personal_status"]
INSURED_FIELDS = [*ENROLMENT_FIELDS, "employer", "valid_from", "valid_to"]
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
PLACE_LENGTH = 6
INDEXES = {ID_CARD: "id_number_index", SOCIAL_SECURITY_CARD: "card_number_index"}


def insured_at(institution: Institution, place: str) -> str | None:
    """The region that a division code (insuplc_admdvs) means; None if it is empty. The region of treatment is tried
    first, without a query: nearly everybody is insured there. Raises Refused("insuplc_not_held")."""
    if not place:
        return None
    # A part of a code is no place: in 33 lie several regions.
    whole = len(place) == PLACE_LENGTH and place.isdecimal()
    if whole and covering(place, [institution.region_id]):
        return institution.region_id
    found = covering(place, Region.objects.values_list("pk", flat=True)) if whole else None
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
    member = member_of(rows[0][: len(MEMBER_FIELDS)]) if rows else None
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
    member, enrolment = member_of(row[: len(MEMBER_FIELDS)]), row[len(MEMBER_FIELDS) :]
    if given["psn_no"] != psn_no(member):
        raise Refused("person_unknown")
    died = member.died_on is not None and member.died_on < day
    if died or enrolment[0] is None:
        return member, None
    return member, Enrolment(**dict(zip(ENROLMENT_FIELDS, enrolment, strict=True)))


def member_of(values: Sequence[Any]) -> Member:
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


def is_credential_of(member: Member, cert_type: str, cert_no: str) -> bool:
    """Whether the ID number or social-security card number is this member's. Raises Refused("credential_unsupported")."""
    index, number = _indexed(cert_type, cert_no)
    return bool(getattr(member, index) == number)
