import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.enums import Relation
from accounts.models import Member, Region
from family.enums import EndReason
from family.models.application import SharingApplication


class SharingGrant(models.Model):
    """The right of a beneficiary to use a grantor's account, from `starts_on` to before `ends_on`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    grantor = models.ForeignKey(Member, models.PROTECT, related_name="grants_given", verbose_name=_("grantor"))
    beneficiary = models.ForeignKey(Member, models.PROTECT, related_name="grants_held", verbose_name=_("beneficiary"))
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    relation = models.CharField(_("relation"), max_length=20, choices=Relation)
    uses_care = models.BooleanField(_("for care"), default=True)
    uses_premium = models.BooleanField(_("for premiums"), default=True)
    limit = models.DecimalField(_("limit a benefit year"), max_digits=14, decimal_places=2, null=True, blank=True)
    application = models.OneToOneField(
        SharingApplication, models.PROTECT, null=True, blank=True, related_name="grant", verbose_name=_("application")
    )
    bound_at = models.DateTimeField(_("bound at"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until, exclusive"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=20, choices=EndReason, blank=True)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sharing grant")
        verbose_name_plural = _("sharing grants")
        ordering = ["bound_at", "id"]
        indexes = [
            models.Index(name="grant_by_beneficiary", fields=["beneficiary", "starts_on"]),
            models.Index(name="grant_by_grantor", fields=["grantor", "starts_on"]),
        ]
        constraints = [
            models.CheckConstraint(name="grant_not_to_self", condition=~Q(grantor=F("beneficiary"))),
            models.CheckConstraint(name="grant_has_a_use", condition=Q(uses_care=True) | Q(uses_premium=True)),
            models.CheckConstraint(name="grant_period", condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(name="grant_limit_not_negative", condition=Q(limit=None) | Q(limit__gte=0)),
            ExclusionConstraint(
                name="grant_once_at_a_time",
                expressions=[
                    (Func(F("grantor"), F("grantor"), Value("[]"), function="int8range"), "&&"),
                    (Func(F("beneficiary"), F("beneficiary"), Value("[]"), function="int8range"), "&&"),
                    (
                        Func(
                            F("starts_on"),
                            F("ends_on"),
                            Value("[)"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grantor} > {self.beneficiary}"


class DeductionOrder(models.Model):
    """The order in which a beneficiary wants his grantors charged; grants not listed follow in the order of binding."""

    beneficiary = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="deduction_order")
    grant_ids = ArrayField(models.BigIntegerField(), default=list)
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("deduction order")
        verbose_name_plural = _("deduction orders")

    def __str__(self) -> str:
        return f"{self.beneficiary_id} v{self.version}"
