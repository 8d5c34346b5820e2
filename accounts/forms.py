"""Forms of login, claim and one's own account. Each field says in its own words what is missing."""

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.account.internal import flows
from allauth.mfa.base.forms import AuthenticateForm as AllauthSecondFactorForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthProveBySecondFactorForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth import password_validation
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import inputs
from accounts.models import User
from accounts.queries import normalise_card


def password_field(label: Any, required: Any, autocomplete: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        error_messages={"required": required, "max_length": _("No password here is that long; check what was pasted")},
    )


class LoginForm(AllauthLoginForm):
    """ID number, telephone or work number, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("ID number or mobile number"),
            max_length=64,
            widget=forms.TextInput(
                attrs={"autocomplete": "username", "autocapitalize": "characters", "spellcheck": "false"}
            ),
            error_messages={
                "required": _("Enter the ID number or the mobile number"),
                "max_length": _("This is too long for an ID number or a mobile number; check it"),
            },
        )
        self.fields["password"] = password_field(_("Password"), _("Enter the password"), "current-password")
        self.order_fields(["login", "password"])

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        # allauth's own would end the session with the browser; ours end by the clock (accounts.middleware).
        self._login.redirect_url = redirect_url
        flows.login.record_authentication(request, self._login.user, method="password")
        return flows.login.perform_login(request, self._login)


class ProveByPasswordForm(AllauthReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = password_field(_("Password"), _("Enter the password"), "current-password")


def second_factor_field() -> forms.CharField:
    # Recovery codes have eight digits, so this is no CodeField.
    return forms.CharField(
        label=_("Code"),
        max_length=12,
        help_text=_("Six digits from the app on your telephone, or a recovery code."),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "class": "govuk-input--width-10"}
        ),
        error_messages={
            "required": _("Enter the code"),
            "max_length": _("No code is that long; enter it as it is shown"),
        },
    )


class SecondFactorForm(AllauthSecondFactorForm):
    """The second factor at login."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = second_factor_field()


class ProveBySecondFactorForm(AllauthProveBySecondFactorForm):
    """The second factor once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = second_factor_field()


class EnrolSecondFactorForm(ActivateTOTPForm):
    """The first code of a newly set up app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = inputs.CodeField(
            label=_("Code shown by the app"), error_messages={"required": _("Enter the code that the app shows")}
        )


class PhoneForm(forms.Form):
    """A mobile number to send a code to."""

    phone = inputs.PhoneField(label=_("Mobile number"), error_messages={"required": _("Enter the mobile number")})


class CodeForm(forms.Form):
    """The code that was sent."""

    code = inputs.CodeField(label=_("Code"), error_messages={"required": _("Enter the six digits of the code")})


class ForgottenForm(forms.Form):
    """Who forgot the password: both numbers, so that neither alone is enough to trouble somebody."""

    id_number = inputs.IdNumberField(label=_("ID number"), error_messages={"required": _("Enter your ID number")})
    phone = inputs.PhoneField(
        label=_("Mobile number"),
        help_text=_("The number registered with your login."),
        error_messages={"required": _("Enter your mobile number")},
    )


class ClaimForm(forms.Form):
    """What somebody knows who is the person in the register."""

    name = inputs.NameField(
        label=_("Name"),
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
        error_messages={"required": _("Enter your name")},
    )
    id_number = inputs.IdNumberField(
        label=_("ID number"),
        help_text=_("18 characters, as on your ID card."),
        error_messages={"required": _("Enter your ID number")},
    )
    card_number = forms.CharField(
        label=_("Social security card number"),
        max_length=30,
        help_text=_("Printed on the front of the card."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "class": "govuk-input--width-20"}
        ),
        error_messages={
            "required": _("Enter the number of your social security card"),
            "max_length": _("This card number is too long; check it against the card"),
        },
    )
    phone = inputs.PhoneField(
        label=_("Mobile number"),
        help_text=_("We send a code there. Messages about your account will go to it too."),
        error_messages={"required": _("Enter your mobile number")},
    )

    def clean_card_number(self) -> str:
        return normalise_card(self.cleaned_data["card_number"])


class NewPasswordForm(forms.Form):
    """A new password, checked for the person it is for."""

    password = password_field(_("New password"), _("Enter a new password"), "new-password")
    again = password_field(_("New password once more"), _("Enter the new password once more"), "new-password")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = (
            _(
                "At least 12 characters, of three kinds: capitals, small letters, digits, others. Better a short sentence."
            )
            if user.is_staff
            else _("At least 8 characters, better a short sentence.")
        )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two passwords differ; enter the same one twice"))
        return cleaned
