"""Uploading contributions, and planning the clearing of a year."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import clock, dates
from accounts.models import Region

MONTHS_BACK = 15
REGION_ERRORS = {"required": _("Choose the region"), "invalid_choice": _("Choose a region that you administer")}


class _RegionForm(forms.Form):
    region = forms.ModelChoiceField(
        Region.objects.none(), label=_("Region"), empty_label=None, error_messages=REGION_ERRORS
    )

    def __init__(self, *args: Any, regions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].queryset = regions


class UploadForm(_RegionForm):
    """Region, month and the file."""

    month = forms.ChoiceField(
        label=_("Month of the contributions"),
        help_text=_("Rows may name an earlier month in a column of their own: contributions paid late."),
        error_messages={"required": _("Choose the month"), "invalid_choice": _("Choose a month of the list")},
    )
    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        help_text=_("ID number and contribution base are needed; name and month may be there. At most 48 MB."),
        error_messages={
            "required": _("Choose the file"),
            "empty": _("The file is empty; choose the one with the rows"),
            "invalid": _("Choose the file"),
            "missing": _("Choose the file"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day, months = clock.today().replace(day=1), []
        for _number in range(MONTHS_BACK):
            months.append((day.isoformat(), dates.month(day)))
            day = (day - datetime.timedelta(days=1)).replace(day=1)
        self.fields["month"].choices = months

    def clean_month(self) -> datetime.date:
        return datetime.date.fromisoformat(self.cleaned_data["month"])


class ClearingForm(_RegionForm):
    """Region and the benefit year that is over."""

    year = forms.IntegerField(
        label=_("Benefit year to be cleared"),
        min_value=2000,
        max_value=2099,
        help_text=_("Named after the calendar year in which it begins. It must be over."),
        error_messages={
            "required": _("Write the benefit year"),
            "invalid": _("Write the benefit year with four digits"),
            "min_value": _("Write the benefit year with four digits"),
            "max_value": _("Write the benefit year with four digits"),
        },
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "class": "govuk-input--width-10"}),
    )
