import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import Insurance
from accounts.models import Member, Region
from family.models import SharingRules
from settlements.enums import CareKind, DraftState, RulePart, TrialState
from settlements.models.crediting import person
from settlements.models.parameters import Scheme


class RuleDraft(models.Model):
    """A new version of a scheme or of sharing rules before it holds: made by one person and published by another.

    By trigger nothing changes once it is published or discarded, nor does the version that was published.
    """

    region = models.ForeignKey(Region, models.PROTECT, related_name="drafts", verbose_name=_("region"))
    part = models.CharField(_("part of the rules"), max_length=8, choices=RulePart)
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance, blank=True)
    kind = models.CharField(_("kind of care"), max_length=10, choices=CareKind, blank=True)
    # The version that it would follow.
    scheme = models.ForeignKey(Scheme, models.PROTECT, null=True, related_name="drafts_after")
    sharing = models.ForeignKey(SharingRules, models.PROTECT, null=True, related_name="drafts_after")
    # As it was typed, and as it was read.
    text = models.TextField(_("text"))
    data = models.JSONField()
    state = models.CharField(_("state"), max_length=10, choices=DraftState, default=DraftState.DRAFT)
    made_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"))
    edited_at = models.DateTimeField(_("last edited at"))
    valid_from = models.DateField(_("holds from"), null=True)
    published_by = person(_("published by"))
    published_at = models.DateTimeField(_("published at"), null=True)
    discarded_by = person(_("discarded by"))
    discarded_at = models.DateTimeField(_("discarded at"), null=True)
    # For the maker to read, where it was another who discarded it.
    discard_reason = models.CharField(_("why it was discarded"), max_length=200, blank=True)
    published_scheme = models.OneToOneField(Scheme, models.PROTECT, null=True, related_name="draft")
    published_sharing = models.OneToOneField(SharingRules, models.PROTECT, null=True, related_name="draft")

    class Meta:
        verbose_name = _("draft of rules")
        verbose_name_plural = _("drafts of rules")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="draft_published_by_another", condition=Q(published_by=None) | ~Q(published_by=F("made_by"))
            ),
            models.CheckConstraint(
                name="draft_discarded_with_reason",
                condition=Q(discarded_by=None, discard_reason="")
                | Q(state=DraftState.DISCARDED)
                & (Q(discarded_by=F("made_by")) | (Q(discarded_by__isnull=False) & ~Q(discard_reason=""))),
            ),
            models.CheckConstraint(
                name="draft_of_one_version",
                condition=Q(part=RulePart.SCHEME, scheme__isnull=False, sharing=None)
                | Q(part=RulePart.SHARING, scheme=None, sharing__isnull=False),
            ),
            models.CheckConstraint(
                name="draft_published_whole",
                condition=Q(
                    state=DraftState.PUBLISHED,
                    published_by__isnull=False,
                    published_at__isnull=False,
                    valid_from__isnull=False,
                )
                & (Q(published_scheme__isnull=False) | Q(published_sharing__isnull=False))
                | ~Q(state=DraftState.PUBLISHED)
                & Q(published_by=None, valid_from=None, published_scheme=None, published_sharing=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.part} {self.insurance} {self.kind} {self.pk}".replace("  ", " ")

    @property
    def base(self) -> Scheme | SharingRules:
        """The version that it would follow."""
        found = self.scheme or self.sharing
        assert found is not None
        return found

    @property
    def is_open(self) -> bool:
        return self.state == DraftState.DRAFT


class Trial(models.Model):
    """A what-if: real settlements decided anew under a draft. What it came to stays with the draft."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(RuleDraft, models.PROTECT, related_name="trials")
    # The text that was tried: an edit leaves the trial that of an earlier text.
    data = models.JSONField()
    # The month "2026-10" in which bills were settled, or empty for the last ones.
    month = models.CharField(max_length=7, blank=True)
    # Settlements from the first to the last id; done up to `cursor`.
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    cursor = models.BigIntegerField()
    total = models.IntegerField()
    done = models.IntegerField(default=0)
    state = models.CharField(max_length=10, choices=TrialState, default=TrialState.RUNNING)
    # See actions/trials.py.
    result = models.JSONField(default=dict)
    started_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    # Time spent paused is not part of the rate.
    resumed_at = models.DateTimeField(null=True)
    worked_seconds = models.FloatField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="trial_once_open",
                fields=["draft"],
                condition=Q(state__in=[TrialState.RUNNING, TrialState.PAUSED]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.draft} {self.pk}"


class TrialDrift(models.Model):
    """How far counters and balances have moved apart under the draft: what a later bill of the trial starts from.

    `kind`: usage (of a member in a benefit year, by counter) or money (of an account, by bucket); gone when it ends.
    """

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="drifts", db_index=False)
    kind = models.CharField(max_length=5)
    ref = models.BigIntegerField()
    year = models.IntegerField()
    name = models.CharField(max_length=60)
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="trial_drift_once", fields=["trial", "kind", "ref", "year", "name"])
        ]


class TrialPerson(models.Model):
    """What a trial means for one patient, in yuan: what fund and supplement left to pay, and the cash of it, then and now."""

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="people", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", db_index=False)
    bills = models.IntegerField()
    paid = models.DecimalField(max_digits=14, decimal_places=2)
    paid_draft = models.DecimalField(max_digits=14, decimal_places=2)
    cash = models.DecimalField(max_digits=14, decimal_places=2)
    cash_draft = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(name="trial_person_once", fields=["trial", "member"])]
