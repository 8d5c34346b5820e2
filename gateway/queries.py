"""What the interface asks for: people by their credential, visits of an institution, lines of a charge batch."""

import datetime
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from accounts.crypto import blind_index
from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member
from gateway.models import FeeLine, Visit, VisitSettlement
from settlements.models import PersonalAccount

ID_CARD, SOCIAL_SECURITY_CARD = "02", "03"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def psn_no(member: Member) -> str:
    """The number by which institutions know a member: 25 characters out of the public ID, which is too long itself."""
    number, text = member.public_id.int, ""
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
    if cert_type == ID_CARD:
        member = Member.objects.filter(id_number_index=blind_index(cert_no.upper())).first()
    elif cert_type == SOCIAL_SECURITY_CARD:
        member = Member.objects.filter(card_number_index=blind_index(cert_no)).first()
    else:
        raise Refused("credential_unsupported")
    if member is None:
        raise Refused("person_unknown")
    return member


def patient(given: dict) -> Member:
    """The member whom `psn_no` names and whose credential was shown. Raises Refused: person_unknown and as above."""
    member = member_by_credential(given["mdtrt_cert_type"], given["mdtrt_cert_no"])
    if given["psn_no"] != psn_no(member):
        raise Refused("person_unknown")
    return member


def enrolments_since(member: Member, since: datetime.date, until: datetime.date) -> list[Enrolment]:
    """How the member is insured on `until`, and was from `since` on, the latest first; nothing after his last day."""
    # The last day's care is still settled, as `settlements.actions.care` has it.
    if member.died_on and member.died_on < until:
        return []
    touches = Q(valid_to=None) | Q(valid_to__gt=since)
    return list(member.enrolments.filter(touches, valid_from__lte=until).order_by("-valid_from"))


def account_id_of(member: Member, region_id: str) -> int | None:
    """The member's open account in a region."""
    accounts = PersonalAccount.objects.filter(member=member, region_id=region_id, status="open")
    return accounts.values_list("pk", flat=True).first()


def visit_of(institution: Institution, mdtrt_id: str, person_number: str, *, lock: bool = False) -> Visit:
    """A visit of this institution by this person; another's visit is as unknown as one that never was.

    `lock`: nobody else uploads, settles or reverses meanwhile. Raises Refused("visit_unknown").
    """
    visits = Visit.objects.select_for_update(no_key=True, of=("self",)) if lock else Visit.objects.all()
    visit = visits.select_related("member").filter(institution=institution, mdtrt_id=mdtrt_id).first()
    if visit is None or psn_no(visit.member) != person_number:
        raise Refused("visit_unknown")
    visit.institution = institution
    return visit


def batch_lines(visit: Visit, batch: str) -> Sequence[FeeLine]:
    """The fee lines of a charge batch."""
    return list(visit.lines.filter(batch=batch).order_by("id"))


def settled_batches(visit: Visit) -> set[str]:
    """The charge batches that are settled and not taken back."""
    return set(visit.settlements.filter(reversed_at=None).values_list("batch", flat=True))


def visit_settlement(visit: Visit, setl_id: str) -> VisitSettlement:
    """A settlement of the visit. Raises Refused("settlement_unknown")."""
    found = visit.settlements.select_related("settlement").filter(setl_id=setl_id).first()
    if found is None:
        raise Refused("settlement_unknown")
    return found
