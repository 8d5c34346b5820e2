"""The pages of allauth that are in use, under the names it asks for. Sign-up, e-mail and the rest do not exist here."""

from functools import wraps
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views import View

from accounts import resuming
from accounts.views import entry


def page(view: type[View]) -> Any:
    """The view as this portal answers: a form with errors is 422, so that HTMX and tests can tell it from a page."""

    class Page(view):  # type: ignore[misc, valid-type]
        @wraps(view.dispatch)  # what is known of it stands on it: that no login is needed, above all
        def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            waiting = resuming.waiting_at(request)
            if waiting:
                resuming.named_alone(request, waiting)
            response = super().dispatch(request, *args, **kwargs)
            return resuming.placed(response, waiting) if waiting and not resuming.waiting_at(request) else response

        def form_invalid(self, form: Form) -> HttpResponse:
            response = super().form_invalid(form)
            response.status_code = 422
            return response

    return Page.as_view()


urlpatterns = [
    path("login/", page(account.LoginView), name="account_login"),
    path("logout/", entry.log_out, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("prove/", page(account.ReauthenticateView), name="account_reauthenticate"),
    path("login/code/", page(mfa.AuthenticateView), name="mfa_authenticate"),
    path("prove/code/", page(mfa.ReauthenticateView), name="mfa_reauthenticate"),
    path("me/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("me/recovery-codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
