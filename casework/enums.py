from django.db import models
from django.utils.translation import gettext_lazy as _


class CaseState(models.TextChoices):
    DRAFT = "draft", _("Not submitted")
    CONSENT = "consent", _("Waiting for the relative's consent")
    REVIEW = "review", _("Waiting for the second check")
    RETURNED = "returned", _("Returned, to be amended")
    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


OPEN_STATES = [CaseState.DRAFT, CaseState.CONSENT, CaseState.REVIEW, CaseState.RETURNED]
