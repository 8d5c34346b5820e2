import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Insurance
from accounts.models import Member, Region
from family.models import SharingGrant
from settlements.enums import OrderState
from settlements.models.books import LedgerTransaction, PersonalAccount
from settlements.models.fields import Numbered, Yuan
from settlements.models.wallet import Wallet


class PremiumPlan(models.Model):
    """What a region asks for an insurance and year, and while which days it may be paid; from regions/*.toml."""

    region = models.ForeignKey(Region, models.CASCADE, related_name="premium_plans", verbose_name=_("region"))
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance)
    year = models.IntegerField(_("year"))
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until, exclusive"), null=True, blank=True)
    data = models.JSONField(_("rule"))

    class Meta:
        verbose_name = _("premium")
        verbose_name_plural = _("premiums")
        ordering = ["region", "insurance", "-year", "-valid_from"]
        constraints = [
            models.UniqueConstraint(name="premium_plan_once", fields=["region", "insurance", "year", "valid_from"]),
            models.CheckConstraint(
                name="premium_plan_period", condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region} {self.get_insurance_display()} {self.year}"


class Owed(Numbered, models.Model):
    """A premium of one person for one year, and who pays it; the words of the group as they were told then."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payer = models.ForeignKey(Member, models.PROTECT, related_name="%(class)ss_for", verbose_name=_("payer"))
    insured = models.ForeignKey(Member, models.PROTECT, related_name="%(class)ss", verbose_name=_("insured person"))
    # None: the payer's own premium.
    grant = models.ForeignKey(SharingGrant, models.PROTECT, null=True, related_name="+", verbose_name=_("grant"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("region"))
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance)
    year = models.IntegerField(_("year"))
    group = models.CharField(_("group"), max_length=40, blank=True)
    group_names = models.JSONField(default=dict)
    amount = Yuan(_("amount"))
    benefit_from = models.DateField(_("benefits from"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class PremiumPayment(Owed):
    """A premium paid whole from a personal account or from a wallet. Append-only by trigger but for `refunded_on`, which
    is set once."""

    transaction = models.OneToOneField(LedgerTransaction, models.PROTECT, related_name="premium")
    account = models.ForeignKey(PersonalAccount, models.PROTECT, null=True, related_name="+", verbose_name=_("account"))
    wallet = models.ForeignKey(Wallet, models.PROTECT, null=True, related_name="+", verbose_name=_("wallet"))
    # The account's benefit year: once it has closed, a refund returns what came from current to historical.
    benefit_year = models.IntegerField(null=True)
    current = Yuan(_("from current"), default=0)
    historical = Yuan(_("from historical"), default=0)
    paid_on = models.DateField(_("paid on"))
    refunded_on = models.DateField(_("refunded on"), null=True, blank=True)

    class Meta:
        verbose_name = _("premium payment")
        verbose_name_plural = _("premium payments")
        ordering = ["-paid_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="premium_once", fields=["insured", "insurance", "year"], condition=Q(refunded_on=None)
            ),
            models.CheckConstraint(
                name="premium_adds_up",
                condition=Q(amount__gt=0, current__gte=0, historical__gte=0)
                & (
                    Q(
                        wallet=None,
                        account__isnull=False,
                        benefit_year__isnull=False,
                        amount=F("current") + F("historical"),
                    )
                    | Q(wallet__isnull=False, account=None, benefit_year=None, current=0, historical=0)
                ),
            ),
        ]
        indexes = [models.Index(name="premium_by_payer", fields=["payer", "-paid_on"])]


class PremiumOrder(Owed):
    """A premium that is to be debited on the last day of the month, where the bureau collects so."""

    # What pays, in order, as the region's file said when the order was given.
    buckets = models.JSONField(default=list)
    state = models.CharField(_("state"), max_length=10, choices=OrderState, default=OrderState.WAITING)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    ordered_at = models.DateTimeField(_("ordered at"))
    due_on = models.DateField(_("debited on"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    payment = models.OneToOneField(
        PremiumPayment, models.PROTECT, null=True, related_name="order", verbose_name=_("payment")
    )
    refused = models.CharField(_("refused because"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("premium order")
        verbose_name_plural = _("premium orders")
        ordering = ["-ordered_at"]
        constraints = [
            models.UniqueConstraint(
                name="premium_order_once", fields=["insured", "insurance", "year"], condition=Q(state="waiting")
            ),
            models.CheckConstraint(
                name="premium_order_ends",
                condition=Q(state="waiting", ended_at=None, payment=None, refused="")
                | Q(state="paid", ended_at__isnull=False, payment__isnull=False, refused="")
                | (Q(state="failed", ended_at__isnull=False, payment=None) & ~Q(refused=""))
                | Q(state="withdrawn", ended_at__isnull=False, payment=None, refused=""),
            ),
            models.CheckConstraint(name="premium_order_positive", condition=Q(amount__gt=0)),
        ]
        indexes = [models.Index(name="premium_order_due", fields=["due_on"], condition=Q(state="waiting"))]
