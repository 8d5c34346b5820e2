import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Func, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.crypto import blind_index
from accounts.enums import IdentityLevel, Role
from accounts.fields import EncryptedTextField
from accounts.models.people import Member
from accounts.models.region import Region, ServiceCentre


class User(AbstractUser):
    """A login. Citizens claim a `Member`; staff hold roles. Never both."""

    first_name = None
    last_name = None
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    display_name = models.CharField(_("name"), max_length=60, blank=True)
    member = models.OneToOneField(
        Member, models.PROTECT, null=True, blank=True, related_name="user", verbose_name=_("member")
    )
    phone = EncryptedTextField(_("telephone"), null=True)
    phone_index = models.CharField(max_length=64, unique=True, null=True, editable=False)
    # Of a staff member's own ID number, by which nobody serves or checks himself; the number itself is not kept.
    person_index = models.CharField(max_length=64, null=True, editable=False)
    # When its owner chose it; none: somebody else did, or nobody knows.
    password_set_at = models.DateTimeField(null=True, editable=False)
    phone_verified = models.BooleanField(_("telephone proven"), default=False)
    identity_level = models.PositiveSmallIntegerField(_("identity"), choices=IdentityLevel, default=IdentityLevel.NONE)
    language = models.CharField(_("language"), max_length=10, blank=True)
    elder = models.BooleanField(_("large print"), default=False)
    theme = models.CharField(_("colours"), max_length=5, default="light")

    class Meta(AbstractUser.Meta):
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        constraints = [
            models.CheckConstraint(name="user_member_is_not_staff", condition=Q(member=None) | Q(is_staff=False))
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    def save(self, *args, **kwargs) -> None:
        fields = kwargs.get("update_fields")
        if fields is None or "phone" in fields:
            self.phone_index = blind_index(self.phone) if self.phone else None
            if fields is not None:
                kwargs["update_fields"] = {*fields, "phone_index"}
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name


def _role_number(offset: int) -> Case:
    return Case(
        When(role=Role.SYSTEM_ADMIN, then=Value(offset)), default=Value(offset + 1), output_field=IntegerField()
    )


EVERYWHERE = [Role.SYSTEM_ADMIN, Role.AUDITOR]


class RoleAssignment(models.Model):
    """A role of a staff login, in a region or (system administrator, auditor) everywhere."""

    user = models.ForeignKey(User, models.PROTECT, related_name="role_assignments", verbose_name=_("login"))
    role = models.CharField(_("role"), max_length=12, choices=Role)
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, verbose_name=_("region"))
    centre = models.ForeignKey(ServiceCentre, models.PROTECT, null=True, blank=True, verbose_name=_("service centre"))
    granted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("granted by")
    )
    granted_at = models.DateTimeField(_("granted at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    # Known when it is given: somebody stands in for another, or has a contract for a time.
    last_day = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("Empty: the role holds until somebody ends it.")
    )

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.CheckConstraint(
                name="role_not_granted_by_self", condition=Q(granted_by=None) | ~Q(granted_by=F("user"))
            ),
            # One without a region would hold in all of them.
            models.CheckConstraint(
                name="role_has_its_region",
                condition=~Q(ended_at=None) | ~Q(region=None) | Q(role__in=EVERYWHERE),
                violation_error_message=_("Choose the region in which the role holds"),
            ),
            models.UniqueConstraint(
                name="role_once", fields=["user", "role", "region"], condition=Q(ended_at=None), nulls_distinct=False
            ),
            # The two roles are neighbouring ranges: adjacent means one of each, so the same role twice is no clash.
            ExclusionConstraint(
                name="role_auditor_is_not_system_admin",
                expressions=[
                    (Func(F("user"), F("user"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func(_role_number(0), _role_number(1), function="int4range"), RangeOperators.ADJACENT_TO),
                ],
                condition=Q(ended_at=None, role__in=[Role.SYSTEM_ADMIN, Role.AUDITOR]),
                violation_error_message=_("The auditor and the system administrator cannot be the same person."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.get_role_display()}"

    def clean(self) -> None:
        """What is wrong is said at its place, before the database says it of the whole."""
        if self._state.adding and self.last_day is not None and self.last_day < clock.today():
            raise ValidationError({"last_day": _("Choose today or a later day")})
        if self.role in EVERYWHERE:
            return
        if self.region_id is None:
            raise ValidationError({"region": _("Choose the region in which the role holds")})
        if self.centre is not None and self.centre.region_id != self.region_id:
            raise ValidationError({"centre": _("Choose a service centre of the region")})
