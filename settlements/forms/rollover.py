"""The plan of a rollover."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.models import Region

RATE_ERRORS = {
    "invalid": _("Write the rate as a number, such as 1.35"),
    "min_value": _("A rate is not below 0"),
    "max_value": _("A rate is below 20 percent a year; please check the decimal point"),
    "max_digits": _("A rate has at most four decimals"),
    "max_decimal_places": _("A rate has at most four decimals"),
    "max_whole_digits": _("A rate is below 20 percent a year; please check the decimal point"),
}


class RatesForm(forms.Form):
    """Both rates in percent a year."""

    current_rate = forms.DecimalField(
        label=_("Interest on this year's balance, percent a year"),
        min_value=Decimal(0),
        max_value=Decimal("19.9999"),
        max_digits=7,
        decimal_places=4,
        help_text=_("Balance × days × rate ÷ 360. Write 0 where the region pays none."),
        error_messages={"required": _("Write the rate for this year's balance; 0 if there is none"), **RATE_ERRORS},
    )
    historical_rate = forms.DecimalField(
        label=_("Interest on earlier years' balance, percent a year"),
        min_value=Decimal(0),
        max_value=Decimal("19.9999"),
        max_digits=7,
        decimal_places=4,
        error_messages={
            "required": _("Write the rate for earlier years' balance; 0 if there is none"),
            **RATE_ERRORS,
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("current_rate", "historical_rate"):
            _narrow(self.fields[name])


def _narrow(field: forms.Field) -> None:
    field.widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "class": "govuk-input--width-10"})


class AdjustForm(RatesForm):
    """The rates that are right, and why the others were wrong."""

    reason = forms.CharField(
        label=_("What was wrong, and where the right rates stand"),
        max_length=200,
        help_text=_("Kept in the log and shown to whoever releases the correction."),
        error_messages={
            "required": _("Write what was wrong, so that whoever releases it can check it"),
            "max_length": _("Write at most 200 characters"),
        },
    )


class PlanForm(RatesForm):
    """Region, year and both rates in percent a year."""

    field_order = ("region", "year", "current_rate", "historical_rate")
    region = forms.ModelChoiceField(
        Region.objects.none(),
        label=_("Region"),
        empty_label=None,
        error_messages={
            "required": _("Choose the region"),
            "invalid_choice": _("Choose a region that you administer"),
        },
    )
    year = forms.IntegerField(
        label=_("Benefit year that closes"),
        min_value=2000,
        max_value=2099,
        help_text=_("Named after the calendar year in which it begins."),
        error_messages={
            "required": _("Write the benefit year"),
            "invalid": _("Write the benefit year with four digits"),
            "min_value": _("Write the benefit year with four digits"),
            "max_value": _("Write the benefit year with four digits"),
        },
    )

    def __init__(self, *args: Any, regions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].queryset = regions
        _narrow(self.fields["year"])

    def clean(self) -> dict[str, Any]:
        """A year that has not begun has nothing to be rolled over, and is a slip of the finger."""
        data = super().clean() or {}
        region, year = data.get("region"), data.get("year")
        if region and year:
            now = region.benefit_years.filter(starts_on__lte=clock.today()).order_by("-year").first()
            if now is not None and year > now.year:
                told = _("This benefit year has not begun yet; it is %(year)s now")
                self.add_error("year", forms.ValidationError(told, params={"year": now.year}))
        return data
