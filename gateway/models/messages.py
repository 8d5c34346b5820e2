from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import EncryptedTextField
from accounts.models import Institution
from gateway.models.keys import InstitutionKey


class GatewayMessage(models.Model):
    """One signed call and its answer. Bodies hold people's data: encrypted, read by nobody without a reason that is kept,
    and deleted when they are old (`actions.bodies`).

    `claim` is the msgid on the first call that may change something: every later call with it gets the kept answer.
    """

    OK = "ok"

    # Their indexes are the beginning of others below; each call would write them twice. A key is never deleted, and an
    # institution not while it has one: no constraint (decision 0028).
    key = models.ForeignKey(
        InstitutionKey,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="messages",
        verbose_name=_("signing key"),
    )
    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="gateway_messages",
        verbose_name=_("institution"),
    )
    nonce = models.CharField(max_length=64)
    msgid = models.CharField(_("message ID"), max_length=30)
    infno = models.CharField(_("transaction number"), max_length=10)
    request_hash = models.CharField(max_length=64)
    claim = models.CharField(max_length=30, null=True)
    received_at = models.DateTimeField(_("received at"))
    duration_ms = models.IntegerField(_("milliseconds"), null=True)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)
    body = EncryptedTextField(_("request body"), null=True)
    answer = EncryptedTextField(_("answer body"), null=True)

    class Meta:
        verbose_name = _("gateway message")
        verbose_name_plural = _("gateway messages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="message_nonce_once", fields=["key", "nonce"]),
            models.UniqueConstraint(
                name="message_claim_once", fields=["institution", "claim"], condition=~models.Q(claim=None)
            ),
        ]
        indexes = [
            models.Index(name="message_by_institution", fields=["institution", "-received_at"]),
            # For the day's figures and for what has grown old; it costs a call next to nothing.
            BrinIndex(name="message_by_time", fields=["received_at"], autosummarize=True, pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.infno} {self.msgid}"
