"""Planning the clearing of a year."""

from django import forms
from django.utils.translation import gettext_lazy as _

from settlements.forms.uploads import RegionForm


class ClearingForm(RegionForm):
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
