"""Where allauth asks how this portal does things."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import crypto
from accounts.authentication import user_by_login
from accounts.models import User

TOTP_CONTEXT = "mfa_authenticator.data"
PROOFS = {"reauthenticate": _("Use your password"), "mfa_reauthenticate": _("Use the code of your app")}


class PortalAdapter(DefaultAccountAdapter):
    """Login by ID number, telephone or work number, and our own words for what goes wrong."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _(
            "The number or the password is not right. Check both, or log in by text message."
        ),
        "incorrect_password": _("The password is not right"),
        "incorrect_code": _("The code is not right, or it has been used. Take the one shown now."),
        "too_many_login_attempts": _(
            "Too many tries. Wait five minutes, or log in by text message; at the window a clerk can help at once."
        ),
        "rate_limited": _("Too many tries. Wait a minute, then try again."),
    }

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # By person, not by what was typed: else each way to log in would bring five more guesses.
        text = str(credentials.get("username", ""))
        user = user_by_login(text)
        return f"user:{user.pk}" if user else f"text:{crypto.blind_index(text.strip().lower())}"

    def reauthenticate(self, user: User, password: str) -> bool:
        login = user.member.id_number if user.member else user.username
        found = self.authenticate(self.request, username=login, password=password)
        return found is not None and found.pk == user.pk

    def get_login_stages(self) -> list[str]:
        return [
            "allauth.mfa.stages.AuthenticateStage",
            "accounts.stages.EnrolSecondFactorStage",
            "accounts.stages.RenewPasswordStage",
        ]

    def get_reauthentication_methods(self, user: User) -> list[dict]:
        methods = [
            method | {"description": PROOFS.get(method["id"], method["description"])}
            for method in super().get_reauthentication_methods(user)
        ]
        if user.is_authenticated and user.phone_verified and not user.is_staff:
            url = reverse("accounts:prove_by_text")
            methods.append({"id": "text", "description": _("Use a code by text message"), "url": url})
        return methods

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **more: Any
    ) -> None:
        # allauth's own sentences ("Successfully signed in as …") say nothing the page does not show.
        if message_template is None:
            super().add_message(request, level, None, *args, **more)


class PortalMfaAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted; staff cannot do without one."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": PortalAdapter.error_messages["incorrect_code"]
    }

    def get_totp_label(self, user: User) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text, TOTP_CONTEXT).hex()

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(bytes.fromhex(encrypted_text), TOTP_CONTEXT)

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        return not authenticator.user.is_staff
