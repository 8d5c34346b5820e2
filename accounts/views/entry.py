"""Getting in and out, where allauth's own pages do not fit."""

import segno
from allauth.account.internal import flows
from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.totp.internal.auth import clear_totp_secret
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import clock, passwords
from accounts.actions import users
from accounts.forms import EnrolSecondFactorForm, NewPasswordForm
from accounts.stages import EnrolSecondFactorStage, RenewPasswordStage


@login_not_required
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session, and have the browser forget what it kept of it. A half-done login is given up as well."""
    if request.method != "POST":
        return render(request, "accounts/log_out.html")
    flows.logout.logout(request, show_message=False)
    response = redirect("account_login")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@login_stage_required(stage=EnrolSecondFactorStage.key, redirect_urlname="account_login")
def enrol_second_factor(request: HttpRequest) -> HttpResponse:
    """Staff without a second factor set one up here, before they are logged in."""
    stage = request._login_stage
    user = stage.login.user
    form = EnrolSecondFactorForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        authenticator = users.set_up_second_factor(user=user, secret=form.secret, by=user, at=clock.now())
        clear_totp_secret(request)
        post_authentication(request, authenticator)
        return stage.exit()
    address = get_mfa_adapter().build_totp_url(user, form.secret)
    context = {
        "form": form,
        "secret": form.secret,
        "secret_in_fours": " ".join(form.secret[at : at + 4] for at in range(0, len(form.secret), 4)),
        # White behind it: on dark colours no camera reads black on transparent.
        "picture": segno.make(address, error="m").svg_data_uri(scale=4, dark="#000", light="#fff"),
    }
    return render(request, "accounts/enrol_second_factor.html", context, status=422 if form.errors else 200)


@login_stage_required(stage=RenewPasswordStage.key, redirect_urlname="account_login")
def renew_password(request: HttpRequest) -> HttpResponse:
    """Staff whose password is old, or was chosen by somebody else, choose one before they are logged in."""
    stage = request._login_stage
    user = stage.login.user
    form = NewPasswordForm(user, request.POST or None)
    if form.is_valid():
        password = form.cleaned_data["password"]
        if not user.check_password(password):
            users.set_password(user=user, password=password, by=user, at=clock.now())
            return stage.exit()
        form.add_error("password", _("This is the one you have. Choose another one"))
    days = passwords.STAFF_LIFE.days
    return render(
        request, "accounts/renew_password.html", {"form": form, "days": days}, status=422 if form.errors else 200
    )
