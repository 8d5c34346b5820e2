import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Insurance
from accounts.fields import EncryptedTextField
from accounts.models import Institution, Region
from gateway.enums import DayState, DifferenceKind, DifferenceState


class GatewayFile(models.Model):
    """A file that an institution sent (9101) or may fetch (9102). Emptied after its deadline, and the row stays."""

    UPLOADED, RESULT = "uploaded", "result"

    number = models.CharField(_("file query number"), max_length=30, unique=True)
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="gateway_files", verbose_name=_("institution")
    )
    way = models.CharField(_("way"), max_length=10, choices=[(UPLOADED, _("sent to us")), (RESULT, _("result"))])
    name = models.CharField(_("name of the file"), max_length=200)
    size = models.IntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    # Base64: the column encrypts text.
    content = EncryptedTextField(null=True)
    made_at = models.DateTimeField(_("received at"))
    kept_until = models.DateTimeField(_("kept until"))

    class Meta:
        verbose_name = _("file of an institution")
        verbose_name_plural = _("files of institutions")
        ordering = ["-id"]
        indexes = [
            models.Index(name="gateway_file_to_delete", fields=["kept_until"], condition=Q(content__isnull=False)),
            models.Index(name="gateway_file_kept", fields=["institution"], condition=Q(content__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.number


class Reconciliation(models.Model):
    """One comparison: of totals (3201) or of every settlement (3202). Append-only by trigger.

    `ours` and `theirs`: count, and amounts in yuan as texts by the names of the interface.
    """

    TOTALS, DETAILS = "3201", "3202"

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="reconciliations", db_index=False, verbose_name=_("institution")
    )
    infno = models.CharField(
        _("comparison"), max_length=4, choices=[(TOTALS, _("totals (3201)")), (DETAILS, _("details (3202)"))]
    )
    msgid = models.CharField(_("message ID"), max_length=30)
    region = models.ForeignKey(
        Region, models.PROTECT, db_index=False, related_name="+", verbose_name=_("region of insurance")
    )
    # Empty: all, as 3202 has it; some programs send it without a clearing category, too.
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance, blank=True)
    clr_type = models.CharField(_("clearing category"), max_length=6)
    # "0" without refunds, "1" refunds alone, empty: all.
    refunds = models.CharField(_("refund flag"), max_length=3, blank=True)
    begins_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    theirs = models.JSONField(_("at the institution"), default=dict)
    ours = models.JSONField(_("here"), default=dict)
    balanced = models.BooleanField(_("agrees"))
    differences_found = models.IntegerField(_("differences"), default=0)
    uploaded = models.ForeignKey(GatewayFile, models.PROTECT, null=True, related_name="+", verbose_name=_("file"))
    result = models.ForeignKey(GatewayFile, models.PROTECT, null=True, related_name="+", verbose_name=_("result"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-id"]
        indexes = [models.Index(name="reconciliation_of_institution", fields=["institution", "-ends_on"])]
        constraints = [
            models.CheckConstraint(name="reconciliation_period", condition=Q(begins_on__lte=F("ends_on"))),
            models.CheckConstraint(
                name="reconciliation_balanced_without_differences",
                condition=Q(balanced=False) | Q(differences_found=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.infno} {self.begins_on}–{self.ends_on}"


class Difference(models.Model):
    """A settlement (or its reversal) on which an institution and the portal do not agree, until somebody closes it.

    Amounts in yuan; null on the side that does not know it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="differences", verbose_name=_("institution")
    )
    found_by = models.ForeignKey(Reconciliation, models.PROTECT, related_name="found_first", verbose_name=_("found by"))
    seen_last_by = models.ForeignKey(
        Reconciliation, models.PROTECT, related_name="found_again", verbose_name=_("seen last by")
    )
    kind = models.CharField(_("kind"), max_length=14, choices=DifferenceKind)
    setl_id = models.CharField(_("settlement ID"), max_length=30)
    reversal = models.BooleanField(_("reversal"), default=False)
    mdtrt_id = models.CharField(_("visit ID"), max_length=30, blank=True)
    psn_no = models.CharField(_("person number"), max_length=30, blank=True)
    msgid = models.CharField(_("message ID"), max_length=30, blank=True)
    line = models.IntegerField(_("line of the file"), null=True)
    our_total = models.DecimalField(_("total here"), max_digits=14, decimal_places=2, null=True)
    our_fund = models.DecimalField(_("funds here"), max_digits=14, decimal_places=2, null=True)
    our_accounts = models.DecimalField(_("accounts here"), max_digits=14, decimal_places=2, null=True)
    their_total = models.DecimalField(_("total there"), max_digits=16, decimal_places=2, null=True)
    their_fund = models.DecimalField(_("funds there"), max_digits=16, decimal_places=2, null=True)
    their_accounts = models.DecimalField(_("accounts there"), max_digits=16, decimal_places=2, null=True)
    state = models.CharField(_("state"), max_length=10, choices=DifferenceState, default=DifferenceState.OPEN)
    note = models.CharField(_("note"), max_length=500, blank=True)
    found_at = models.DateTimeField(_("found at"))
    # The last change of state; without a person it was the system, because both sides agreed.
    changed_at = models.DateTimeField(_("changed at"), null=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["-id"]
        indexes = [models.Index(name="difference_by_state", fields=["institution", "state"])]
        constraints = [
            models.UniqueConstraint(
                name="difference_once_unclosed",
                fields=["institution", "setl_id", "reversal"],
                condition=~Q(state=DifferenceState.CLOSED),
            ),
            models.CheckConstraint(
                name="difference_changed_with_note",
                condition=Q(state=DifferenceState.OPEN) | (~Q(note="") & Q(changed_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.setl_id


class ReconciliationDay(models.Model):
    """Whether an institution has reconciled what it settled on a day; worked out anew every morning for a week.

    `parts`: by region of insurance, insurance and clearing category, each with its count and its own state.
    """

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="reconciliation_days", db_index=False, verbose_name=_("institution")
    )
    day = models.DateField(_("day"))
    settlements = models.IntegerField(_("settlements and reversals"))
    state = models.CharField(_("state"), max_length=10, choices=DayState)
    parts = models.JSONField(_("parts"), default=list)
    looked_at = models.DateTimeField(_("looked at"))

    class Meta:
        verbose_name = _("day to reconcile")
        verbose_name_plural = _("days to reconcile")
        ordering = ["-day", "institution"]
        constraints = [models.UniqueConstraint(name="reconciliation_day_once", fields=["institution", "day"])]
        indexes = [models.Index(name="reconciliation_day_by_day", fields=["-day", "state"])]

    def __str__(self) -> str:
        return f"{self.institution.name} {self.day}"
