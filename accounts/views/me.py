"""One's own account: telephone, password, where one is logged in, and who looked at one's record."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import audit_texts, clock, devices, policies, queries
from accounts.actions import audit, users
from accounts.actions import codes as code_actions
from accounts.decorators import member_required, password_proof_required
from accounts.enums import Role
from accounts.errors import Refused
from accounts.forms import NewPasswordForm, PhoneForm
from accounts.inputs import row_number
from accounts.models import User
from accounts.views import code_pages

PAGE = 20


def base_of(user: User) -> str:
    """The frame of the pages that citizens and staff share: each finds his own navigation there."""
    if policies.has_any_role(user, Role.CLERK, Role.SUPERVISOR):
        return "base_desk.html"
    return "base_manage.html" if policies.may_use_admin(user) else "base.html"


def home(request: HttpRequest) -> HttpResponse:
    """What the login knows of its owner, and what he can change."""
    context = {"person": request.user, "member": request.user.member, "base": base_of(request.user)}
    return render(request, "accounts/me.html", context)


@password_proof_required
def password(request: HttpRequest) -> HttpResponse:
    """A new password, by the old one: a code to the telephone would make the telephone enough to change itself.

    Every other session ends. Who forgot the old one sets a new one with his ID number (`codes.forgotten`).
    """
    form = NewPasswordForm(request.user, request.POST or None)
    if form.is_valid():
        users.set_password(
            user=request.user,
            password=form.cleaned_data["password"],
            by=request.user,
            at=clock.now(),
            keep_session=request.session.session_key,
        )
        update_session_auth_hash(request, request.user)
        UserSession.objects.create_from_request(request)
        messages.success(request, _("The new password holds from now on. Other devices were logged out."))
        return redirect("accounts:me")
    context = {"form": form, "base": base_of(request.user)}
    return render(request, "accounts/password.html", context, status=422 if form.errors else 200)


@member_required()
@password_proof_required
def phone(request: HttpRequest) -> HttpResponse:
    """The new number; the password must be proven, for the old telephone may be in other hands."""
    form = PhoneForm(request.POST or None)
    if form.is_valid() and request.user.phone_verified and form.cleaned_data["phone"] == request.user.phone:
        form.add_error("phone", _("This number is registered already"))
    if form.is_valid():
        try:
            state = code_pages.begin(request, "change_phone", form.cleaned_data["phone"])
            _send(state)
            code_pages.remember(request, "change_phone", state)
            return redirect("accounts:phone_code")
        except Refused as refused:
            code_pages.refuse(form, refused, "phone")
    return render(request, "accounts/phone.html", {"form": form}, status=422 if form.errors else 200)


def _send(state: dict[str, Any]) -> None:
    code_actions.issue(phone=state["phone"], purpose="change_phone", subject=state["subject"], at=clock.now())


@member_required()
@password_proof_required
def phone_code(request: HttpRequest) -> HttpResponse:
    """The code that came to the new number."""
    if not code_pages.state_of(request, "change_phone"):
        return redirect("accounts:phone")

    def right(state: dict[str, Any]) -> HttpResponse:
        users.change_phone(member=request.user.member, phone=state["phone"], by=request.user, at=clock.now())
        code_pages.forget(request, "change_phone")
        messages.success(request, _("The new number is registered. Codes go there from now on."))
        return redirect("accounts:me")

    return code_pages.code_page(request, "change_phone", "accounts/phone_code.html", again=_send, right=right)


def sessions(request: HttpRequest) -> HttpResponse:
    """Where the login is open; end one or all others."""
    mine = UserSession.objects.filter(user=request.user).order_by("-created_at")
    if request.method == "POST":
        _end_sessions(request, request.user)
        return redirect("accounts:sessions")
    open_now = [one for one in mine if one.exists()]
    for one in open_now:
        one.device = devices.tell(one.user_agent)
    context = {"sessions": open_now, "base": base_of(request.user)}
    return render(request, "accounts/sessions.html", context)


def _end_sessions(request: HttpRequest, user: User) -> None:
    if "others" in request.POST:
        ended = users.end_sessions(user, keep=request.session.session_key)
    else:
        one = UserSession.objects.filter(user=user, pk=row_number(request.POST.get("session"))).first()
        if one is None or one.is_current():
            raise Http404
        one.end()
        ended = 1
    audit.record(action="end_sessions", by=user, at=clock.now(), member=user.member, details={"ended": ended})
    messages.success(request, _("Logged out there."))


@member_required()
def seen(request: HttpRequest) -> HttpResponse:
    """Who of the staff looked at or changed my record, and why."""
    looks = audit_texts.grouped(queries.seen_by_staff(request.user.member))
    page = Paginator(looks, PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/seen.html", {"page_obj": page, "rows": page.object_list})
