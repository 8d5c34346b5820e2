import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.crypto import blind_index
from accounts.enums import EnrolmentStatus, Insurance, PersonalStatus
from accounts.fields import EncryptedTextField
from accounts.models.institutions import Institution
from accounts.models.region import Region


class Member(models.Model):
    """An insured person (参保人), from the enrolment register; a `User` is a login that may be tied to one."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=60)
    id_number = EncryptedTextField(_("ID number"))
    id_number_index = models.CharField(max_length=64, unique=True, editable=False)
    card_number = EncryptedTextField(_("social security card number"), null=True)
    card_number_index = models.CharField(max_length=64, unique=True, null=True, editable=False)
    phone = EncryptedTextField(_("telephone"), null=True)
    birth = models.DateField(_("date of birth"))
    sex = models.CharField(_("sex"), max_length=1, choices=[("M", _("Male")), ("F", _("Female"))])
    died_on = models.DateField(_("died on"), null=True, blank=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["id"]

    def __str__(self) -> str:
        # Names are masked wherever an object is printed without thought (logs, admin lists).
        return self.name[:1] + "*" * max(1, len(self.name) - 1)

    def save(self, *args, **kwargs) -> None:
        self.id_number_index = blind_index(self.id_number)
        self.card_number_index = blind_index(self.card_number) if self.card_number else None
        super().save(*args, **kwargs)


class Enrolment(models.Model):
    """How a member is insured from one day to another; a change of status, base or region is a new row."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="enrolments", verbose_name=_("member"))
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance)
    status = models.CharField(_("status"), max_length=10, choices=EnrolmentStatus, default=EnrolmentStatus.NORMAL)
    personal_status = models.CharField(
        _("working or retired"), max_length=10, choices=PersonalStatus, default=PersonalStatus.ACTIVE
    )
    retired_on = models.DateField(_("retired on"), null=True, blank=True)
    base = models.DecimalField(_("monthly contribution base"), max_digits=10, decimal_places=2, null=True, blank=True)
    employer = models.CharField(_("employer"), max_length=80, blank=True)
    signed_institution = models.ForeignKey(
        Institution, models.SET_NULL, null=True, blank=True, verbose_name=_("signed family-doctor institution")
    )
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until, exclusive"), null=True, blank=True)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ["member", "valid_from"]
        constraints = [
            models.CheckConstraint(
                name="enrolment_period", condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from"))
            ),
            # The binaries bring no btree_gist: an empty-looking range of the key stands in for equality.
            ExclusionConstraint(
                name="enrolment_no_overlap",
                expressions=[
                    (Func(F("member"), F("member"), Value("[]"), function="int8range"), "&&"),
                    (
                        Func(
                            F("valid_from"),
                            F("valid_to"),
                            Value("[)"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
                violation_error_message=_("This member is already enrolled in part of this period."),
            ),
        ]
        indexes = [models.Index(name="enrolment_by_region", fields=["region", "member"])]

    def __str__(self) -> str:
        return f"{self.member} {self.region_id} {self.valid_from}"
