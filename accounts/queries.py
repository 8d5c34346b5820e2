"""Reading people, always through what the reader may see."""

import datetime
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from accounts import policies
from accounts.crypto import blind_index
from accounts.domain import id_number as id_numbers
from accounts.enums import Role
from accounts.models import AuditEvent, Enrolment, Member, Message, Region, User


def members_visible_to(user: User) -> QuerySet[Member]:
    """A citizen sees himself; clerks, supervisors and region administrators whoever is or was insured in their regions.

    What relatives may see of each other is a matter of `family`, what a clerk opens and why of `counter`.
    """
    if policies.is_member(user):
        return Member.objects.filter(pk=user.member_id)
    regions = policies.regions_with_role(user, Role.CLERK, Role.SUPERVISOR, Role.REGION_ADMIN)
    if not regions:
        return Member.objects.none()
    return Member.objects.filter(pk__in=Enrolment.objects.filter(region__in=regions).values("member"))


def valid_on(day: datetime.date) -> Q:
    """Rows that hold on a day, of any table whose rows are dated so: from `valid_from` to before `valid_to`."""
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


def enrolment_on(member: Member, day: datetime.date, region: Region | str | None = None) -> Enrolment | None:
    """How the member is insured on a day (one row, whatever its status), or None; optionally only in one region."""
    rows = Enrolment.objects.filter(valid_on(day), member=member)
    if region is not None:
        rows = rows.filter(region=region)
    return rows.select_related("region", "signed_institution").first()


def enrolments_on(members: Iterable[Member], day: datetime.date) -> dict[int, Enrolment]:
    """How each of the members is insured on a day, by his id; who is not insured has none."""
    rows = Enrolment.objects.filter(valid_on(day), member__in=members).select_related("region", "signed_institution")
    return {row.member_id: row for row in rows}


def find_member(*, id_number: str | None = None, card_number: str | None = None) -> Member | None:
    """The member with exactly this ID number or this card number. The caller says who may look, and records it."""
    if (id_number is None) == (card_number is None):
        raise TypeError("give either id_number or card_number")
    if id_number is not None:
        return Member.objects.filter(id_number_index=blind_index(id_numbers.normalise(id_number))).first()
    return Member.objects.filter(card_number_index=blind_index(normalise_card(card_number or ""))).first()


def normalise_card(text: str) -> str:
    """A social security card number without spaces, narrow, letters large."""
    return id_numbers.normalise(text)


def inbox(user: User) -> QuerySet[Message]:
    """The messages of a citizen, newest first."""
    return Message.objects.filter(member=user.member_id) if policies.is_member(user) else Message.objects.none()


def unread_count(user: User) -> int:
    """How many messages the citizen has not opened."""
    return inbox(user).filter(read_at=None).count() if policies.is_member(user) else 0


def seen_by_staff(member: Member) -> QuerySet[AuditEvent]:
    """What staff did with a member's record, newest first: he has a right to know."""
    staff = User.objects.filter(is_staff=True).values("pk")
    return AuditEvent.objects.filter(member_id=member.pk, actor_id__in=staff)


def phone_of(member: Member) -> str:
    """A telephone that the member has proven, else the one in the register; empty without either."""
    user = User.objects.filter(member=member, phone_verified=True).first()
    return str((user and user.phone) or member.phone or "")


def has_claimed(member: Member) -> bool:
    """Whether a login is tied to the record."""
    return User.objects.filter(member=member).exists()
