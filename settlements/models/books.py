from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, Region
from settlements.enums import AccountStatus, Contra, EntryKind
from settlements.models.fields import Yuan, never_negative


class PersonalAccount(models.Model):
    """A member's account in a region: the balances as of its last entry, in its own benefit year.

    Read balances only through `ledger.balances`: between the year's end and the rollover of this row
    the row still holds last year's split.
    """

    # No index of their own where one below begins with the same column: each costs the rollover a write an account.
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="personal_accounts", verbose_name=_("member"), db_index=False
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), db_index=False)
    benefit_year = models.IntegerField(_("benefit year"))
    current = Yuan(_("current balance"), default=0)
    historical = Yuan(_("historical balance"), default=0)
    debt = Yuan(_("debt"), default=0)
    version = models.BigIntegerField(_("version"), default=0)
    # Balance times days since the first day of the benefit year, kept up at each movement; the base of interest.
    current_products = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    historical_products = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    products_on = models.DateField()
    status = models.CharField(_("status"), max_length=10, choices=AccountStatus, default=AccountStatus.OPEN)
    opened_on = models.DateField(_("opened on"))

    class Meta:
        verbose_name = _("personal account")
        verbose_name_plural = _("personal accounts")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="account_once_in_region", fields=["member", "region"]),
            models.CheckConstraint(
                name="account_never_negative", condition=never_negative("current", "historical", "debt")
            ),
            # Money that comes in later makes it "late" by trigger, and is paid on to those who got the rest.
            models.CheckConstraint(
                name="account_closed_is_empty", condition=~Q(status="closed") | Q(current=0, historical=0)
            ),
        ]
        indexes = [models.Index(name="account_by_region_year", fields=["region", "benefit_year", "id"])]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Usage(models.Model):
    """What a member has used of one named counter in one benefit year, with or without an account.

    Amounts in yuan: deductible, fund, supplement, "deductible:DATE:INSTITUTION", "grant:ID" …
    """

    pk = models.CompositePrimaryKey("member_id", "benefit_year", "counter")
    member = models.ForeignKey(Member, models.PROTECT, db_index=False, db_constraint=False, related_name="usage")
    benefit_year = models.IntegerField()
    counter = models.CharField(max_length=60)
    amount = Yuan(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="usage_never_negative", condition=Q(amount__gte=0))]


class LedgerTransaction(models.Model):
    """What happened: the cause of entries, or a refusal. The first answer to a key is kept and repeated."""

    kind = models.CharField(_("kind"), max_length=10, choices=EntryKind)
    business_date = models.DateField(_("business date"))
    recorded_at = models.DateTimeField(_("recorded at"))
    region = models.ForeignKey(Region, models.PROTECT, db_index=False, verbose_name=_("region"))
    scope = models.CharField(_("scope"), max_length=60)
    key = models.CharField(_("key"), max_length=100)
    request_hash = models.CharField(max_length=64)
    answer = models.JSONField(_("answer"), null=True)
    refused = models.CharField(_("refused because"), max_length=40, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("by")
    )
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", verbose_name=_("reverses")
    )

    class Meta:
        verbose_name = _("ledger transaction")
        verbose_name_plural = _("ledger transactions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="transaction_key_once", fields=["scope", "key"]),
            models.CheckConstraint(
                name="transaction_reverses_another", condition=Q(reverses=None) | ~Q(reverses=F("id"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class Entry(models.Model):
    """One whole movement of one account. Append-only by trigger and privilege.

    `contra` names the other side, so a row is balanced by its form; a rollover has none and its deltas sum to zero.
    """

    pk = models.CompositePrimaryKey("account_id", "version")
    # Neither account nor transaction can ever be deleted, and a row is written with both under lock (decision 0028).
    account = models.ForeignKey(
        PersonalAccount, models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    version = models.BigIntegerField()
    transaction = models.ForeignKey(
        LedgerTransaction, models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=10, choices=EntryKind)
    business_date = models.DateField()
    # The account's year when the movement took place; for a rollover the year it closes.
    benefit_year = models.IntegerField()
    current_delta = Yuan()
    historical_delta = Yuan()
    debt_delta = Yuan(default=0)
    current_after = Yuan()
    historical_after = Yuan()
    debt_after = Yuan(default=0)
    contra = models.CharField(max_length=12, choices=Contra, blank=True)
    contra_id = models.BigIntegerField(null=True)
    # Only on a rollover: the closed year's products, from which interest can be posted or corrected later.
    current_products = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    historical_products = models.DecimalField(max_digits=20, decimal_places=2, null=True)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        ordering = ["account", "-version"]
        constraints = [
            models.CheckConstraint(
                name="entry_never_negative",
                condition=never_negative("current_after", "historical_after", "debt_after"),
            ),
            models.CheckConstraint(
                name="entry_balanced_by_form",
                condition=Q(kind="rollover", contra="", debt_delta=F("current_delta") + F("historical_delta"))
                | (~Q(kind="rollover") & ~Q(contra="")),
            ),
            models.CheckConstraint(name="entry_version_positive", condition=Q(version__gt=0)),
        ]
        indexes = [models.Index(name="entry_by_transaction", fields=["transaction"])]


class Credit(models.Model):
    """That an account was credited for a period: a month ("2026-03") or a benefit year ("2025").

    Never twice, by key; append-only by trigger.
    """

    pk = models.CompositePrimaryKey("account_id", "period")
    account = models.ForeignKey(PersonalAccount, models.PROTECT, related_name="credits")
    period = models.CharField(max_length=10)
    amount = Yuan()
    # The day that decided how many months a year's credit was for; None: the day it was posted.
    counted_on = models.DateField(null=True)
    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="credits")

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        constraints = [models.CheckConstraint(name="credit_positive", condition=Q(amount__gt=0))]


class Clawback(models.Model):
    """What was to go back of the credit of a period when its member left; what could not be taken is a debt.

    A credit that was given back is followed by another for the rest of the year: "2025.2". Append-only by trigger.
    """

    pk = models.CompositePrimaryKey("account_id", "period", "transaction_id")
    account = models.ForeignKey(PersonalAccount, models.PROTECT, related_name="clawbacks", db_index=False)
    period = models.CharField(max_length=10)
    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="clawbacks")
    left_on = models.DateField(_("left on"))
    amount = Yuan(_("goes back"))

    class Meta:
        verbose_name = _("clawback")
        verbose_name_plural = _("clawbacks")
        constraints = [models.CheckConstraint(name="clawback_positive", condition=Q(amount__gt=0))]
