"""A bill to try on the order of one's grantors."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.inputs import MoneyField


class ExampleForm(forms.Form):
    """A bill to try: how much, at which level of hospital."""

    amount = MoneyField(
        label=_("Suppose outpatient care costs (all of it in the catalogue)"),
        min_value=Decimal("0.01"),
        error_messages={
            "required": _("Enter an amount to try"),
            "min_value": _("Enter an amount above nought"),
        },
    )
    level = forms.ChoiceField(
        label=_("At a hospital of the"),
        error_messages={
            "required": _("Choose a level"),
            "invalid_choice": _("Choose one of the levels"),
        },
    )

    def __init__(self, levels: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["level"].choices = levels
