import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Relation
from accounts.models import Member, Region
from settlements.enums import TransferState, WalletEntryKind, WalletSource
from settlements.models.books import LedgerTransaction, PersonalAccount
from settlements.models.fields import Numbered, Yuan


class Wallet(models.Model):
    """A member's medical insurance wallet (医保钱包): money that relatives transferred to him, and now his own.

    Not a personal account: it has one balance, no benefit year, no interest. Read it through `ledger.wallets.balances`.
    """

    member = models.OneToOneField(Member, models.PROTECT, related_name="wallet", verbose_name=_("member"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("place of use"))
    balance = Yuan(_("balance"), default=0)
    version = models.BigIntegerField(_("version"), default=0)
    opened_at = models.DateTimeField(_("opened at"))
    # Its member may keep it for transfers and premiums alone.
    pays_care = models.BooleanField(_("pays bills"), default=True)

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        constraints = [models.CheckConstraint(name="wallet_never_negative", condition=Q(balance__gte=0))]

    def __str__(self) -> str:
        return f"#{self.pk}"


class WalletTransfer(Numbered, models.Model):
    """Money on its way from one member to another. It ends once: accepted, or returned at 06:00 of the next day."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sender = models.ForeignKey(Member, models.PROTECT, related_name="transfers_sent", verbose_name=_("sender"))
    receiver = models.ForeignKey(Member, models.PROTECT, related_name="transfers_received", verbose_name=_("receiver"))
    # What the receiver is to the sender, as the sender declared it.
    relation = models.CharField(_("relation"), max_length=20, choices=Relation, blank=True)
    source = models.CharField(_("from"), max_length=10, choices=WalletSource)
    account = models.ForeignKey(
        PersonalAccount, models.PROTECT, null=True, related_name="+", verbose_name=_("personal account")
    )
    # The sender's: what was sent from it comes back to it, and the day's number is counted in it.
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="sent", verbose_name=_("wallet"))
    amount = Yuan(_("amount"))
    sent_at = models.DateTimeField(_("sent at"))
    expires_at = models.DateTimeField(_("returns at"))
    state = models.CharField(_("state"), max_length=10, choices=TransferState, default=TransferState.PENDING)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    # That the sender was told of the return; the only thing that may still be written once it has ended.
    told_at = models.DateTimeField(null=True, blank=True)
    sending = models.OneToOneField(LedgerTransaction, models.PROTECT, related_name="transfer_sent")
    ending = models.OneToOneField(LedgerTransaction, models.PROTECT, null=True, related_name="transfer_ended")

    class Meta:
        verbose_name = _("wallet transfer")
        verbose_name_plural = _("wallet transfers")
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="transfer_one_pending", fields=["sender"], condition=Q(state="pending")),
            models.CheckConstraint(name="transfer_not_to_self", condition=~Q(sender=F("receiver"))),
            models.CheckConstraint(name="transfer_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="transfer_has_its_source",
                condition=Q(source="account", account__isnull=False) | Q(source="wallet", account=None),
            ),
            models.CheckConstraint(
                name="transfer_ends",
                condition=Q(state="pending", ended_at=None, ending=None)
                | (~Q(state="pending") & Q(ended_at__isnull=False, ending__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="transfer_pending_by_account", fields=["account"], condition=Q(state="pending")),
            models.Index(name="transfer_by_receiver", fields=["receiver", "-sent_at"]),
            models.Index(name="transfer_by_sender", fields=["sender", "-sent_at"]),
        ]

    def __str__(self) -> str:
        return self.number


class WalletEntry(models.Model):
    """One whole movement of one wallet. Append-only by trigger. What came by transfer names it."""

    pk = models.CompositePrimaryKey("wallet_id", "version")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="entries", db_index=False)
    version = models.BigIntegerField()
    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="wallet_entries")
    kind = models.CharField(max_length=10, choices=WalletEntryKind)
    business_date = models.DateField()
    delta = Yuan()
    after = Yuan()
    transfer = models.ForeignKey(WalletTransfer, models.PROTECT, null=True, related_name="entries")

    class Meta:
        verbose_name = _("wallet entry")
        verbose_name_plural = _("wallet entries")
        ordering = ["wallet", "-version"]
        constraints = [
            models.CheckConstraint(name="wallet_entry_never_negative", condition=Q(after__gte=0, version__gt=0)),
            models.CheckConstraint(
                name="wallet_entry_has_its_cause",
                condition=Q(kind__in=["received", "returned"], delta__gt=0, transfer__isnull=False)
                | Q(kind="sent", delta__lt=0, transfer__isnull=False)
                | Q(kind="care", delta__lt=0, transfer=None)
                | Q(kind="reversal", delta__gt=0, transfer=None)
                | Q(kind="premium", transfer=None) & ~Q(delta=0)
                | Q(kind="inherited", delta__lt=0, transfer=None),
            ),
        ]
