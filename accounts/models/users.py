import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

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
    phone_verified = models.BooleanField(_("telephone proven"), default=False)
    identity_level = models.PositiveSmallIntegerField(
        _("identity"), choices=IdentityLevel, default=IdentityLevel.NONE
    )
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

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name


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

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.CheckConstraint(
                name="role_not_granted_by_self", condition=Q(granted_by=None) | ~Q(granted_by=F("user"))
            ),
            models.UniqueConstraint(
                name="role_once", fields=["user", "role", "region"], condition=Q(ended_at=None), nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"
