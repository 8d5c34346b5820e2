"""Choosing a clearing statement, and the note on a difference."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import clock, dates
from accounts.models import Institution
from gateway.actions.differences import MOST_NOTE

MONTHS_BACK = 36


class _InstitutionField(forms.ModelChoiceField):
    def label_from_instance(self, institution: Institution) -> str:
        return f"{institution.name} · {institution.code}"


class ClearingForm(forms.Form):
    """Institution and month."""

    institution = _InstitutionField(
        Institution.objects.none(),
        label=_("Institution"),
        empty_label=None,
        error_messages={
            "required": _("Choose the institution"),
            "invalid_choice": _("Choose an institution of your region"),
        },
    )
    month = forms.ChoiceField(
        label=_("Month of the statement"),
        error_messages={"required": _("Choose the month"), "invalid_choice": _("Choose a month of the list")},
    )

    def __init__(self, *args: Any, institutions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].queryset = institutions
        day, months = clock.today().replace(day=1), []
        for _number in range(MONTHS_BACK):
            months.append((f"{day:%Y-%m}", dates.month(day)))
            day = (day - datetime.timedelta(days=1)).replace(day=1)
        self.fields["month"].choices = months

    def clean_month(self) -> datetime.date:
        return datetime.date.fromisoformat(f"{self.cleaned_data['month']}-01")


class NoteForm(forms.Form):
    """Where a difference comes from, and what was agreed with whom."""

    note = forms.CharField(
        label=_("Note"),
        help_text=_("Where it comes from, what was agreed, with whom at the institution."),
        max_length=MOST_NOTE,
        widget=forms.Textarea({"rows": 4}),
        error_messages={
            "required": _("Say where it comes from, and what was agreed with whom"),
            "max_length": _("At most %(limit_value)s characters; shorten it"),
        },
    )
