"""Files that administrators upload: contributions of a month, a catalogue."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import clock, dates
from accounts.models import Region

MONTHS_BACK = 15
REGION_ERRORS = {"required": _("Choose the region"), "invalid_choice": _("Choose a region that you administer")}
FILE_ERRORS = {
    "required": _("Choose the file"),
    "empty": _("The file is empty; choose the one with the rows"),
    "invalid": _("Choose the file"),
    "missing": _("Choose the file"),
}


class RegionForm(forms.Form):
    """Something of a region that one administers."""

    region = forms.ModelChoiceField(
        Region.objects.none(), label=_("Region"), empty_label=None, error_messages=REGION_ERRORS
    )

    def __init__(self, *args: Any, regions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].queryset = regions


class ContributionUpload(RegionForm):
    """Region, month and the file."""

    month = forms.ChoiceField(
        label=_("Month of the contributions"),
        help_text=_("Rows may name an earlier month in a column of their own: contributions paid late."),
        error_messages={"required": _("Choose the month"), "invalid_choice": _("Choose a month of the list")},
    )
    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        help_text=_("ID number and contribution base are needed; name and month may be there. At most 48 MB."),
        error_messages=FILE_ERRORS,
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


class CatalogueUpload(RegionForm):
    """Region, day and the file of a catalogue."""

    valid_from = forms.DateField(
        label=_("Holds from"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("From tomorrow on; only a region's first catalogue may begin earlier."),
        error_messages={
            "required": _("Write the first day on which it holds"),
            "invalid": _("Write the day like 2026-01-31"),
        },
    )
    whole = forms.BooleanField(
        label=_("This is the whole catalogue: codes that are not in it end on that day"),
        required=False,
    )
    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        help_text=_(
            "Code, name and class (A, B, C) are needed; class B needs the percentage paid up front; a price limit may be"
            " there. At most 48 MB."
        ),
        error_messages=FILE_ERRORS,
    )
