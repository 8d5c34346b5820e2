"""What happens around logins, wherever they come from: the clocks of the session, and the audit line."""

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from accounts import clock
from accounts.actions import audit
from accounts.authentication import user_by_login
from accounts.crypto import blind_index
from accounts.middleware import session_began
from accounts.models import User


def connect() -> None:
    """Called once, when the app is ready."""
    user_logged_in.connect(logged_in, dispatch_uid="portal_logged_in")
    user_logged_out.connect(logged_out, dispatch_uid="portal_logged_out")
    user_login_failed.connect(login_failed, dispatch_uid="portal_login_failed")
    authentication_step_completed.connect(proven_again, dispatch_uid="portal_proven_again")


def logged_in(sender: object, request: HttpRequest, user: User, **more: Any) -> None:
    """Start the clocks of the session and record the login."""
    session_began(request, is_staff=user.is_staff)
    audit.record(action="login", by=user, at=clock.now(), member=user.member, request=request)


def proven_again(sender: object, request: HttpRequest, reauthenticated: bool = False, **more: Any) -> None:
    """After a proof the session goes on under a new key, as after a login: one seen before it opens nothing after it."""
    if not reauthenticated:
        return
    old = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


def logged_out(sender: object, request: HttpRequest, user: User | None, **more: Any) -> None:
    """Record the end of the session."""
    if user is not None:
        audit.record(action="logout", by=user, at=clock.now(), member=user.member, request=request)


def login_failed(sender: object, credentials: dict, request: HttpRequest | None = None, **more: Any) -> None:
    """Record a wrong password. What was typed may be a password in the wrong box: only its keyed digest is kept."""
    text = str(credentials.get("username") or "")
    user = user_by_login(text)
    audit.record(
        action="login_failed",
        by=None,
        at=clock.now(),
        member=user.member if user else None,
        target=f"user:{user.pk}" if user else "",
        details={"login": blind_index(text)[:16]},
        request=request,
    )
