import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Region
from settlements.enums import RELEASED_STATES, AdjustmentState, RunState
from settlements.models.fields import Yuan


class RolloverRun(models.Model):
    """The closing of one benefit year of one region, planned by one person and released and closed by others.

    Opened by the system a month ahead, without rates; whoever gives the rates is the planner.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    year = models.IntegerField(_("benefit year that closes"))
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.PLANNED)
    current_rate = models.DecimalField(
        _("interest on current, percent a year"), max_digits=7, decimal_places=4, null=True
    )
    historical_rate = models.DecimalField(
        _("interest on historical, percent a year"), max_digits=7, decimal_places=4, null=True
    )
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("planned by")
    )
    planned_at = models.DateTimeField(_("planned at"))
    rehearsal = models.JSONField(_("rehearsal"), default=dict, blank=True)
    rehearsed_at = models.DateTimeField(_("rehearsed at"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    # Time spent paused is not part of the rate.
    resumed_at = models.DateTimeField(null=True, blank=True)
    worked_seconds = models.FloatField(default=0)
    # How long workers rest after each chunk, in milliseconds, because settlements are waiting; 0 at full speed.
    resting_ms = models.IntegerField(default=0)
    # Since when nothing has moved while it should: the alarm was raised then, once. None: all is well.
    stalled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    totals = models.JSONField(_("control totals"), default=dict, blank=True)

    class Meta:
        verbose_name = _("rollover run")
        verbose_name_plural = _("rollover runs")
        ordering = ["-year", "region"]
        constraints = [
            models.UniqueConstraint(
                name="run_once_a_year", fields=["region", "year"], condition=~Q(state=RunState.CANCELLED)
            ),
            models.CheckConstraint(
                name="run_released_by_another",
                condition=Q(released_by=None) | Q(planned_by=None) | ~Q(released_by=F("planned_by")),
            ),
            models.CheckConstraint(
                name="run_closed_by_another",
                condition=Q(closed_by=None) | Q(planned_by=None) | ~Q(closed_by=F("planned_by")),
            ),
            models.CheckConstraint(
                name="run_planned_with_rates",
                condition=Q(state__in=[RunState.OPENED, RunState.CANCELLED])
                | Q(current_rate__isnull=False, historical_rate__isnull=False),
            ),
            models.CheckConstraint(
                name="run_released_when_it_works",
                condition=~Q(state__in=RELEASED_STATES) | Q(released_at__isnull=False),
            ),
            models.CheckConstraint(
                name="run_rates_sane",
                condition=Q(current_rate__gte=0, current_rate__lt=20, historical_rate__gte=0, historical_rate__lt=20),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.year}"


class RolloverChunk(models.Model):
    """A range of account ids of a run; its effects, totals and state commit together, so unknown cannot happen."""

    run = models.ForeignKey(RolloverRun, models.CASCADE, related_name="chunks")
    number = models.IntegerField(_("number"))
    first_id = models.BigIntegerField(_("first account"))
    last_id = models.BigIntegerField(_("last account"))
    # Accounts of the closing year that lay in the range when the run began: those that the batch does not count were
    # rolled by a movement of their own.
    planned = models.IntegerField(_("accounts planned"), default=0)
    done = models.BooleanField(_("done"), default=False)
    accounts = models.IntegerField(_("accounts"), default=0)
    moved = Yuan(_("moved to historical"), default=0)
    netted = Yuan(_("debt netted"), default=0)
    interest = Yuan(_("interest"), default=0)
    visits = models.IntegerField(_("visits"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True)

    class Meta:
        verbose_name = _("rollover chunk")
        verbose_name_plural = _("rollover chunks")
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(name="chunk_once", fields=["run", "number"])]
        # In the order in which chunks are claimed: else each claim sorts all that are left, four milliseconds of five
        # thousand.
        indexes = [models.Index(name="chunk_todo", fields=["run", "visits", "number"], condition=Q(done=False))]

    def __str__(self) -> str:
        return f"{self.run} / {self.number}"


class RolloverAdjustment(models.Model):
    """The correction of a run whose released rates were wrong: counted, released by a second person, then posted.

    From its release the run carries the right rates; the old ones are kept here.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(RolloverRun, models.PROTECT, related_name="adjustments", verbose_name=_("rollover run"))
    state = models.CharField(_("state"), max_length=10, choices=AdjustmentState, default=AdjustmentState.COUNTING)
    reason = models.CharField(_("reason"), max_length=200)
    old_current_rate = models.DecimalField(max_digits=7, decimal_places=4)
    old_historical_rate = models.DecimalField(max_digits=7, decimal_places=4)
    current_rate = models.DecimalField(max_digits=7, decimal_places=4)
    historical_rate = models.DecimalField(max_digits=7, decimal_places=4)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    planned_at = models.DateTimeField()
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("rollover adjustment")
        verbose_name_plural = _("rollover adjustments")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="adjustment_one_at_a_time",
                fields=["run"],
                condition=Q(state__in=[AdjustmentState.COUNTING, AdjustmentState.COUNTED, AdjustmentState.RUNNING]),
            ),
            models.CheckConstraint(
                name="adjustment_released_by_another",
                condition=Q(released_by=None) | Q(planned_by=None) | ~Q(released_by=F("planned_by")),
            ),
            models.CheckConstraint(
                name="adjustment_released_when_it_posts",
                condition=~Q(state__in=[AdjustmentState.RUNNING, AdjustmentState.DONE]) | Q(released_at__isnull=False),
            ),
            models.CheckConstraint(
                name="adjustment_rates_sane",
                condition=Q(current_rate__gte=0, current_rate__lt=20, historical_rate__gte=0, historical_rate__lt=20),
            ),
            models.CheckConstraint(
                name="adjustment_changes_a_rate",
                condition=~Q(current_rate=F("old_current_rate"), historical_rate=F("old_historical_rate")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} / {self.pk}"


class AdjustmentChunk(models.Model):
    """A range of account ids of an adjustment: what it would come to, then what was posted; yuan, may be negative."""

    adjustment = models.ForeignKey(RolloverAdjustment, models.CASCADE, related_name="chunks")
    number = models.IntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    counted = models.BooleanField(default=False)
    # What is due by the right rates less what was posted, account by account.
    due_accounts = models.IntegerField(default=0)
    due = Yuan(default=0)
    # What of it would become debt, because the money is spent.
    due_debt = Yuan(default=0)
    # The same once more from the products alone: by the right rates less by the old.
    by_products = Yuan(default=0)
    done = models.BooleanField(default=False)
    accounts = models.IntegerField(default=0)
    posted = Yuan(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("adjustment chunk")
        verbose_name_plural = _("adjustment chunks")
        ordering = ["adjustment", "number"]
        constraints = [models.UniqueConstraint(name="adjustment_chunk_once", fields=["adjustment", "number"])]
