from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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
    """`LATE` is closed as well, but money has come in since (a reversal, interest); it is paid on to the same payees."""

    OPEN = "open", _("Open")
    CLOSED = "closed", pgettext_lazy("account", "Closed")
    LATE = "late", _("Closed, with late money")


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


class WithdrawalReason(models.TextChoices):
    """Why an account is closed; which of them a region allows is its rule (`[[withdrawal]]`)."""

    EMIGRATED = "emigrated", _("Settled abroad")
    GAVE_UP = "gave_up", _("Gave up the employee insurance")
    CANNOT_TRANSFER = "cannot_transfer", _("Moved to a place that cannot receive the balance")
    SETTLED_ELSEWHERE = "settled_elsewhere", _("Lives elsewhere for good, in retirement or for work")
    RETIRED_ELSEWHERE = "retired_elsewhere", _("Registered elsewhere, of retirement age, and cannot transfer")
    DIED = "died", _("Died")
    MOVED = "moved", _("Insured in another region now")


class PayeeWay(models.TextChoices):
    BANK = "bank", _("To a bank account")
    ACCOUNT = "account", _("Into a personal account")
    REGION = "region", _("To another region")
    FUND = "fund", _("To the pooled fund: no heir")


class OrderState(models.TextChoices):
    """Of a premium that is debited at the month's end; a failed one is collected by the tax office."""

    WAITING = "waiting", _("Waiting for the month's end")
    PAID = "paid", _("Paid")
    FAILED = "failed", _("Passed on to the tax office")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class WalletSource(models.TextChoices):
    ACCOUNT = "account", _("Personal account")
    WALLET = "wallet", _("Wallet")


class TransferState(models.TextChoices):
    PENDING = "pending", _("Waiting to be accepted")
    ACCEPTED = "accepted", _("Taken into the wallet")
    RETURNED = "returned", _("Returned")


class WalletEntryKind(models.TextChoices):
    RECEIVED = "received", _("Received")
    SENT = "sent", _("Sent")
    RETURNED = "returned", _("Returned")
    CARE = "care", _("Care")
    REVERSAL = "reversal", _("Reversal")
    # Out when one is paid, in when it is given back, as in the accounts.
    PREMIUM = "premium", _("Premium")
    INHERITED = "inherited", _("To the heirs")


# Kinds of cases about bills.
CLAIM_CASE = "claim"
RECALCULATION_CASE = "recalculation"
BILL_REVERSAL_CASE = "bill_reversal"


class FileState(models.TextChoices):
    """Of a file of contributions or of a catalogue; only a catalogue is long in being brought in."""

    READING = "reading", _("Being read")
    FAULTY = "faulty", _("Has mistakes")
    READY = "ready", _("Waits for release")
    RELEASING = "releasing", _("Being brought in")
    RELEASED = "released", _("Released")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class CreditKind(models.TextChoices):
    """What a crediting run credits."""

    MONTH = "month", _("Monthly credit")
    YEAR = "year", _("Credit of the year")
    CONTRIBUTIONS = "contributions", _("Contributions of a file")
    CLEARING = "clearing", _("Clearing of a year")


class CreditState(models.TextChoices):
    PLANNED = "planned", _("Waits for release")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class RulePart(models.TextChoices):
    """Which part of a region's rules a draft is of; the value is its key in regions/*.toml."""

    SCHEME = "scheme", _("Scheme")
    SHARING = "sharing", _("Sharing rules")


class DraftState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    DISCARDED = "discarded", _("Discarded")


class TrialState(models.TextChoices):
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class CatalogueChange(models.TextChoices):
    """What a row of a catalogue file does to its code."""

    NEW = "new", _("New")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
