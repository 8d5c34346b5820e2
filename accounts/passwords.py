"""What a password must be. Django's own checks are here too, because they say only what is wrong, not what to do."""

import datetime

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User

MEMBER_LEAST = 8
STAFF_LEAST = 12
# Long enough for any sentence; hashing more than that only helps whoever wants to keep the server busy.
MOST = 128
# GB/T 22239-2019, 8.1.4.1 a: complexity and regular change for those who work here (decision 0042). Citizens have neither:
# they would write it down.
STAFF_KINDS = 3
STAFF_LIFE = datetime.timedelta(days=90)
WORDS = ("yibao", "shebao", "医保", "社保", "共济")


class LengthValidator:
    """At least 8 characters, for staff 12; at most 128, and never cut."""

    def validate(self, password: str, user: User | None = None) -> None:
        least = STAFF_LEAST if user is not None and user.is_staff else MEMBER_LEAST
        if len(password) < least:
            raise ValidationError(_("Use at least %(least)d characters") % {"least": least}, code="too_short")
        if len(password) > MOST:
            raise ValidationError(_("Use at most %(most)d characters") % {"most": MOST}, code="too_long")

    def get_help_text(self) -> str:
        return _("At least 8 characters, staff at least 12; better a short sentence.")


class CommonPasswordValidator(password_validation.CommonPasswordValidator):
    """None of Django's list of 20,000 that many people use."""

    def get_error_message(self) -> str:
        return _(
            "Many people use this password, so it is guessed first; choose another, such as a short sentence of yours"
        )

    def get_help_text(self) -> str:
        return _("Not one that many people use.")


class NumericPasswordValidator(password_validation.NumericPasswordValidator):
    """Not of digits alone."""

    def get_error_message(self) -> str:
        return _("Digits alone are guessed quickly; add letters or other characters")

    def get_help_text(self) -> str:
        return _("Not of digits alone.")


class StaffKindsValidator:
    """Staff: at least three of small letters, capitals, digits and other characters."""

    def validate(self, password: str, user: User | None = None) -> None:
        if user is not None and user.is_staff and len({_kind(character) for character in password}) < STAFF_KINDS:
            raise ValidationError(
                _("Mix at least three of capitals, small letters, digits and other characters"), code="too_uniform"
            )

    def get_help_text(self) -> str:
        return _("Staff: three of capitals, small letters, digits and other characters.")


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "small" if character.islower() else "capital" if character.isupper() else "other"


def is_to_be_renewed(user: User, at: datetime.datetime) -> bool:
    """Whether a staff login needs a new password: after 90 days, and where somebody else has chosen it."""
    return user.is_staff and (user.password_set_at is None or at - user.password_set_at > STAFF_LIFE)


class OwnFactsValidator:
    """Not what others know of the person (ID number, birthday, telephone, name), nor what the portal is about."""

    def validate(self, password: str, user: User | None = None) -> None:
        lower = password.lower()
        if any(word in lower for word in WORDS):
            raise ValidationError(_("Choose a password without words such as yibao"), code="context")
        if user is not None and any(fact in lower for fact in facts_of(user)):
            raise ValidationError(
                _("Choose a password without your name, birthday, telephone or ID number"), code="own_facts"
            )

    def get_help_text(self) -> str:
        return _("Without your name, birthday, telephone or ID number.")


def facts_of(user: User) -> list[str]:
    """What a stranger could find out about the person, in lower case."""
    facts = [user.phone, user.username if user.is_staff else "", user.display_name]
    if user.member is not None:
        number = user.member.id_number
        facts += [number, number[:6], number[-6:], number[6:14], f"{user.member.birth:%y%m%d}", user.member.phone]
    return [fact.lower() for fact in facts if fact and len(fact) > 1]
