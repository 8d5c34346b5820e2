"""Forms about bills: one paid in cash, one to try, a year to be settled anew, a payment that was made."""

import datetime
import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import clock, inputs
from accounts.enums import InstitutionKind
from accounts.models import Institution
from accounts.money import ZERO
from accounts.once import OnceForm
from settlements.actions.claims import PaidBill
from settlements.enums import CareKind
from settlements.models import Claim

MOST_SUGGESTED = 300
MOST_NAMED = 5
SHOWN_BY = {"list": "institutions", "autocomplete": "off", "class": "govuk-input--width-20"}
INVOICE = re.compile(r"[0-9A-Z]{4,40}")
BANK_ACCOUNT = re.compile(r"[0-9]{8,32}")


def suggestions(region_code: str | None) -> list[str]:
    """Names of a region's institutions, for the box to offer."""
    rows = Institution.objects.filter(region=region_code).order_by("name")
    return list(rows.values_list("name", flat=True)[:MOST_SUGGESTED])


class InstitutionField(forms.CharField):
    """A designated institution by its name or code; part of a name is enough where it fits only one."""

    widget = forms.TextInput(attrs=SHOWN_BY)
    default_error_messages = {
        "unknown": _(
            "There is no designated institution of this name; write it as on the invoice. Care elsewhere is not paid back;"
            " after an emergency, ask at the window"
        ),
        "several": _("More than one has this in its name: %(names)s"),
    }

    def clean(self, value: Any) -> Institution | None:  # type: ignore[override]
        text = str(super().clean(value)).strip()
        if not text:
            return None
        rows = Institution.objects.select_related("region")
        found = list(
            rows.filter(name=text) or rows.filter(code=text.upper()) or rows.filter(name__contains=text)[:MOST_NAMED]
        )
        if not found:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown")
        if len(found) > 1:
            names = "; ".join(f"{one.name} ({one.region.local_name}, {one.code})" for one in found)
            raise forms.ValidationError(self.error_messages["several"], code="several", params={"names": names})
        return found[0]


def amount_field(label: Any, help_text: Any = "", required: bool = False) -> inputs.MoneyField:
    """Yuan, nothing or more."""
    return inputs.MoneyField(
        label=label,
        help_text=help_text,
        required=required,
        min_value=ZERO,
        error_messages={
            "required": _("Enter the amount; 0 if there is none"),
            "min_value": _("An amount is not below nought"),
        },
    )


class AmountsForm(forms.Form):
    """The three classes of a bill; not all may be nought."""

    in_scope = amount_field(
        _("In the catalogue, yuan"), _("On the invoice: the costs within the scope of the insurance."), required=True
    )
    pre_self_pay = amount_field(_("Pre-self-pay, yuan"), _("The part of class B items borne beforehand. Empty: none."))
    self_paid = amount_field(_("Outside the catalogue, yuan"), _("What the insurance never pays. Empty: none."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("pre_self_pay", "self_paid"):
            if name in self.fields and name not in self.errors:
                cleaned[name] = cleaned.get(name) or ZERO
        amounts = [cleaned.get(name) for name in ("in_scope", "pre_self_pay", "self_paid") if name in self.fields]
        if None not in amounts and not any(amounts):
            self.add_error("in_scope", _("A bill of nothing cannot be worked out; enter what it cost"))
        return cleaned


class ClaimForm(AmountsForm, OnceForm):
    """A bill paid in cash, as it stands on the invoice, and where the money is to go."""

    institution = InstitutionField(
        label=_("Institution"),
        help_text=_("The hospital or pharmacy, as on the invoice."),
        max_length=80,
        error_messages={"required": _("Enter the hospital or pharmacy"), "max_length": _("At most 80 characters")},
    )
    service_on = inputs.DatePartsField(
        label=_("Day of care"),
        help_text=_("Of a stay: the day of discharge."),
        error_messages={"required": _("Enter the day of care")},
    )
    kind = forms.ChoiceField(
        label=_("Kind of care"),
        choices=CareKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the kind of care"), "invalid_choice": _("Choose one of the kinds")},
    )
    invoice_number = inputs.NarrowField(
        label=_("Number of the invoice"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "govuk-input--width-20"}),
        error_messages={"required": _("Enter the number of the invoice"), "max_length": _("At most 40 characters")},
    )
    bank = forms.CharField(
        label=_("Your bank"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "govuk-input--width-20"}),
        error_messages={"required": _("Enter the name of the bank"), "max_length": _("At most 60 characters")},
    )
    bank_account = inputs.NarrowField(
        label=_("Number of your bank account"),
        help_text=_("An account in the patient's own name. It is kept encrypted."),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "govuk-input--width-20"}),
        error_messages={
            "required": _("Enter the number of the bank account"),
            "max_length": _("A bank account has 8 to 32 digits"),
        },
    )
    field_order = [
        "institution", "service_on", "kind", "in_scope", "pre_self_pay", "self_paid", "invoice_number", "bank",
        "bank_account",
    ]  # fmt: skip

    def clean_service_on(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["service_on"]
        if day > clock.today():
            raise forms.ValidationError(_("This day lies in the future; look at the invoice for the day of care"))
        return day

    def clean_invoice_number(self) -> str:
        # One invoice is claimed once, however its number is written.
        number = str(self.cleaned_data["invoice_number"]).upper().replace("-", "")
        if not INVOICE.fullmatch(number):
            raise forms.ValidationError(_("An invoice number has 4 to 40 letters, digits or hyphens"))
        return number

    def clean_bank_account(self) -> str:
        number = str(self.cleaned_data["bank_account"])
        if not BANK_ACCOUNT.fullmatch(number):
            raise forms.ValidationError(_("A bank account has 8 to 32 digits"))
        return number

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        institution, kind = cleaned.get("institution"), cleaned.get("kind")
        if institution and kind:
            is_pharmacy = institution.kind == InstitutionKind.PHARMACY
            if is_pharmacy != (kind == CareKind.PHARMACY):
                self.add_error(
                    "kind", _("This does not fit the institution, which is: %s") % institution.get_kind_display()
                )
        return cleaned

    @property
    def asked(self) -> PaidBill:
        """The bill that was entered; only of a valid form."""
        names = ("institution", "service_on", "kind", "in_scope", "pre_self_pay", "self_paid", "invoice_number")
        terms = {name: self.cleaned_data[name] for name in (*names, "bank", "bank_account")}
        return PaidBill(**terms)


def initial_claim(bill: PaidBill | Claim) -> dict[str, Any]:
    """What a form about a bill that is there begins with."""
    names = ("service_on", "kind", "in_scope", "pre_self_pay", "self_paid", "invoice_number", "bank", "bank_account")
    return {name: getattr(bill, name) for name in names} | {"institution": bill.institution.name}


class AgentClaimForm(ClaimForm):
    """The same at the window, where somebody else may act for the patient. `seen`: what the preview below was made for."""

    agent_name = inputs.NameField(
        label=_("Agent"),
        help_text=_("Only if somebody else acts for the applicant, with a written authority."),
        required=False,
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank"].label = _("The patient's bank")
        self.fields["bank_account"].label = _("Number of the patient's bank account")
        self.fields["kind"].widget.attrs["class"] = "govuk-radios--inline"


LOOK_AGAIN = _("Below is the newest state; please look again.")


class WhereForm(OnceForm):
    """Where money of the office is to go, if any is to."""

    bank = forms.CharField(
        label=_("The patient's bank"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "govuk-input--width-20"}),
        error_messages={"max_length": _("At most 60 characters")},
    )
    bank_account = inputs.NarrowField(
        label=_("Number of the patient's bank account"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "govuk-input--width-20"}),
        error_messages={"max_length": _("A bank account has 8 to 32 digits")},
    )

    def __init__(self, needs_bank: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs_bank = needs_bank
        if not needs_bank:
            del self.fields["bank"], self.fields["bank_account"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.needs_bank:
            if not cleaned.get("bank"):
                self.add_error("bank", _("Enter the name of the bank"))
            if not BANK_ACCOUNT.fullmatch(cleaned.get("bank_account") or ""):
                self.add_error("bank_account", _("A bank account has 8 to 32 digits"))
        return cleaned


class BankForm(WhereForm):
    """Where the difference of a recalculation is to go."""

    # Hidden: whoever sends the form without them did not come from its page.
    year = forms.IntegerField(widget=forms.HiddenInput, error_messages={"required": LOOK_AGAIN})
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, error_messages={"required": LOOK_AGAIN})


class PaidForm(OnceForm):
    """That a payment was carried out, with the number of the bank's order."""

    row = forms.UUIDField(widget=forms.HiddenInput)
    reference = inputs.NarrowField(
        label=_("Number of the bank order or receipt"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "govuk-input--width-10"}),
        error_messages={"required": _("Enter the number of the bank order"), "max_length": _("At most 40 characters")},
    )


class EstimateForm(AmountsForm):
    """A bill to try. `most`: what one visit can plausibly cost, in yuan."""

    kind = forms.ChoiceField(
        label=_("Kind of care"),
        choices=CareKind.choices,
        error_messages={"required": _("Choose the kind of care"), "invalid_choice": _("Choose one of the kinds")},
    )
    level = forms.ChoiceField(
        label=_("At a hospital of the"),
        error_messages={"required": _("Choose a level"), "invalid_choice": _("Choose one of the levels")},
    )
    when = forms.ChoiceField(
        label=_("When"),
        choices=[("today", _("Today")), ("next", _("On the first day of the next benefit year"))],
        error_messages={"required": _("Choose when"), "invalid_choice": _("Choose one of the two")},
    )
    family = forms.BooleanField(label=_("Relatives who share with me help to pay"), required=False)
    field_order = ["kind", "level", "in_scope", "pre_self_pay", "self_paid", "when", "family"]

    def __init__(self, levels: list[tuple[str, str]], most: Decimal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["level"].choices = levels
        for name in ("in_scope", "pre_self_pay", "self_paid"):
            self.fields[name].max_value = most
            self.fields[name].error_messages["max_value"] = _("Try a bill of at most %s yuan") % f"{most:,.0f}"
        self.fields["in_scope"].help_text = _("What the insurance takes into account of the bill. A guess will do.")
