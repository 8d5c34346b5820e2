"""Login, forgotten password and proof by a code that comes as a text message."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal import flows
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import clock, reasons, resuming
from accounts.actions import codes as code_actions
from accounts.actions import users
from accounts.authentication import user_by_login, user_by_phone
from accounts.decorators import member_required
from accounts.errors import Refused
from accounts.forms import ForgottenForm, NewPasswordForm, PhoneForm
from accounts.masks import mask_phone
from accounts.models import User
from accounts.views import code_pages


def safe_next(request: HttpRequest) -> str:
    """Where to go afterwards, never to another site; empty for the first page."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    return url if url and get_adapter().is_safe_url(url) else ""


def _send(purpose: str, state: dict[str, Any], user: User | None) -> None:
    code_actions.issue(
        phone=state["phone"], purpose=purpose, subject=state["subject"], at=clock.now(), known=user is not None
    )


# Login


@login_not_required
def login_phone(request: HttpRequest) -> HttpResponse:
    """Ask for the telephone; what follows looks the same whether a login has it or not."""
    if request.user.is_authenticated:
        return redirect(safe_next(request) or "/")
    form = PhoneForm(request.POST or None)
    if form.is_valid():
        try:
            state = code_pages.begin(request, "login", form.cleaned_data["phone"], next=safe_next(request))
            _send("login", state, user_by_phone(state["phone"]))
            code_pages.remember(request, "login", state)
            return redirect("accounts:login_by_text_code")
        except Refused as refused:
            code_pages.refuse(form, refused, "phone")
    context = {"form": form, "next": safe_next(request)}
    return render(request, "accounts/login_phone.html", context, status=422 if form.errors else 200)


@login_not_required
def login_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code and log in."""
    if request.user.is_authenticated or not code_pages.state_of(request, "login"):
        return redirect("accounts:login_by_text")

    def right(state: dict[str, Any]) -> HttpResponse:
        code_pages.forget(request, "login")
        user = user_by_phone(state["phone"])
        if user is None:
            return redirect("account_login")
        flows.login.record_authentication(request, user, method="code")
        return flows.login.perform_login(request, Login(user=user, redirect_url=state["next"] or None))

    def again(state: dict[str, Any]) -> None:
        _send("login", state, user_by_phone(state["phone"]))

    return code_pages.code_page(request, "login", "accounts/login_code.html", again=again, right=right)


# Forgotten password


def _forgetful(state: dict[str, Any]) -> User | None:
    user = user_by_login(state["id_number"])
    return (
        user if user is not None and user.is_active and user.phone_verified and user.phone == state["phone"] else None
    )


@login_not_required
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask who forgot his password. Staff cannot come this way: an administrator helps them."""
    form = ForgottenForm(request.POST or None)
    if form.is_valid():
        try:
            number = form.cleaned_data["id_number"]
            state = code_pages.begin(request, "reset", form.cleaned_data["phone"], id_number=number, proven=False)
            _send("reset", state, _forgetful(state))
            code_pages.remember(request, "reset", state)
            return redirect("accounts:forgotten_code")
        except Refused as refused:
            code_pages.refuse(form, refused, "phone")
    return render(request, "accounts/forgotten.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
def forgotten_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code."""
    if not code_pages.state_of(request, "reset"):
        return redirect("accounts:forgotten")

    def right(state: dict[str, Any]) -> HttpResponse:
        code_pages.remember(request, "reset", state | {"proven": clock.now().timestamp()})
        return redirect("accounts:forgotten_new")

    def again(state: dict[str, Any]) -> None:
        _send("reset", state, _forgetful(state))

    return code_pages.code_page(request, "reset", "accounts/forgotten_code.html", again=again, right=right)


@login_not_required
def forgotten_new(request: HttpRequest) -> HttpResponse:
    """Set the new password; it does not log in, so a second factor is asked for as ever."""
    state = code_pages.state_of(request, "reset")
    user = _forgetful(state) if state and is_fresh(state) else None
    if user is None:
        return redirect("accounts:forgotten")
    form = NewPasswordForm(user, request.POST or None)
    if form.is_valid():
        users.set_password(user=user, password=form.cleaned_data["password"], by=None, at=clock.now())
        code_pages.forget(request, "reset")
        messages.success(request, _("The new password holds from now on. Log in with it."))
        return redirect("account_login")
    return render(request, "accounts/forgotten_new.html", {"form": form}, status=422 if form.errors else 200)


def is_fresh(state: dict[str, Any]) -> bool:
    """Whether the code of this try was proven, not longer than its own life ago."""
    proven = state.get("proven") or 0
    return clock.now().timestamp() - float(proven) < code_actions.LIFE.total_seconds()


# Proof of oneself


@member_required()
def prove_by_text(request: HttpRequest) -> HttpResponse:
    """Prove oneself once more by a code to one's own telephone, then go on with what waited."""
    user = request.user
    if not user.phone_verified:
        return redirect("account_reauthenticate")
    next_url = safe_next(request)
    state = code_pages.state_of(request, "proof")
    if state is None:
        return _offer_proof(request, user, next_url)

    def right(state: dict[str, Any]) -> HttpResponse:
        code_pages.forget(request, "proof")
        flows.login.record_authentication(request, user, method="code", reauthenticated=True)
        waiting = resuming.waiting_at(request)
        resuming.named_alone(request, waiting)
        response = flows.reauthentication.resume_request(request)
        return resuming.placed(response, waiting) if response else redirect(next_url or "/")

    def again(state: dict[str, Any]) -> None:
        _send("proof", state, user)

    context = {"next": next_url}
    return code_pages.code_page(request, "proof", "accounts/prove_code.html", again=again, right=right, context=context)


def _offer_proof(request: HttpRequest, user: User, next_url: str) -> HttpResponse:
    """Nothing is sent before the button is pressed: a GET sends no text messages."""
    context = {"phone": mask_phone(user.phone or ""), "next": next_url, "problem": ""}
    if request.method == "POST":
        try:
            state = code_pages.begin(request, "proof", user.phone or "")
            _send("proof", state, user)
            code_pages.remember(request, "proof", state)
            return redirect(request.get_full_path())
        except Refused as refused:
            context["problem"] = str(reasons.tell_refused(refused))
    return render(request, "accounts/prove_offer.html", context, status=422 if context["problem"] else 200)
