from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.language import is_chinese


class Region(models.Model):
    """A pooling region (统筹区), loaded from regions/*.toml."""

    code = models.CharField(_("code"), max_length=6, primary_key=True)
    name = models.CharField(_("name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=60)
    two_buckets = models.BooleanField(_("current and historical balances kept apart"))
    # The rest of the file that has no rows of its own: year rules, levels, labels of counters, filing deadlines.
    data = models.JSONField(_("further rules"), default=dict)
    file_hash = models.CharField(max_length=64, editable=False)
    loaded_at = models.DateTimeField(_("loaded at"))

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(name="region_code_six_digits", condition=models.Q(code__regex=r"^\d{6}$"))
        ]

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        return self.name if is_chinese() else self.name_en


class BenefitYear(models.Model):
    """First day of a benefit year of a region: the dated rule written out, so SQL and Python read one boundary."""

    region = models.ForeignKey(Region, models.CASCADE, related_name="benefit_years", verbose_name=_("region"))
    year = models.IntegerField(_("benefit year"))
    starts_on = models.DateField(_("starts on"))

    class Meta:
        verbose_name = _("benefit year")
        verbose_name_plural = _("benefit years")
        ordering = ["region", "year"]
        constraints = [
            models.UniqueConstraint(name="benefit_year_once", fields=["region", "year"], include=["starts_on"]),
            models.UniqueConstraint(name="benefit_year_one_start", fields=["region", "starts_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.year}"


class ServiceCentre(models.Model):
    """An office with windows (经办机构)."""

    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    name = models.CharField(_("name"), max_length=60)
    address = models.CharField(_("address"), max_length=120, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("service centre")
        verbose_name_plural = _("service centres")
        ordering = ["region", "name"]

    def __str__(self) -> str:
        return self.name
