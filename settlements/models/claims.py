from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Level
from accounts.fields import EncryptedTextField
from accounts.models import Institution, Member
from casework.models import Case
from settlements.enums import CareKind
from settlements.models.fields import WithBankAccount, Yuan
from settlements.models.settlement import Settlement


class Claim(WithBankAccount, models.Model):
    """A bill that the member paid in cash (零星报销): the payload of a case of kind claim.

    `void`: the case came to nothing, or was reversed, so that the bill may be claimed again.
    """

    case = models.OneToOneField(Case, models.PROTECT, related_name="claim", verbose_name=_("case"))
    patient = models.ForeignKey(Member, models.PROTECT, related_name="claims", verbose_name=_("patient"))
    institution = models.ForeignKey(Institution, models.PROTECT, verbose_name=_("institution"))
    service_on = models.DateField(_("day of care"))
    kind = models.CharField(_("kind of care"), max_length=10, choices=CareKind)
    level = models.CharField(_("level"), max_length=10, choices=Level)
    in_scope = Yuan(_("in scope"))
    pre_self_pay = Yuan(_("pre-self-pay"), default=0)
    self_paid = Yuan(_("off-catalogue"), default=0)
    invoice_number = models.CharField(_("number of the invoice"), max_length=40)
    bank = models.CharField(_("bank"), max_length=60)
    bank_account = EncryptedTextField(_("bank account"))
    settlement = models.OneToOneField(
        Settlement, models.PROTECT, null=True, blank=True, related_name="claim", verbose_name=_("settlement")
    )
    void = models.BooleanField(_("void"), default=False)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["-id"]
        constraints = [
            # Two clerks entering one invoice at the same moment meet here.
            models.UniqueConstraint(
                name="invoice_claimed_once",
                fields=["institution", "service_on", "invoice_number"],
                condition=Q(void=False),
            ),
            models.CheckConstraint(
                name="claim_amounts", condition=Q(in_scope__gte=0, pre_self_pay__gte=0, self_paid__gte=0)
            ),
            models.CheckConstraint(name="claim_not_empty", condition=~Q(in_scope=0, pre_self_pay=0, self_paid=0)),
        ]

    def __str__(self) -> str:
        return str(self.case)

    @property
    def total(self):
        """The bill in yuan."""
        return self.in_scope + self.pre_self_pay + self.self_paid


class BillReversal(WithBankAccount, models.Model):
    """A settled bill to be undone at the window: the payload of a case of kind bill_reversal. Of a claim, which is void
    once it is granted; or of a bill that an institution settled and that was settled anew since, so that the institution
    can no longer reverse it.

    `bill`: as the institution settled it, the first of its settlements. What was paid out already the member owes; what
    was not is paid no more; what he owed goes to `bank_account` (of a claim to the claim's).
    """

    case = models.OneToOneField(Case, models.PROTECT, related_name="bill_reversal", verbose_name=_("case"))
    claim = models.ForeignKey(
        Claim, models.PROTECT, null=True, blank=True, related_name="reversals", verbose_name=_("claim")
    )
    bill = models.ForeignKey(
        Settlement, models.PROTECT, null=True, blank=True, related_name="reversals", verbose_name=_("bill")
    )
    reason = models.CharField(_("reason"), max_length=200)
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    bank_account = EncryptedTextField(_("bank account"), null=True, blank=True)

    class Meta:
        verbose_name = _("reversal of a bill")
        verbose_name_plural = _("reversals of bills")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="bill_reversal_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="bill_reversal_of_one",
                condition=Q(claim__isnull=False, bill=None) | Q(claim=None, bill__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.case)

    @property
    def settlement(self) -> Settlement | None:
        """The settlement that stands, or stood last; None of a claim that was never settled."""
        return self.claim.settlement if self.claim else self.bill.last

    @property
    def patient(self) -> Member:
        """Whose bill it is."""
        return self.claim.patient if self.claim else self.bill.patient

    @property
    def institution(self) -> Institution:
        """Where the care was."""
        return self.claim.institution if self.claim else self.bill.institution

    @property
    def paid_there(self):
        """Yuan that the patient paid to the institution: a claim whole, of another bill what was his cash."""
        return self.claim.total if self.claim else self.bill.cash


class Recalculation(WithBankAccount, models.Model):
    """Bills of a benefit year settled anew in their order, on request: the payload of a case of kind recalculation.

    `preview` is what the clerk saw and the supervisor checks; what comes out otherwise by then is not posted.
    """

    case = models.OneToOneField(Case, models.PROTECT, related_name="recalculation", verbose_name=_("case"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="recalculations", verbose_name=_("member"))
    benefit_year = models.IntegerField(_("benefit year"))
    preview = models.JSONField(_("preview"), default=list)
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    bank_account = EncryptedTextField(_("bank account"), null=True, blank=True)

    class Meta:
        verbose_name = _("recalculation")
        verbose_name_plural = _("recalculations")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.case)


class RecalculatedBill(models.Model):
    """A bill that was settled anew: the old settlement is reversed, the new one stands. Append-only by trigger."""

    recalculation = models.ForeignKey(Recalculation, models.PROTECT, related_name="bills")
    old = models.OneToOneField(Settlement, models.PROTECT, related_name="replaced_by")
    new = models.OneToOneField(Settlement, models.PROTECT, related_name="replaces")

    class Meta:
        verbose_name = _("recalculated bill")
        verbose_name_plural = _("recalculated bills")
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="recalculated_is_another", condition=~Q(old=F("new")))]


class Reimbursement(WithBankAccount, models.Model):
    """Money between the office and a member outside the accounts: to his bank account, or (negative) owed by him."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="reimbursement", verbose_name=_("case"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="reimbursements", verbose_name=_("member"))
    amount = Yuan(_("amount, yuan"))
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    bank_account = EncryptedTextField(_("bank account"), null=True, blank=True)
    decided_on = models.DateField(_("decided on"))
    listed_on = models.DateField(_("in a file for the bank since"), null=True, blank=True)
    done_on = models.DateField(_("paid on"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("entered by")
    )
    reference = models.CharField(_("number of the bank order"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("reimbursement")
        verbose_name_plural = _("reimbursements")
        ordering = ["done_on", "decided_on", "id"]
        constraints = [
            models.CheckConstraint(name="reimbursement_of_something", condition=~Q(amount=0)),
            models.CheckConstraint(
                name="reimbursement_done_whole",
                condition=Q(done_on=None, done_by=None, reference="")
                | Q(done_on__isnull=False, done_by__isnull=False) & ~Q(reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.amount}"
