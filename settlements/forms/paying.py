"""Forms of premiums and of the wallet; each field says in its own words what is missing."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import inputs
from accounts.enums import Relation
from accounts.once import OnceForm
from family.domain.rules import NEAR_RELATIVES
from settlements.domain.wallet import MOST


def _source_field(label: Promise) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose out of what"), "invalid_choice": _("Choose one of the two")},
    )


def _offer(form: forms.Form, sources: Sequence[tuple[str, str]]) -> None:
    """What there is to pay or send from; a single one is not asked for."""
    field = form.fields["source"]
    field.choices = sources
    if len(sources) == 1:
        field.widget = forms.HiddenInput()
    form.initial.setdefault("source", sources[0][0] if sources else "")


class GroupForm(forms.Form):
    """Which group the insured person belongs to, the amount follows from it and is typed by nobody; and what pays it."""

    group = forms.ChoiceField(
        label=_("Which group is it?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the group"), "invalid_choice": _("Choose one of the groups shown")},
    )
    source = _source_field(_("What pays it?"))

    def __init__(
        self, choices: Sequence[tuple[str, str]], sources: Sequence[tuple[str, str]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].choices = choices
        if len(choices) == 1:
            self.initial.setdefault("group", choices[0][0])
        if len(sources) > 1:
            _offer(self, sources)
        else:
            del self.fields["source"]


class PlaceForm(forms.Form):
    """A part of the name of a hospital or pharmacy."""

    name = forms.CharField(
        label=_("Name of the hospital or pharmacy"),
        help_text=_("A few characters of it are enough; empty shows all."),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "search", "class": "govuk-input--width-20"}),
        error_messages={"max_length": _("Enter at most 40 characters of the name")},
    )


class SendForm(OnceForm):
    """A transfer: to whom, out of what, how much."""

    name = inputs.NameField(
        label=_("Name of the receiver"),
        help_text=_("As on the ID card."),
        error_messages={"required": _("Enter the name of the receiver")},
    )
    id_number = inputs.IdNumberField(
        label=_("ID number of the receiver"),
        help_text=_("18 characters; an X at the end may be small."),
        error_messages={"required": _("Enter the ID number of the receiver")},
    )
    relation = forms.ChoiceField(
        label=_("The receiver is my"),
        choices=[(code, label) for code, label in Relation.choices if code in NEAR_RELATIVES],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the relation"), "invalid_choice": _("Choose one of the relations")},
    )
    source = _source_field(_("Out of what?"))
    amount = inputs.MoneyField(
        label=_("How much?"),
        help_text=_("At most 2,000.00 yuan a transfer, three transfers a day."),
        min_value=Decimal("0.01"),
        max_value=MOST,
        error_messages={
            "required": _("Enter the amount"),
            "min_value": _("Enter an amount above nought"),
            "max_value": _("A transfer can be at most 2,000.00 yuan"),
            "amount_too_large": _("A transfer can be at most 2,000.00 yuan"),
        },
    )

    def __init__(self, sources: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, sources)
