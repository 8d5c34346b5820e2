"""What is typed to check a paper."""

from django import forms
from django.utils.translation import gettext_lazy as _

from documents import numbers


class CheckForm(forms.Form):
    """The number of a paper, read from it by a person."""

    number = forms.CharField(
        label=_("Number on the paper"),
        help_text=_("12 letters and digits, for example ABCD EFGH JKLM. Spaces do not matter."),
        max_length=40,
        error_messages={
            "required": _("Enter the number on the paper"),
            "max_length": _("The number has 12 letters and digits; this is longer"),
        },
        widget=forms.TextInput(
            attrs={
                "class": "govuk-input--width-20",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
            }
        ),
    )

    def clean_number(self) -> str:
        """Narrow, capital, without spaces."""
        number = numbers.normalise(self.cleaned_data["number"])
        if len(number) != numbers.LENGTH:
            raise forms.ValidationError(
                _("The number has 12 letters and digits; these are %(count)s"), params={"count": len(number)}
            )
        if not numbers.is_number(number):
            raise forms.ValidationError(_("A number never has 0, O, 1 or I; please look again"))
        return number
