import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import dates
from accounts.fields import EncryptedTextField
from accounts.models.people import Member


class Message(models.Model):
    """A line in a member's inbox: a kind and its facts, told in the reader's language when shown."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.ForeignKey(Member, models.CASCADE, db_index=False, related_name="messages")
    kind = models.CharField(_("kind"), max_length=40)
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="message_inbox", fields=["member", "-created_at"]),
            models.Index(name="message_unread", fields=["member"], condition=models.Q(read_at=None)),
        ]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return self.kind


# Kinds of text messages that hold a one-time code, or say why there is none.
CODES = models.Q(kind__regex="^(code|unknown):")


class SmsOutbox(models.Model):
    """A text message to send; a worker takes it from here, so a dead broker or provider loses nothing.

    A code's `text` is emptied soon, the row is deleted later (`actions.outbox.forget_old`).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    phone = EncryptedTextField(_("telephone"))
    phone_index = models.CharField(max_length=64, db_index=True)
    text = EncryptedTextField(_("text"), null=True)
    kind = models.CharField(_("kind"), max_length=40)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(name="sms_waiting", fields=["id"], condition=models.Q(state="waiting")),
            # For what has grown old.
            models.Index(name="sms_code_text", fields=["created_at"], condition=CODES & models.Q(text__isnull=False)),
            BrinIndex(name="sms_by_time", fields=["created_at"], autosummarize=True, pages_per_range=32),
        ]
        verbose_name = _("text message")
        verbose_name_plural = _("text messages")

    def __str__(self) -> str:
        return f"{self.kind} · {dates.moment(self.created_at)}"


class ConsentCode(models.Model):
    """A one-time code by which a person without his own login agrees at a window; only its keyed digest is kept."""

    phone_index = models.CharField(max_length=64)
    purpose = models.CharField(max_length=40)
    subject = models.CharField(max_length=60)
    code_index = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(name="code_by_subject", fields=["purpose", "subject"])]
        verbose_name = _("consent code")
        verbose_name_plural = _("consent codes")

    def __str__(self) -> str:
        return self.purpose
