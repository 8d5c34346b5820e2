import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import dates
from accounts.models import Member, Region
from settlements.enums import CreditKind, CreditState, FileState
from settlements.models.books import LedgerTransaction, PersonalAccount
from settlements.models.fields import Yuan


def person(label: object = None, **more: Any) -> models.ForeignKey:
    """Who did it; None is the system."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=label,
        **more,
    )


class ContributionFile(models.Model):
    """A file of contributions of one month of one region, uploaded by one person and released by another."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    month = models.DateField(_("month"))
    name = models.CharField(_("name of the file"), max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(_("bytes"))
    # Until it has been read; then the rows are kept and the file is not.
    content = models.BinaryField(null=True)
    state = models.CharField(_("state"), max_length=10, choices=FileState, default=FileState.READING)
    # Why the file as a whole could not be read: {"code", "params"}.
    refused = models.JSONField(default=dict, blank=True)
    fault_count = models.IntegerField(_("rows with mistakes"), default=0)
    # rows, members, base_sum, expected, widened; the same of the month before under "before".
    totals = models.JSONField(_("control totals"), default=dict, blank=True)
    uploaded_by = person(_("uploaded by"))
    uploaded_at = models.DateTimeField(_("uploaded at"))
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)

    class Meta:
        verbose_name = _("contribution file")
        verbose_name_plural = _("contribution files")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="contribution_file_once",
                fields=["region", "sha256"],
                condition=~Q(state__in=[FileState.FAULTY, FileState.WITHDRAWN]),
            )
        ]

    def __str__(self) -> str:
        return f"{dates.month(self.month)} · {self.name}"


class Contribution(models.Model):
    """That a contribution of a month arrived for a member, and on what base: the dated history of bases.

    It counts once its file is released. A later one for the same month takes the place of an earlier one.
    """

    file = models.ForeignKey(ContributionFile, models.PROTECT, related_name="contributions", verbose_name=_("file"))
    line = models.IntegerField(_("line"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="contributions", db_index=False)
    month = models.DateField(_("month"))
    base = models.DecimalField(_("monthly contribution base"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("contribution")
        verbose_name_plural = _("contributions")
        ordering = ["file", "line"]
        constraints = [
            models.UniqueConstraint(name="contribution_line_once", fields=["file", "line"]),
            models.UniqueConstraint(name="contribution_once_in_file", fields=["file", "member", "month"]),
            models.CheckConstraint(name="contribution_base_positive", condition=Q(base__gt=0)),
        ]
        indexes = [models.Index(name="contribution_of_member", fields=["member", "month"])]

    def __str__(self) -> str:
        return f"{self.file_id}:{self.line}"


class ContributionFault(models.Model):
    """A mistake in a row of a file, with line and column; told by its code."""

    file = models.ForeignKey(ContributionFile, models.CASCADE, related_name="faults")
    line = models.IntegerField(_("line"))
    column = models.CharField(_("column"), max_length=40, blank=True)
    code = models.CharField(_("mistake"), max_length=40)
    params = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("mistake in a contribution file")
        verbose_name_plural = _("mistakes in contribution files")
        ordering = ["file", "line", "id"]

    def __str__(self) -> str:
        return f"{self.file_id}:{self.line} {self.code}"


class CreditRun(models.Model):
    """Crediting many accounts: a month, a year, the contributions of a file, or the clearing of a year.

    Runs of the calendar are begun by the system; those of a file and of a clearing are released by a second person.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    kind = models.CharField(_("kind"), max_length=14, choices=CreditKind)
    # The month "2026-11" or the benefit year "2026".
    period = models.CharField(_("period"), max_length=7)
    on = models.DateField(_("business date"))
    state = models.CharField(_("state"), max_length=10, choices=CreditState)
    file = models.OneToOneField(ContributionFile, models.PROTECT, null=True, blank=True, related_name="run")
    planned_by = person(_("planned by"))
    planned_at = models.DateTimeField(_("planned at"))
    released_by = person(_("released by"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    # Time spent paused is not part of the rate.
    resumed_at = models.DateTimeField(null=True, blank=True)
    worked_seconds = models.FloatField(default=0)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("crediting run")
        verbose_name_plural = _("crediting runs")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="credit_run_released_by_another",
                condition=Q(released_by=None) | Q(planned_by=None) | ~Q(released_by=F("planned_by")),
            ),
            models.CheckConstraint(
                name="credit_run_of_file", condition=Q(kind=CreditKind.CONTRIBUTIONS, file__isnull=False)
                | ~Q(kind=CreditKind.CONTRIBUTIONS) & Q(file=None)
            ),
            models.CheckConstraint(
                name="credit_run_released_when_it_works",
                condition=Q(state__in=[CreditState.PLANNED, CreditState.CANCELLED]) | Q(released_at__isnull=False),
            ),
            models.UniqueConstraint(
                name="credit_run_once_open",
                fields=["region", "kind", "period"],
                condition=Q(state__in=[CreditState.PLANNED, CreditState.RUNNING, CreditState.PAUSED], file=None),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.period}"


class CreditChunk(models.Model):
    """A range of accounts (or of lines of a file) of a run; its effects, totals and state commit together."""

    run = models.ForeignKey(CreditRun, models.CASCADE, related_name="chunks")
    number = models.IntegerField(_("number"))
    first_id = models.BigIntegerField(_("first"))
    last_id = models.BigIntegerField(_("last"))
    planned = models.IntegerField(_("planned"), default=0)
    done = models.BooleanField(_("done"), default=False)
    accounts = models.IntegerField(_("accounts"), default=0)
    # Put into accounts, debts repaid by it included; taken out by a clearing; what of that was not there.
    amount = Yuan(_("credited"), default=0)
    taken = Yuan(_("taken back"), default=0)
    debt = Yuan(_("became a debt"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True)

    class Meta:
        verbose_name = _("crediting chunk")
        verbose_name_plural = _("crediting chunks")
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(name="credit_chunk_once", fields=["run", "number"])]
        indexes = [models.Index(name="credit_chunk_todo", fields=["run", "number"], condition=Q(done=False))]

    def __str__(self) -> str:
        return f"{self.run_id} / {self.number}"


class Clearing(models.Model):
    """A year of an account cleared (清算): what was due by bases and months, what had been credited, the difference.

    Append-only by trigger. A second clearing of the year counts what the first one moved as credited.
    """

    pk = models.CompositePrimaryKey("account_id", "year", "transaction_id")
    account = models.ForeignKey(PersonalAccount, models.PROTECT, related_name="clearings", db_index=False)
    year = models.IntegerField(_("benefit year"))
    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="clearings")
    months = models.IntegerField(_("months"))
    # The base of the last month that counted; none for the retired.
    base = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    due = Yuan(_("due"))
    credited = Yuan(_("credited"))
    # due less credited: above zero it was topped up, below zero it went back.
    amount = Yuan(_("cleared"))

    class Meta:
        verbose_name = _("clearing")
        verbose_name_plural = _("clearings")
        constraints = [
            models.CheckConstraint(name="clearing_is_the_difference", condition=Q(amount=F("due") - F("credited")))
        ]
