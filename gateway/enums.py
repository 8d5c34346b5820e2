from django.db import models
from django.utils.translation import gettext_lazy as _


class Variant(models.TextChoices):
    """How an institution signs its calls; each needs an entry in `gateway.signatures.VARIANTS`."""

    X_TIF = "x-tif", _("x-tif headers, SHA-256")
    X_CA = "x-ca", _("x-ca headers, HMAC-SM3 over the body")
    API = "api", _("_api_ headers, HmacSHA1")
    API_KEY = "apikey", _("API key only, no signature")


class VisitState(models.TextChoices):
    OPEN = "open", _("Not settled yet")
    SETTLED = "settled", _("Settled")
    REVERSED = "reversed", _("Reversed")
