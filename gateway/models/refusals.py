from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution


class TurnedAway(models.Model):
    """How many calls of a day were turned away at the door for a reason, and when the last one. No call is kept.

    `institution` is whose key the calls named, proven or not; None where they named none that is known here: all those are
    one row, so that whoever has no key cannot fill the table.
    """

    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("institution")
    )
    day = models.DateField(_("day"))
    code = models.CharField(_("reason"), max_length=40)
    calls = models.IntegerField(_("calls"))
    last_at = models.DateTimeField(_("last call"))

    class Meta:
        verbose_name = _("calls turned away")
        verbose_name_plural = _("calls turned away")
        constraints = [
            models.UniqueConstraint(
                name="turned_away_once", fields=["day", "institution", "code"], nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.code}"
