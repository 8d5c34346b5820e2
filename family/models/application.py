from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Channel, Relation
from accounts.language import is_chinese
from accounts.models import Member
from casework.models import Case


class Commitment(models.Model):
    """A version of the text a grantor signs (承诺书). Never changed once used: a new text is a new version."""

    version = models.CharField(_("version"), max_length=20, unique=True)
    text_zh = models.TextField(_("Chinese text"))
    text_en = models.TextField(_("English text"))
    valid_from = models.DateField(_("from"))

    class Meta:
        ordering = ["-valid_from"]
        verbose_name = _("commitment")
        verbose_name_plural = _("commitments")

    def __str__(self) -> str:
        return self.version

    @property
    def lines(self) -> list[str]:
        """The promises, one by one, in the reader's language."""
        return (self.text_zh if is_chinese() else self.text_en).splitlines()


class SharingApplication(models.Model):
    """What an application for sharing asks: the payload of a case of kind "sharing"."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="sharing_application")
    grantor = models.ForeignKey(Member, models.PROTECT, related_name="applications_as_grantor")
    beneficiary = models.ForeignKey(Member, models.PROTECT, related_name="applications_as_beneficiary")
    relation = models.CharField(_("relation"), max_length=20, choices=Relation)
    uses_care = models.BooleanField(_("for care"), default=True)
    uses_premium = models.BooleanField(_("for premiums"), default=True)
    limit = models.DecimalField(_("limit a benefit year"), max_digits=14, decimal_places=2, null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    commitment = models.ForeignKey(Commitment, models.PROTECT, null=True, blank=True)
    committed_at = models.DateTimeField(_("commitment signed at"), null=True, blank=True)
    committed_channel = models.CharField(max_length=10, choices=Channel, blank=True)
    consent_until = models.DateField(_("consent until"), null=True, blank=True)
    consented_at = models.DateTimeField(_("consented at"), null=True, blank=True)
    consent_channel = models.CharField(max_length=10, choices=Channel, blank=True)
    declined_at = models.DateTimeField(_("declined at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sharing application")
        verbose_name_plural = _("sharing applications")
        constraints = [
            models.CheckConstraint(name="application_not_to_self", condition=~Q(grantor=F("beneficiary"))),
            models.CheckConstraint(name="application_has_a_use", condition=Q(uses_care=True) | Q(uses_premium=True)),
            models.CheckConstraint(name="application_limit_positive", condition=Q(limit=None) | Q(limit__gt=0)),
            models.CheckConstraint(
                name="commitment_is_whole",
                condition=Q(commitment=None, committed_at=None)
                | Q(commitment__isnull=False, committed_at__isnull=False),
            ),
            models.CheckConstraint(name="consent_or_decline", condition=Q(consented_at=None) | Q(declined_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.case)
