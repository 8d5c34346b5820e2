from django.db import models
from django.utils.translation import gettext_lazy as _


class Variant(models.TextChoices):
    """How an institution signs its calls; each needs an entry in `gateway.signatures.VARIANTS`."""

    X_TIF = "x-tif", _("x-tif headers, SHA-256")
    X_CA = "x-ca", _("x-ca headers, HMAC-SM3 over the body")
    API = "api", _("_api_ headers, HmacSHA1")
    API_KEY = "apikey", _("API key only, no signature")


class VisitState(models.TextChoices):
    """`gateway.domain.life.Stage` in words."""

    REGISTERED = "registered", _("Registered, nothing charged")
    CHARGED = "charged", _("Not settled yet")
    SETTLED = "settled", _("Settled")
    REVERSED = "reversed", _("Reversed")
    CANCELLED = "cancelled", _("Cancelled by the institution")
    EXPIRED = "expired", _("Given up: not settled in time")


class DifferenceKind(models.TextChoices):
    """What `gateway.domain.reconciling` finds; the values are its."""

    MISSING_HERE = "missing_here", _("Only at the institution")
    MISSING_THERE = "missing_there", _("Only here")
    AMOUNTS = "amounts", _("Amounts differ")
    REVERSED_HERE = "reversed_here", _("Reversed here only")
    REVERSED_THERE = "reversed_there", _("Reversed at the institution only")
    ELSEWHERE = "elsewhere", _("Of another period or category here")
    REPEATED = "repeated", _("Twice in the institution's file")


class DifferenceState(models.TextChoices):
    OPEN = "open", _("To be explained")
    EXPLAINED = "explained", _("Explained")
    CLOSED = "closed", _("Closed, nothing more to do")


class DayState(models.TextChoices):
    BALANCED = "balanced", _("Agrees")
    DIFFERS = "differs", _("Does not agree")
    MISSING = "missing", _("Not reconciled")


class StayState(models.TextChoices):
    """`gateway.domain.staying.Where` in words."""

    ADMITTED = "admitted", _("In hospital")
    DISCHARGED = "discharged", _("Discharged, not settled yet")
    SETTLED = "settled", _("Settled")
    CANCELLED = "cancelled", _("Cancelled by the institution")
