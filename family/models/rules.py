from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from accounts import dates
from accounts.models import Region


class SharingRules(models.Model):
    """A region's rules of family sharing from one day to another, as its regions/*.toml says them."""

    region = models.ForeignKey(Region, models.CASCADE, related_name="sharing_rules", verbose_name=_("region"))
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until, exclusive"), null=True, blank=True)
    data = models.JSONField(_("rules"))

    class Meta:
        verbose_name = _("sharing rules")
        verbose_name_plural = _("sharing rules")
        ordering = ["region", "-valid_from"]
        constraints = [
            ExclusionConstraint(
                name="sharing_rules_no_overlap",
                expressions=[
                    (
                        Func(
                            Cast("region", models.IntegerField()),
                            Cast("region", models.IntegerField()),
                            Value("[]"),
                            function="int4range",
                        ),
                        "&&",
                    ),
                    (
                        Func(
                            F("valid_from"),
                            F("valid_to"),
                            Value("[)"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.region} {dates.day(self.valid_from)}"
