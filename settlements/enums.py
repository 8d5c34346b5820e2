from django.db import models
from django.utils.translation import gettext_lazy as _


class CareKind(models.TextChoices):
    OUTPATIENT = "outpatient", _("Outpatient")
    INPATIENT = "inpatient", _("Inpatient")
    PHARMACY = "pharmacy", _("Pharmacy")


class EntryKind(models.TextChoices):
    OPENING = "opening", _("Opening balance")
    CREDIT = "credit", _("Credit")
    CARE = "care", _("Care")
    CLAIM = "claim", _("Manual reimbursement")
    REVERSAL = "reversal", _("Reversal")
    ROLLOVER = "rollover", _("Year-end rollover")
    INTEREST = "interest", _("Interest")
    CLEARING = "clearing", _("Clearing")
    PREMIUM = "premium", _("Premium")
    WALLET = "wallet", _("Wallet")
    WITHDRAWAL = "withdrawal", _("Withdrawal")


class Contra(models.TextChoices):
    """The other side of a movement; the sum by contra is that side's balance."""

    OPENING = "opening", _("Opening balances")
    CONTRIBUTION = "contribution", _("Contributions")
    INSTITUTION = "institution", _("Institutions")
    CLAIM = "claim", _("Paid out for bills paid in cash")
    INTEREST = "interest", _("Interest")
    CLEARING = "clearing", _("Clearing")
    PREMIUM = "premium", _("Premiums")
    WALLET = "wallet", _("Wallets in transit")
    WITHDRAWAL = "withdrawal", _("Withdrawals")
    NONE = "", _("None: within the account")


class AccountStatus(models.TextChoices):
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class RunState(models.TextChoices):
    OPENED = "opened", _("Waiting for rates")
    PLANNED = "planned", _("Planned")
    REHEARSED = "rehearsed", _("Rehearsed")
    RELEASED = "released", _("Released")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    RECONCILED = "reconciled", _("Reconciled")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


RELEASED_STATES = [RunState.RELEASED, RunState.RUNNING, RunState.PAUSED, RunState.RECONCILED, RunState.CLOSED]


class AdjustmentState(models.TextChoices):
    COUNTING = "counting", _("Being counted")
    COUNTED = "counted", _("Counted")
    RUNNING = "running", _("Posting")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
