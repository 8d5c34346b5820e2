"""Periods and filters of the account pages."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import dates
from settlements.queries.member import KINDS
from settlements.telling.movements import KIND_NAMES

MOST_DAYS = 3 * 366
DATE_ERRORS = {"invalid": _("This is not a date; write it like 2026-03-12")}


def _date(label: Any, missing: Any) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "govuk-input--width-10"})
    errors = DATE_ERRORS | {"required": missing}
    return forms.DateField(label=label, widget=widget, input_formats=["%Y-%m-%d", "%Y/%m/%d"], error_messages=errors)


class PeriodForm(forms.Form):
    """From one day to another, both counted, within the life of the account and not after today."""

    start = _date(_("From"), _("Enter the first day"))
    end = _date(_("To"), _("Enter the last day"))

    def __init__(self, *args: Any, opened_on: datetime.date, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.opened_on, self.today = opened_on, today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if end and end > self.today:
            self.add_error("end", _("The last day lies in the future; choose today or earlier"))
        if start and end and start > end:
            self.add_error("start", _("The first day lies after the last day; change one of the two"))
        elif start and end and (end - start).days >= MOST_DAYS:
            self.add_error("start", _("At most three years at once; choose a later first day"))
        if end and end < self.opened_on:
            opened = dates.day(self.opened_on)
            self.add_error(
                "end", _("The account was opened on %(day)s; choose that day or a later one") % {"day": opened}
            )
        return cleaned


class MovementFilter(forms.Form):
    """What to show of the movements; everything is optional."""

    period = forms.ChoiceField(label=_("Period"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("All kinds")), *[(kind, KIND_NAMES[kind]) for kind in KINDS]],
    )
    person = forms.ChoiceField(label=_("Whose care"), required=False)

    def __init__(
        self, *args: Any, periods: list[tuple[str, str]], people: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = [("", _("All the time")), *periods]
        self.fields["person"].choices = [("", _("Everybody")), ("self", _("My own")), *people]
        if not people:
            del self.fields["person"]
