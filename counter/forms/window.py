"""Forms of the window."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import inputs
from accounts.domain import id_number
from accounts.once import OnceForm
from family.forms import AmendForm as FamilyAmendForm
from family.forms import LimitForm as FamilyLimitForm
from family.forms import TermsForm, VersionForm, relation_field
from settlements.forms.claims import WhereForm

OTHER = "other"
REASONS = [
    ("sharing", _("Family sharing")),
    ("balance", _("Balance or statement")),
    ("reimbursement", _("Bills paid in cash")),
    ("premium", _("Premiums")),
    ("wallet", _("Wallet")),
    ("closing", _("Pay out, inherit, carry over")),
    ("person", _("Telephone and identity")),
    ("correction", _("Checking or correcting the record")),
    (OTHER, _("Something else (say what)")),
]
# The member reads the reason later, whatever language the clerk works in.
LANGUAGE_OF_REASONS = "zh-hans"


class OpenForm(OnceForm):
    """Whom, and why. A reader of ID cards types the number and Enter."""

    number = inputs.NarrowField(
        label=_("ID number or social security card number"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "govuk-input--width-20",
                "data-key": "/",
                "autofocus": True,
            }
        ),
        error_messages={
            "required": _("Read the card, or type the number"),
            "max_length": _("This is too long for an ID number or a card number"),
        },
    )
    reason = forms.ChoiceField(
        label=_("Reason for opening"),
        # None is chosen beforehand: the first of the list would be what the member reads as the reason.
        choices=[("", _("choose")), *REASONS],
        error_messages={"required": _("Say why you open the record"), "invalid_choice": _("Choose one of the reasons")},
    )
    words = forms.CharField(
        label=_("In words"),
        help_text=_("Needed for “something else”. The member can read it."),
        max_length=100,
        required=False,
        error_messages={"max_length": _("At most 100 characters")},
    )

    def clean_number(self) -> str:
        """What is as long as an ID number is read as one: a mistyped digit is told, not searched for and recorded."""
        number = str(self.cleaned_data["number"])
        return inputs.IdNumberField().clean(number) if len(number) == id_number.LENGTH else number

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("reason") == OTHER and len(cleaned.get("words", "")) < 2:
            self.add_error("words", _("Write in a few words why you open the record"))
        return cleaned

    def told_reason(self) -> str:
        """What is recorded, in the language of the members."""
        with translation.override(LANGUAGE_OF_REASONS):
            label = "" if self.cleaned_data["reason"] == OTHER else str(dict(REASONS)[self.cleaned_data["reason"]])
        return " · ".join(filter(None, [label, self.cleaned_data["words"]]))


def for_the_applicant(form: forms.Form) -> None:
    """At the window the applicant is spoken of, not spoken to; and radios stand in lines."""
    form.fields["uses"].label = _("What may it pay?")
    form.fields["limit"].help_text = _("Empty: no limit. It can be changed at any time.")
    if "last_day" in form.fields:
        form.fields["last_day"].help_text = _("Empty: open-ended.")
    if "relation" in form.fields:
        form.fields["relation"].label = _("The relative is the applicant's")
        form.fields["relation"].widget.attrs["class"] = "govuk-radios--inline"


class AmendForm(FamilyAmendForm):
    """Relation and terms of a draft or a returned application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for_the_applicant(self)


class LimitForm(FamilyLimitForm):
    """Uses and limit of a grant that is there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for_the_applicant(self)


class BindForm(TermsForm):
    """Everything for a binding at the window on one page: the relative, the terms, an agent."""

    name = inputs.NameField(
        label=_("Name of the relative"), error_messages={"required": _("Enter the name of the relative")}
    )
    id_number = inputs.IdNumberField(
        label=_("ID number of the relative"), error_messages={"required": _("Enter the ID number of the relative")}
    )
    relation = relation_field()
    agent_name = inputs.NameField(
        label=_("Agent"),
        help_text=_("Only if somebody else acts for the applicant, with a written authority."),
        required=False,
    )
    field_order = ["name", "id_number", "relation", "uses", "limit", "last_day", "agent_name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for_the_applicant(self)


class ConsentCodeForm(VersionForm):
    """The six digits the relative received."""

    code = inputs.CodeField(
        label=_("The 6 digits on the relative's telephone"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the six digits"), "invalid": _("The code has 6 digits")},
    )


class PaperConsentForm(VersionForm):
    """The relative agrees by signing the printed sheet."""

    signed = forms.BooleanField(
        label=_("The relative, or a parent for a child, has signed the printed sheet"),
        error_messages={"required": _("Let the relative sign first, then tick the box")},
    )


def _seen() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("The member is here in person, and I have seen the original of the ID card"),
        error_messages={"required": _("Look at the original of the ID card first, then tick the box")},
    )


class NewPhoneForm(OnceForm):
    """The telephone that the member has brought."""

    phone = inputs.PhoneField(
        label=_("New mobile number"), error_messages={"required": _("Enter the new mobile number")}
    )


class PhoneCodeForm(NewPhoneForm):
    """The code that came to it, told by its owner."""

    code = inputs.CodeField(
        label=_("The 6 digits on this telephone"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the six digits"), "invalid": _("The code has 6 digits")},
    )
    seen = _seen()


class InPersonForm(OnceForm):
    """That the clerk has seen who it is."""

    card = _seen()


class NoticeForm(forms.Form):
    """What is missing for a matter."""

    missing = forms.TypedMultipleChoiceField(
        label=_("What is missing?"),
        widget=forms.CheckboxSelectMultiple,
        coerce=int,
        required=False,
        error_messages={"invalid_choice": _("Choose from the list")},
    )
    other = forms.CharField(
        label=_("Anything else"),
        help_text=_("Such as what has to be corrected, and how. It is printed as you write it."),
        max_length=120,
        required=False,
        error_messages={"max_length": _("At most 120 characters")},
    )

    def __init__(self, materials: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["missing"].choices = list(enumerate(materials))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("missing") and not cleaned.get("other"):
            self.add_error("missing", _("Tick what is missing, or write it below"))
        return cleaned


class DecisionForm(VersionForm):
    """A second check: returning and refusing need words, granting has none."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("For returning and refusing. The applicant reads these words."),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": _("At most 200 characters")},
    )

    def __init__(self, verdict: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verdict = verdict

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"]).strip()
        if self.verdict == "return" and not reason:
            raise forms.ValidationError(_("Write what has to be changed"))
        if self.verdict == "refuse" and not reason:
            raise forms.ValidationError(_("Write why it is refused"))
        if self.verdict == "approve" and reason:
            # F9 pressed instead of the button beside it: what it does cannot be taken back.
            raise forms.ValidationError(_("A reason speaks against granting: return or refuse it, or empty this box"))
        return reason


class ReversalForm(OnceForm):
    """Why a settled bill is to be undone."""

    why = forms.CharField(
        label=_("Why is it to be reversed?"),
        help_text=_("The member and the second person read these words."),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Write why it is to be reversed"), "max_length": _("At most 200 characters")},
    )


class BillReversalForm(WhereForm, ReversalForm):
    """The same of a bill of an institution; what the patient owed for its settling anew goes to his bank account."""


class PeriodForm(forms.Form):
    """The period of a statement."""

    period = forms.ChoiceField(
        label=_("Period"),
        initial="twelve",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a period"), "invalid_choice": _("Choose one of the periods")},
    )

    def __init__(self, periods: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = periods
