from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkingDayException(models.Model):
    """A weekday that is a holiday, or a weekend day that is worked (调休); every other day follows the week."""

    day = models.DateField(_("day"), primary_key=True)
    is_working = models.BooleanField(_("worked"))
    name = models.CharField(_("name"), max_length=40, blank=True)

    class Meta:
        ordering = ["day"]
        verbose_name = _("working-day exception")
        verbose_name_plural = _("working-day calendar")

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
