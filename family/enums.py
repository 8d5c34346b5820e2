from django.db import models
from django.utils.translation import gettext_lazy as _

SHARING = "sharing"  # the kind of case an application for sharing is


class EndReason(models.TextChoices):
    """Why a grant ended before its own last day."""

    GRANTOR = "grantor", _("Ended by the account holder")
    BENEFICIARY = "beneficiary", _("Ended by the relative")
    OFFICE = "office", _("Ended by the office")
    DIED = "died", _("One of the two died")
    MOVED = "moved", _("One of the two moved to another region")
    DIVORCED = "divorced", _("Divorce")
