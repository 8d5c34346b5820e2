"""Forms of premiums and the wallet at the window, and how the member has agreed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import inputs
from accounts.once import OnceForm
from counter.actions.consents import CODE, PAPER
from settlements.forms.paying import SendForm


class ConsentForm(OnceForm):
    """How the member has agreed to what stands on the page: signed paper, or the code sent to his telephone."""

    consent = forms.ChoiceField(
        label=_("How has the member agreed?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Say how the member has agreed"),
            "invalid_choice": _("Choose one of the ways shown"),
        },
    )
    code = inputs.CodeField(
        label=_("The 6 digits on the member's telephone"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("The code has 6 digits")},
    )
    agent_name = inputs.NameField(
        label=_("Agent"),
        help_text=_("Only if somebody else acts for the member, with a written authority."),
        required=False,
    )

    def __init__(self, phone: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [(PAPER, _("Signed on the printed form"))]
        if phone:
            ways.append((CODE, _("By the code on the telephone %(phone)s") % {"phone": phone}))
        else:
            del self.fields["code"]
        self.fields["consent"].choices = ways

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("consent") == CODE and not cleaned.get("code") and "code" not in self.errors:
            self.add_error("code", _("Send the code, and enter the six digits that the member tells you"))
        return cleaned

    @property
    def told_code(self) -> str:
        """The code, where the member agreed by one; empty on paper."""
        return str(self.cleaned_data["code"]) if self.cleaned_data["consent"] == CODE else ""


class WindowSendForm(SendForm):
    """A transfer that a clerk sends for the member; `seen` is the digest of what the check page showed."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["relation"].label = _("The receiver is the member's")
        self.fields["relation"].widget.attrs["class"] = "govuk-radios--inline"
