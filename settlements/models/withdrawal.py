from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Relation
from accounts.fields import EncryptedTextField
from accounts.models import Member, Region
from casework.models import Case
from settlements.enums import PayeeWay, WithdrawalReason
from settlements.models.books import LedgerTransaction, PersonalAccount
from settlements.models.fields import WithBankAccount, Yuan


class WithdrawalApplication(models.Model):
    """What closing an account asks: the payload of a case of kind withdrawal, inheritance or transfer_out."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="withdrawal", verbose_name=_("case"))
    # None: what is inherited is the wallet alone, of somebody who has no account to inherit it with (decision 0048).
    account = models.ForeignKey(
        PersonalAccount, models.PROTECT, null=True, related_name="withdrawals", verbose_name=_("personal account")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=WithdrawalReason)
    # The day of death, or the first day abroad, elsewhere, or without the insurance.
    since = models.DateField(_("since"))

    class Meta:
        verbose_name = _("application to close an account")
        verbose_name_plural = _("applications to close accounts")
        constraints = [
            models.CheckConstraint(
                name="without_account_it_is_inherited", condition=Q(account__isnull=False) | Q(reason="died")
            )
        ]

    def __str__(self) -> str:
        return str(self.case)

    @property
    def member(self) -> Member:
        """Whose account or wallet it is."""
        return self.case.applicant

    @property
    def region(self) -> Region:
        """Whose office does it."""
        return self.case.region


class Payee(WithBankAccount, models.Model):
    """Who gets which part of a closed account, and how. Together 100 %: a deferred trigger (migration) holds it."""

    application = models.ForeignKey(WithdrawalApplication, models.CASCADE, related_name="payees")
    position = models.PositiveSmallIntegerField()
    way = models.CharField(_("how it is paid"), max_length=10, choices=PayeeWay)
    percent = models.DecimalField(_("share, percent"), max_digits=5, decimal_places=2)
    name = models.CharField(_("name"), max_length=60)
    id_number = EncryptedTextField(_("ID number"), null=True)
    relation = models.CharField(_("to the deceased"), max_length=20, choices=Relation, blank=True)
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    bank_account = EncryptedTextField(_("bank account"), null=True)
    # Who is insured here: the money goes into that account, wherever he is enrolled by then.
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    # Where a transfer goes, if the portal keeps the accounts of that region.
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("payee")
        verbose_name_plural = _("payees")
        ordering = ["application", "position"]
        constraints = [
            models.UniqueConstraint(name="payee_position_once", fields=["application", "position"]),
            models.CheckConstraint(name="payee_share", condition=Q(percent__gt=0, percent__lte=Decimal(100))),
            models.CheckConstraint(
                name="payee_can_be_paid",
                condition=Q(way="bank", bank_account__isnull=False) & ~Q(bank="")
                | Q(way="account", member__isnull=False)
                | Q(way="region")
                | Q(way="fund", percent=Decimal(100)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name[:1]}** {self.percent}%"


class Payout(models.Model):
    """Money of a closed account given to a payee: into an account of the portal, or out of it. Append-only by trigger."""

    payee = models.ForeignKey(Payee, models.PROTECT, related_name="payouts", verbose_name=_("payee"))
    transaction = models.ForeignKey(
        LedgerTransaction, models.PROTECT, related_name="payouts", verbose_name=_("ledger transaction")
    )
    # None: out of the wallet alone.
    from_account = models.ForeignKey(
        PersonalAccount, models.PROTECT, null=True, related_name="payouts", verbose_name=_("from the account")
    )
    to_account = models.ForeignKey(
        PersonalAccount, models.PROTECT, null=True, related_name="+", verbose_name=_("into the account")
    )
    amount = Yuan(_("amount, yuan"))

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="payout_once_a_payee", fields=["transaction", "payee"]),
            models.CheckConstraint(name="payout_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.payee} {self.amount}"
