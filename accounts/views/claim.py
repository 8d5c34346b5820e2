"""A citizen claims the record that the register already has of him; there is no sign-up."""

from typing import Any

from allauth.account.internal import flows
from allauth.account.models import Login
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import clock
from accounts.actions import users
from accounts.crypto import blind_index
from accounts.decorators import member_required
from accounts.enums import IdentityLevel
from accounts.errors import Refused
from accounts.forms import ClaimForm, NewPasswordForm
from accounts.identity import adapter
from accounts.models import Member
from accounts.views import code_pages
from accounts.views.codes import is_fresh

FACTS = ("name", "id_number", "card_number")


def _request(state: dict[str, Any]) -> None:
    """Look and send; the session never learns from this whether something was found."""
    text = _(
        "What was entered does not fit the register, or the record is claimed already. "
        "Check name, ID number, card number and telephone, or ask at the window."
    )
    found = users.request_claim(
        name=state["name"],
        id_number=state["id_number"],
        card_number=state["card_number"],
        phone=state["phone"],
        subject=state["subject"],
        at=clock.now(),
        unknown_text=text,
    )
    state["member"] = found.pk if found else None


@login_not_required
def who(request: HttpRequest) -> HttpResponse:
    """Name, ID number, card number and telephone."""
    form = ClaimForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            if not ratelimit.consume(request, action="claim", key=blind_index(data["id_number"])):
                raise Refused("too_many_tries")
            state = code_pages.begin(request, "claim", data["phone"], **{fact: data[fact] for fact in FACTS})
            _request(state)
            code_pages.remember(request, "claim", state)
            return redirect("accounts:claim_code")
        except Refused as refused:
            code_pages.refuse(form, refused)
    return render(request, "accounts/claim_who.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
def code(request: HttpRequest) -> HttpResponse:
    """The code; a record that was not found ends here with codes that never fit."""
    if not code_pages.state_of(request, "claim"):
        return redirect("accounts:claim")

    def right(state: dict[str, Any]) -> HttpResponse:
        code_pages.remember(request, "claim", state | {"proven": clock.now().timestamp()})
        return redirect("accounts:claim_password")

    return code_pages.code_page(request, "claim", "accounts/claim_code.html", again=_request, right=right)


@login_not_required
def password(request: HttpRequest) -> HttpResponse:
    """Set the password: the login is made and logged in."""
    state = code_pages.state_of(request, "claim")
    member = Member.objects.filter(pk=state.get("member") or 0).first() if state and is_fresh(state) else None
    if state is None or member is None:
        return redirect("accounts:claim")
    form = NewPasswordForm(users.new_login(member, state["phone"]), request.POST or None)
    if form.is_valid():
        try:
            user = users.claim(
                member=member, phone=state["phone"], password=form.cleaned_data["password"], at=clock.now()
            )
        except Refused as refused:
            code_pages.refuse(form, refused)
        else:
            code_pages.forget(request, "claim")
            flows.login.record_authentication(request, user, method="password")
            return flows.login.perform_login(request, Login(user=user, redirect_url=reverse("accounts:prove_identity")))
    return render(request, "accounts/claim_password.html", {"form": form}, status=422 if form.errors else 200)


# Identity


@member_required()
def identity(request: HttpRequest) -> HttpResponse:
    """Say what is asked and begin the proof of identity."""
    way = adapter()
    if request.user.identity_level >= IdentityLevel.VERIFIED:
        return redirect(request.session.pop("portal_after_identity", "/"))
    if request.method == "POST" and way.available:
        return redirect(way.begin(request, request.user, reverse("accounts:identity_done")))
    return render(request, "accounts/identity.html", {"way": way})


@member_required()
def identity_done(request: HttpRequest) -> HttpResponse:
    """Back from the proof."""
    reference = adapter().finish(request, request.user)
    if not reference:
        messages.error(request, _("The proof was not completed. Try again, or bring your ID card to the window."))
        return redirect("accounts:prove_identity")
    users.raise_identity(
        user=request.user, level=IdentityLevel.VERIFIED, by=request.user, at=clock.now(), reference=reference
    )
    messages.success(request, _("Your identity is proven."))
    return redirect(request.session.pop("portal_after_identity", "/"))
