import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Insurance, Level
from accounts.models import Institution, Member, Region
from family.models import SharingGrant
from settlements.enums import CareKind
from settlements.models.books import LedgerTransaction, PersonalAccount
from settlements.models.fields import Numbered, Yuan, never_negative
from settlements.models.parameters import Scheme


class Settlement(Numbered, models.Model):
    """A settled bill: what was billed, who paid how much, and the working that explains it.

    Append-only by trigger but for `reversed_on`, which is set once.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Keys without a constraint are those of rows that can never be deleted (decision 0028).
    transaction = models.OneToOneField(
        LedgerTransaction, models.PROTECT, related_name="settlement", db_constraint=False
    )
    region = models.ForeignKey(Region, models.PROTECT, db_index=False, verbose_name=_("region"))
    patient = models.ForeignKey(
        Member,
        models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="settlements",
        verbose_name=_("patient"),
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, db_index=False, null=True, verbose_name=_("institution")
    )
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance)
    scheme = models.ForeignKey(Scheme, models.PROTECT, verbose_name=_("scheme"))
    kind = models.CharField(_("kind of care"), max_length=10, choices=CareKind)
    level = models.CharField(_("level"), max_length=10, choices=Level)
    signed = models.BooleanField(_("at the signed institution"), default=False)
    service_on = models.DateField(_("day of care"))
    settled_on = models.DateField(_("settled on"))
    # The benefit year whose counters the bill was counted in; given back there by a reversal.
    counted_year = models.IntegerField(_("benefit year"))
    in_scope = Yuan(_("in scope"))
    pre_self_pay = Yuan(_("pre-self-pay"), default=0)
    self_paid = Yuan(_("off-catalogue"), default=0)
    deductible = Yuan(_("borne as deductible"))
    fund = Yuan(_("pooled fund"))
    supplement = Yuan(_("supplementary fund"))
    own_current = Yuan(_("own current balance"))
    own_historical = Yuan(_("own historical balance"))
    shared = Yuan(_("family"))
    # Out of the patient's wallet; its movement is a WalletEntry of the same transaction.
    wallet = Yuan(_("wallet"), default=0)
    cash = Yuan(_("cash"))
    counters = models.JSONField(default=dict)
    steps = models.JSONField(_("working"), default=list)
    # The strategy and the order of grantors at the moment of settlement; a later change never touches it.
    order = models.JSONField(default=dict)
    reversed_on = models.DateField(_("reversed on"), null=True, blank=True)

    # Yuan in the patient's own account after it, current and historical, while the settlement is being made from that
    # account; never stored.
    own_left: tuple[Decimal, Decimal] | None = None

    class Meta:
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        ordering = ["-settled_on", "-id"]
        indexes = [
            models.Index(name="settlement_of_patient", fields=["patient", "-settled_on", "-id"]),
            models.Index(name="settlement_of_institution", fields=["institution", "-settled_on"]),
            models.Index(
                name="settlement_reversed_there",
                fields=["institution", "reversed_on"],
                condition=Q(reversed_on__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="settlement_adds_up",
                condition=Q(
                    in_scope=F("fund")
                    + F("supplement")
                    + F("own_current")
                    + F("own_historical")
                    + F("shared")
                    + F("wallet")
                    + F("cash")
                    - F("pre_self_pay")
                    - F("self_paid")
                ),
            ),
            models.CheckConstraint(
                name="settlement_never_negative",
                condition=never_negative(
                    "in_scope",
                    "pre_self_pay",
                    "self_paid",
                    "deductible",
                    "fund",
                    "supplement",
                    "own_current",
                    "own_historical",
                    "shared",
                    "wallet",
                    "cash",
                ),  # fmt: skip
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)[:8]

    @property
    def total(self):
        """The bill in yuan."""
        return self.in_scope + self.pre_self_pay + self.self_paid

    @property
    def first(self) -> "Settlement":
        """The bill as it was settled first, before it was settled anew (decision 0022)."""
        found = self
        while (before := getattr(found, "replaces", None)) is not None:
            found = before.old
        return found

    @property
    def last(self) -> "Settlement":
        """The bill as it was settled anew last; itself if it never was."""
        found = self
        while (after := getattr(found, "replaced_by", None)) is not None:
            found = after.new
        return found


class SettlementPayer(models.Model):
    """One leg of a settlement that an account paid, in the order in which it was charged. Append-only."""

    settlement = models.ForeignKey(
        Settlement, models.PROTECT, db_index=False, db_constraint=False, related_name="payers"
    )
    position = models.PositiveSmallIntegerField()
    account = models.ForeignKey(PersonalAccount, models.PROTECT, db_constraint=False, related_name="+")
    member = models.ForeignKey(Member, models.PROTECT, db_index=False, db_constraint=False, related_name="paid_for")
    grant = models.ForeignKey(SharingGrant, models.PROTECT, null=True, db_constraint=False, related_name="payments")
    # The payer's benefit year: once it has closed, a reversal returns the current leg to historical.
    benefit_year = models.IntegerField()
    current = Yuan(default=0)
    historical = Yuan(default=0)

    class Meta:
        ordering = ["settlement", "position"]
        constraints = [
            models.UniqueConstraint(name="payer_position_once", fields=["settlement", "position"]),
            models.CheckConstraint(
                name="payer_paid_something",
                condition=Q(current__gte=0, historical__gte=0) & ~Q(current=0, historical=0),
            ),
        ]
        indexes = [models.Index(name="payer_by_member", fields=["member", "-settlement"])]
