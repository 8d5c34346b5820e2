"""Doors of views. Who has no right to a page is told what a stranger is told: there is no such page."""

import time
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import clock, policies
from accounts.actions import audit
from accounts.enums import IdentityLevel, Role

View = Callable[..., HttpResponse]


def member_required(min_level: int = IdentityLevel.NONE) -> Callable[[View], View]:
    """Only citizens with a record; below `min_level` they are first asked to prove who they are."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not policies.is_member(request.user):
                deny(request)
            if request.user.identity_level < min_level:
                request.session["portal_after_identity"] = request.get_full_path()
                return redirect("accounts:prove_identity")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def role_required(*roles: Role | str) -> Callable[[View], View]:
    """Only logins that hold one of the roles, in any region; the view itself asks about the region."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not policies.has_any_role(request.user, *roles):
                deny(request)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def deny(request: HttpRequest) -> None:
    """Record that access was denied and raise Http404. Outside any transaction, so that the line stays."""
    if request.user.is_authenticated:
        audit.record(action="denied", by=request.user, at=clock.now(), target=request.path[:60])
    raise Http404


def has_fresh_proof(request: HttpRequest, methods: Collection[str] = ("password", "code", "mfa")) -> bool:
    """Whether this session proved itself (password, code by text message, second factor) in the last five minutes."""
    oldest = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, request.user)
    return any(record["at"] > oldest and record["method"] in methods for record in records)


def fresh_proof_required(view: View) -> View:
    """For what moves money or people: a proof not older than five minutes, logging in included.

    A form that was posted too late is kept, and sent on after the proof.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD") and not has_fresh_proof(request):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return guarded


def password_proof_required(view: View) -> View:
    """For what a stolen telephone must not be enough for: the password itself within five minutes, GET included."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not has_fresh_proof(request, ("password",)):
            if has_fresh_proof(request):
                messages.warning(request, _("This needs your password; a code by text message is not enough here."))
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return guarded


def accepts_uploads(most_bytes: int) -> Callable[[View], View]:
    """Lets a view take a larger body than others: its file, and a little for the rest of the form. Stands outermost."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wide(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs)

        wide.most_bytes = most_bytes  # type: ignore[attr-defined]
        return wide

    return decorate
