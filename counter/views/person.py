"""The telephone and the identity of the member who stands at the window with his ID card.

Where the old telephone is gone and the password forgotten, nothing else lets him in again.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock, reasons
from accounts.actions import codes, users
from accounts.decorators import role_required
from accounts.enums import Channel, IdentityLevel, Role
from accounts.errors import Refused
from accounts.masks import mask_phone
from accounts.models import User
from accounts.once import done_once
from counter import desk
from counter.desk import Opened, needs_opened
from counter.forms.window import InPersonForm, NewPhoneForm, PhoneCodeForm
from counter.views.desk import opened_context

PURPOSE = "window_phone"


@role_required(Role.CLERK)
@needs_opened
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, serving: Opened) -> HttpResponse:
    """Register a new telephone by the code that comes to it; record that the ID card was seen."""
    if serving.member.died_on:
        messages.warning(request, _("This person has died"))
        return redirect("counter:member")
    do = request.POST.get("do", "")
    if do == "code":
        return _send(request, serving)
    if do == "phone":
        form = PhoneCodeForm(request.POST)
        return (
            done_once(request, lambda: _change(request, serving, form))
            if form.is_valid()
            else _page(request, serving, form=form)
        )
    if do == "identity":
        card = InPersonForm(request.POST)
        return (
            done_once(request, lambda: _confirm(request, serving))
            if card.is_valid()
            else _page(request, serving, card=card)
        )
    desk.look(request, serving.member, "person", serving.reason)
    return _page(request, serving)


def _login(serving: Opened) -> User | None:
    return User.objects.filter(member=serving.member).first()


def _page(request: HttpRequest, serving: Opened, **changed: Any) -> HttpResponse:
    login = _login(serving)
    seen = login is not None and login.identity_level >= IdentityLevel.IN_PERSON
    context = opened_context(request, serving) | {"service": "person", "login": login, "seen": seen}
    context |= {"form": NewPhoneForm(), "card": InPersonForm(), "said": ""} | changed
    wrong = bool(context["form"].errors or context["card"].errors)
    return render(request, "counter/person.html", context | {"has_errors": wrong}, status=422 if wrong else 200)


def _subject(request: HttpRequest, serving: Opened) -> str:
    return f"{serving.member.pk} {request.user.pk}"


def _send(request: HttpRequest, serving: Opened) -> HttpResponse:
    form = NewPhoneForm(request.POST)
    if not form.is_valid():
        return _page(request, serving, form=form)
    phone, login = form.cleaned_data["phone"], _login(serving)
    if login is not None and login.phone_verified and login.phone == phone:
        form.add_error("phone", _("This number is registered already"))
        return _page(request, serving, form=form)
    try:
        codes.issue(phone=phone, purpose=PURPOSE, subject=_subject(request, serving), at=clock.now())
    except Refused as refused:
        form.add_error("phone", str(reasons.tell_refused(refused)))
        return _page(request, serving, form=form)
    said = _("The code was sent to %(phone)s.") % {"phone": mask_phone(phone)}
    return _page(request, serving, form=PhoneCodeForm(initial={"phone": phone}), said=said)


def _change(request: HttpRequest, serving: Opened, form: PhoneCodeForm) -> HttpResponse:
    phone, at = form.cleaned_data["phone"], clock.now()
    try:
        codes.confirm(
            phone=phone,
            purpose=PURPOSE,
            subject=_subject(request, serving),
            code=form.cleaned_data["code"],
            at=at,
        )
        users.change_phone(
            member=serving.member, phone=phone, by=request.user, at=at, reason=serving.reason, channel=Channel.WINDOW
        )
    except Refused as refused:
        form.add_error("phone" if refused.code == "phone_taken" else "code", str(reasons.tell_refused(refused)))
        return _page(request, serving, form=form)
    messages.success(request, _("The new number is registered; the login was logged out on all devices."))
    return redirect("counter:person")


def _confirm(request: HttpRequest, serving: Opened) -> HttpResponse:
    login = _login(serving)
    if login is not None:
        users.raise_identity(
            user=login,
            level=IdentityLevel.IN_PERSON,
            by=request.user,
            at=clock.now(),
            reason=serving.reason,
            channel=Channel.WINDOW,
        )
        messages.success(request, _("Recorded: the ID card was seen at the window."))
    return redirect("counter:person")
