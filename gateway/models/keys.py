import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.fields import EncryptedTextField
from accounts.models import Institution
from gateway.enums import Variant


class InstitutionKey(models.Model):
    """With what an institution signs its calls. Several may be valid at once: a key changes without a closed hour."""

    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="gateway_keys", verbose_name=_("institution")
    )
    key_id = models.CharField(_("key ID"), max_length=40, unique=True)
    # A shared secret must be read back to check a signature, so it is encrypted and not hashed.
    secret = EncryptedTextField(_("secret"))
    variant = models.CharField(_("signature"), max_length=10, choices=Variant, default=Variant.X_TIF)
    valid_from = models.DateTimeField(_("from"))
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("issued by")
    )

    # How the institution wants to be answered, as the process read it last (`envelope.Dialect`); no column.
    dialect: Any = None
    # Likewise, whoever called with it last (`actions.messages.Caller`).
    caller: Any = None

    class Meta:
        verbose_name = _("institution key")
        verbose_name_plural = _("institution keys")
        ordering = ["institution", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="institution_key_period", condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from"))
            )
        ]

    def __str__(self) -> str:
        return self.key_id

    def is_valid(self, at: datetime.datetime) -> bool:
        """Whether calls may be signed with it at a moment."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)
