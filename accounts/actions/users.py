"""Logins: claims, passwords, telephones, identity, roles. Each act is one transaction with its audit line."""

import datetime
import uuid

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions import audit, codes, messages
from accounts.crypto import blind_index
from accounts.domain import names
from accounts.enums import Channel, IdentityLevel, Role
from accounts.errors import Refused
from accounts.masks import mask_phone
from accounts.models import Member, Region, RoleAssignment, ServiceCentre, User
from accounts.queries import find_member, has_claimed


def _claimable(*, name: str, id_number: str, card_number: str, phone: str) -> Member | None:
    """The record that all of this fits, if it can still be claimed. A telephone in the register must be this one."""
    member = find_member(id_number=id_number)
    fits = (
        member is not None
        and member.card_number is not None
        and find_member(card_number=card_number) == member
        and names.same(member.name, name)
        and member.phone in (None, "", phone)
        and member.died_on is None
        and not has_claimed(member)
    )
    return member if fits else None


def request_claim(
    *, name: str, id_number: str, card_number: str, phone: str, subject: str, at: datetime.datetime, unknown_text: str
) -> Member | None:
    """Look for the record and send a code to the telephone; None (and another text) if nothing fits.

    The caller must answer the same in both cases. Raises Refused as `codes.issue` does.
    """
    member = _claimable(name=name, id_number=id_number, card_number=card_number, phone=phone)
    codes.issue(
        phone=phone, purpose="claim", subject=subject, at=at, known=member is not None, unknown_text=unknown_text
    )
    return member


@transaction.atomic
def claim(*, member: Member, phone: str, password: str, at: datetime.datetime) -> User:
    """Make the login of a member whose telephone was just proven. Raises Refused: already_claimed, phone_taken."""
    user = new_login(member, phone)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Refused("already_claimed" if has_claimed(member) else "phone_taken") from None
    audit.record(action="claim", by=user, at=at, member=member)
    messages.notify(member=member, kind="welcome", params={}, at=at)
    return user


def new_login(member: Member, phone: str) -> User:
    """The login of a member, not saved yet: also what a password is checked against before it is taken."""
    return User(
        username=f"m-{uuid.uuid4().hex[:20]}",
        member=member,
        display_name=member.name,
        phone=phone,
        phone_index=blind_index(phone),
        phone_verified=True,
        identity_level=IdentityLevel.REGISTERED,
    )


@transaction.atomic
def raise_identity(
    *,
    user: User,
    level: IdentityLevel,
    by: User,
    at: datetime.datetime,
    reference: str = "",
    reason: str = "",
    channel: str = Channel.ONLINE,
) -> None:
    """Record that the citizen's identity is proven up to `level`, never less than before. A clerk gives IN_PERSON."""
    user.identity_level = max(user.identity_level, level)
    user.save(update_fields=["identity_level"])
    audit.record(
        action="identity",
        by=by,
        at=at,
        member=user.member,
        reason=reason,
        details={"level": int(level), "reference": reference},
        on_behalf_of=user.member if channel == Channel.WINDOW else None,
        channel=channel,
    )
    if user.member:
        messages.notify(member=user.member, kind="identity_proven", params={}, at=at)


@transaction.atomic
def set_password(
    *,
    user: User,
    password: str,
    by: User | None,
    at: datetime.datetime,
    keep_session: str | None = None,
    reason: str = "",
    channel: str = Channel.ONLINE,
) -> None:
    """Set the password and end all sessions but `keep_session`. `by` None: after a code by text message."""
    user.set_password(password)
    # Who came by a code to his telephone is himself as well.
    user.password_set_at = at if by in (None, user) else None
    user.save(update_fields=["password", "password_set_at"])
    end_sessions(user, keep_session)
    target = f"user:{user.pk}"
    audit.record(action="set_password", by=by, at=at, member=user.member, target=target, reason=reason, channel=channel)
    if user.member:
        params = {"changed_at": at.isoformat()}
        messages.notify(member=user.member, kind="password_changed", params=params, at=at, sms=True)


@transaction.atomic
def change_phone(
    *, member: Member, phone: str, by: User, at: datetime.datetime, reason: str = "", channel: str = Channel.ONLINE
) -> None:
    """Write a proven telephone into the register and the login; the old number is told. Refused: phone_taken.

    Online the citizen proves both himself and the new number first. At the window the clerk has seen the ID card and been
    told the code: a number that another citizen's login still has is taken out of that one, for its holder is known in
    person now; and the login is logged out everywhere, for the old telephone may be in other hands.
    """
    at_window = channel == Channel.WINDOW
    found = User.objects.select_for_update().filter(Q(member=member) | Q(phone_index=blind_index(phone)))
    held = list(found.order_by("pk"))
    user = next((one for one in held if one.member_id == member.pk), None)
    for other in held:
        if other is user:
            continue
        if not at_window or other.member is None:
            raise Refused("phone_taken")
        _release_phone(other, other.member, by, at)
    old = (user.phone if user else None) or member.phone
    member.phone = phone
    member.save(update_fields=["phone"])
    if user is not None:
        user.phone, user.phone_verified = phone, True
        try:
            with transaction.atomic():
                user.save(update_fields=["phone", "phone_verified"])
        except IntegrityError:
            raise Refused("phone_taken") from None
        if at_window:
            end_sessions(user)
    on_behalf_of = member if at_window else None
    audit.record(
        action="change_phone", by=by, at=at, member=member, reason=reason, on_behalf_of=on_behalf_of, channel=channel
    )
    params = {"phone": mask_phone(phone)}
    messages.notify(member=member, kind="phone_changed", params=params, at=at)
    if old and old != phone:
        # To the old number: whoever lost it to a thief should hear of it.
        messages.send_text(
            phone=old, text=messages.tell_kind("phone_changed", params).body, kind="phone_changed", at=at
        )


def _release_phone(user: User, member: Member, by: User, at: datetime.datetime) -> None:
    """Take a telephone out of a login and its record: messages on this member must not go to who has the number now.
    Another number in the record stays."""
    phone = user.phone or ""
    user.phone, user.phone_verified = None, False
    user.save(update_fields=["phone", "phone_verified"])
    if member.phone == phone:
        member.phone = None
        member.save(update_fields=["phone"])
    audit.record(action="release_phone", by=by, at=at, member=member, channel=Channel.WINDOW)
    params = {"phone": mask_phone(phone)}
    messages.notify(member=member, kind="phone_released", params=params, at=at)


def end_sessions(user: User, keep: str | None = None) -> int:
    """End the login's sessions at once, except the one with the key `keep`; how many ended."""
    ended = 0
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep or ""):
        session.end()
        ended += 1
    return ended


# Staff


@transaction.atomic
def grant_role(
    *,
    user: User,
    role: Role,
    by: User,
    at: datetime.datetime,
    region: Region | None = None,
    centre: ServiceCentre | None = None,
    last_day: datetime.date | None = None,
) -> RoleAssignment:
    """Give a staff login a role, until `last_day` if that is known. Refused not_permitted to oneself; ValidationError
    where roles exclude each other, or the day is over."""
    if by.pk == user.pk:
        raise Refused("not_permitted")
    end_roles_over(at=at, of=user)
    assignment = RoleAssignment(user=user, role=role, region=region, centre=centre, granted_by=by, last_day=last_day)
    assignment.full_clean()
    assignment.save()
    audit.record(
        action="grant_role",
        by=by,
        at=at,
        target=f"user:{user.pk}",
        details={"role": role, "region": region and region.pk, "last_day": last_day and last_day.isoformat()},
    )
    return assignment


@transaction.atomic
def end_role(*, assignment: RoleAssignment, by: User | None, at: datetime.datetime) -> None:
    """Take a role away; it is gone with the next request. None: its last day is over."""
    assignment.ended_at = at
    assignment.save(update_fields=["ended_at"])
    audit.record(
        action="end_role", by=by, at=at, target=f"user:{assignment.user_id}", details={"role": assignment.role}
    )


def end_roles_over(*, at: datetime.datetime, of: User | None = None) -> int:
    """Write down the end of roles (of one login, or of all) whose last day is over, which hold no more since then; how
    many they were. Until then the database takes them for roles and refuses the same one anew."""
    over = RoleAssignment.objects.filter(ended_at=None, last_day__lt=timezone.localdate(at))
    if of is not None:
        over = over.filter(user=of)
    for assignment in over:
        end_role(assignment=assignment, by=None, at=at)
    return len(over)


@transaction.atomic
def reset_second_factor(*, user: User, by: User, at: datetime.datetime, reason: str) -> None:
    """Forget a second factor: its owner sets up a new one at the next login. Refused: not_permitted to oneself."""
    if by.pk == user.pk:
        raise Refused("not_permitted")
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    audit.record(action="reset_second_factor", by=by, at=at, target=f"user:{user.pk}", reason=reason)


@transaction.atomic
def set_up_second_factor(*, user: User, secret: str, by: User | None, at: datetime.datetime) -> Authenticator:
    """Keep the secret of a login's app (base32), encrypted, with recovery codes beside it. An older one is replaced."""
    Authenticator.objects.filter(user=user).delete()
    authenticator: Authenticator = TOTP.activate(user, secret).instance
    RecoveryCodes.activate(user)
    audit.record(action="set_up_second_factor", by=by, at=at, target=f"user:{user.pk}")
    return authenticator
