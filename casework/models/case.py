import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import dates
from accounts.enums import Channel
from accounts.models import Member, Region, ServiceCentre
from casework.enums import CaseState


class Case(models.Model):
    """One piece of work with a number and a state (业务件), whether begun online or at a window."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(_("case number"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=30)
    state = models.CharField(_("state"), max_length=10, choices=CaseState, default=CaseState.DRAFT)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    applicant = models.ForeignKey(Member, models.PROTECT, related_name="cases", verbose_name=_("applicant"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("opened by")
    )
    centre = models.ForeignKey(ServiceCentre, models.PROTECT, null=True, blank=True, verbose_name=_("service centre"))
    agent_name = models.CharField(_("agent"), max_length=60, blank=True)
    opened_at = models.DateTimeField(_("opened at"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("checked by")
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(name="case_queue", fields=["region", "state", "due_on"]),
            models.Index(name="case_of_applicant", fields=["applicant", "-opened_at"]),
        ]
        constraints = [
            # Four eyes: held here, not only in the policy.
            models.CheckConstraint(
                name="case_checker_is_not_maker",
                condition=Q(checked_by=None) | Q(opened_by=None) | ~Q(checked_by=F("opened_by")),
            ),
            models.CheckConstraint(
                name="case_check_is_whole",
                condition=Q(checked_by=None, checked_at=None) | Q(checked_by__isnull=False, checked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="case_closed_when_ended",
                condition=Q(closed_at=None, state__in=["draft", "consent", "review", "returned"])
                | Q(closed_at__isnull=False, state__in=["granted", "refused", "withdrawn", "expired"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CaseEvent(models.Model):
    """A line of a case's timeline. Append-only by trigger."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    verb = models.CharField(_("step"), max_length=20)
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor_role = models.CharField(_("role"), max_length=12)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("case event")
        verbose_name_plural = _("case events")

    def __str__(self) -> str:
        return f"{self.case} · {dates.moment(self.at)}"
