import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Member


class IssuedDocument(models.Model):
    """A paper the portal issued: what it was, for whom, and the hash that the file must have. Never the content."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Twelve letters and digits without 0, O, 1, I: to be read aloud and typed.
    number = models.CharField(_("document number"), max_length=12, unique=True)
    kind = models.CharField(_("kind"), max_length=30)
    member = models.ForeignKey(Member, models.PROTECT, verbose_name=_("member"))
    subject = models.CharField(_("subject"), max_length=60, blank=True)
    # Empty while the paper could not be set and waits for the window.
    sha256 = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField(_("issued at"))
    issued_by = models.CharField(_("issued by"), max_length=60)
    copies = models.PositiveSmallIntegerField(_("copies"), default=1)
    # A copy bears its mark, so its file has a hash of its own.
    copy_hashes = ArrayField(models.CharField(max_length=64), default=list, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("issued document")
        verbose_name_plural = _("issued documents")
        ordering = ["-issued_at", "-id"]

    def __str__(self) -> str:
        return self.number
