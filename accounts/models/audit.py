from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import dates


class AuditEvent(models.Model):
    """One act, written in its transaction. Append-only by trigger; no foreign keys, so it outlives what it names.

    Sealed behind the transaction in blocks (`AuditBlock`), never inside it.
    """

    at = models.DateTimeField(_("at"))
    actor_id = models.BigIntegerField(_("login"), null=True)
    actor = models.CharField(_("who"), max_length=60)
    on_behalf_of_id = models.BigIntegerField(_("on behalf of member"), null=True)
    action = models.CharField(_("act"), max_length=40)
    target = models.CharField(_("on what"), max_length=60, blank=True)
    member_id = models.BigIntegerField(_("about member"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    details = models.JSONField(_("details"), default=dict)
    channel = models.CharField(_("channel"), max_length=10)
    ip = models.GenericIPAddressField(null=True)
    session = models.CharField(max_length=16, blank=True)

    class Meta:
        verbose_name = _("audit line")
        verbose_name_plural = _("audit lines")
        ordering = ["-id"]
        indexes = [
            models.Index(name="audit_by_member", fields=["member_id", "-id"]),
            # A login's day. Programs have no login: their lines, which are the most, stay out of it.
            models.Index(name="audit_by_login", fields=["actor_id", "at"], condition=models.Q(actor_id__isnull=False)),
            # For the auditor's days; it costs a line next to nothing.
            BrinIndex(name="audit_by_time", fields=["at"], autosummarize=True, pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{dates.moment(self.at)} · {self.action}"


class AuditBlock(models.Model):
    """A sealed stretch of the audit log: each hash covers its lines and the block before it."""

    first_event = models.BigIntegerField()
    last_event = models.BigIntegerField(unique=True)
    lines = models.IntegerField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name = _("audit block")
        verbose_name_plural = _("audit blocks")

    def __str__(self) -> str:
        return self.hash[:12]
