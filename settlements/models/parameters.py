from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from accounts import dates
from accounts.enums import Insurance
from accounts.models import Region
from settlements.enums import CareKind


def region_range() -> Func:
    """The region as a one-point range: gist has no equality on text without an extension."""
    code = Cast("region", models.IntegerField())
    return Func(code, code, Value("[]"), function="int4range")


def validity() -> Func:
    return Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange", output_field=DateRangeField())


def code_and_days() -> Func:
    """A code of a region and the days of a version as a box (settlements/migrations/0029)."""
    fields = F("region"), F("code"), F("valid_from"), F("valid_to")
    return Func(*fields, function="catalogue_box", output_field=models.TextField())


def code_range(field: str, codes: dict[str, int]) -> Func:
    cases = models.Case(*[models.When(**{field: code}, then=Value(n)) for code, n in codes.items()], default=Value(0))
    return Func(cases, cases, Value("[]"), function="int4range")


class Scheme(models.Model):
    """A version of the insurance parameters of a region for one insurance and one kind of care (参数方案).

    `data` holds the list of stages exactly as regions/*.toml says it, with the source of each value.
    """

    region = models.ForeignKey(Region, models.CASCADE, related_name="schemes", verbose_name=_("region"))
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance)
    kind = models.CharField(_("kind of care"), max_length=10, choices=CareKind)
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until, exclusive"), null=True, blank=True)
    data = models.JSONField(_("stages"))

    class Meta:
        verbose_name = _("scheme")
        verbose_name_plural = _("schemes")
        ordering = ["region", "insurance", "kind", "-valid_from"]
        constraints = [
            ExclusionConstraint(
                name="scheme_no_overlap",
                expressions=[
                    (region_range(), "&&"),
                    (code_range("insurance", {"employee": 1, "resident": 2}), "&&"),
                    (code_range("kind", {"outpatient": 1, "inpatient": 2, "pharmacy": 3}), "&&"),
                    (validity(), "&&"),
                ],
            )
        ]

    def __str__(self) -> str:
        named = f"{self.get_insurance_display()} {self.get_kind_display()}"
        return f"{self.region} {named} {dates.day(self.valid_from)}"


class CreditRule(models.Model):
    """How a region credits its accounts (划入) from one day to another."""

    region = models.ForeignKey(Region, models.CASCADE, related_name="credit_rules", verbose_name=_("region"))
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until, exclusive"), null=True, blank=True)
    data = models.JSONField(_("rule"))

    class Meta:
        verbose_name = _("credit rule")
        verbose_name_plural = _("credit rules")
        ordering = ["region", "-valid_from"]
        constraints = [
            ExclusionConstraint(name="credit_rule_no_overlap", expressions=[(region_range(), "&&"), (validity(), "&&")])
        ]

    def __str__(self) -> str:
        return f"{self.region} {dates.day(self.valid_from)}"


class CatalogueItem(models.Model):
    """What a region's insurance says of a drug, service or material; a code that is not here is off-catalogue."""

    class Class(models.TextChoices):
        A = "A", _("Class A")
        B = "B", _("Class B")
        C = "C", _("Class C")

    region = models.ForeignKey(Region, models.CASCADE, related_name="catalogue", verbose_name=_("region"))
    code = models.CharField(_("code"), max_length=50)
    name = models.CharField(_("name"), max_length=100)
    item_class = models.CharField(_("class"), max_length=1, choices=Class)
    self_pay_percent = models.DecimalField(_("pre-self-pay, percent"), max_digits=5, decimal_places=2, default=0)
    price_limit = models.DecimalField(_("price limit, yuan"), max_digits=14, decimal_places=2, null=True, blank=True)
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until, exclusive"), null=True, blank=True)

    class Meta:
        verbose_name = _("catalogue item")
        verbose_name_plural = _("catalogue items")
        ordering = ["region", "code", "-valid_from"]
        constraints = [
            models.UniqueConstraint(name="catalogue_item_once", fields=["region", "code", "valid_from"]),
            models.CheckConstraint(
                name="catalogue_percent", condition=models.Q(self_pay_percent__gte=0, self_pay_percent__lte=100)
            ),
            models.CheckConstraint(
                name="catalogue_period", condition=models.Q(valid_to=None) | models.Q(valid_to__gt=F("valid_from"))
            ),
            ExclusionConstraint(
                name="catalogue_no_overlap",
                expressions=[(code_and_days(), "&&")],
            ),
        ]
        indexes = [
            # A code, or the beginning of one.
            models.Index(
                name="catalogue_by_code",
                fields=["region", "code"],
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
            # A part of a name: by its single characters and pairs; without the extension for triples.
            GinIndex(Func(F("region"), F("name"), function="catalogue_grams"), name="catalogue_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
