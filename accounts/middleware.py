"""What every request passes: bad input is turned away, no page is kept by browsers, sessions end in time."""

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from redis.exceptions import ConnectionError, TimeoutError

from accounts import clock

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
BEGAN = "portal_session_began"
NUL = "\x00"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class RefuseBadInput:
    """A zero character (PostgreSQL refuses it) is 400, too large a body is 413, each with a page that says so.

    Every text is read as UTF-8, whatever its sender calls it: Python knows "encodings" that make no text and fail.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A cookie is read before any page is known: a bad one is as good as none.
        for name, value in list(request.COOKIES.items()):
            if NUL in value:
                del request.COOKIES[name]
        if request.encoding is not None:
            request.encoding = "utf-8"
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict) -> HttpResponse | None:
        if getattr(view, "reads_raw_body", False):
            # Machines get the errors of their own protocol, not a page; such a view bounds its body itself.
            return None
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        # From staff alone: the body is read before the view says whom it serves.
        if hasattr(view, "most_bytes") and request.user.is_staff:
            most = view.most_bytes
        if content_length(request) > most:
            return render(request, "accounts/too_large.html", {"most": most // 1024**2}, status=413)
        try:
            bad = has_nul(request)
        except RequestDataTooBig:
            return render(request, "accounts/too_large.html", {"most": most // 1024**2}, status=413)
        return render(request, "accounts/bad_input.html", status=400) if bad else None


class LoginNeedsLimits:
    """Without Redis nobody counts wrong passwords, so nobody is let in; whoever is in notices nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, (ConnectionError, TimeoutError)):
            return None
        log.error("Redis cannot be reached: %s", type(error).__name__)
        return render(request, "accounts/not_now.html", status=503)


def content_length(request: HttpRequest) -> int:
    """What the request says of its size; a request that says nothing has no body under WSGI."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def has_nul(request: HttpRequest) -> bool:
    """Whether a zero character stands in the address, the query or the fields of a form."""
    if NUL in request.path or NUL in "".join(request.GET) + "".join(v for vs in request.GET.lists() for v in vs[1]):
        return True
    if request.method != "POST" or request.content_type not in FORM_TYPES:
        return False
    return any(NUL in name or any(NUL in value for value in values) for name, values in request.POST.lists())


def no_store(get_response: GetResponse) -> Callable:
    """Nothing but static files may be kept by browsers or proxies: every page is about a person."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if "public" not in response.get("Cache-Control", ""):
            response["Cache-Control"] = "no-store"
        return response

    return middleware


def shut(get_response: GetResponse) -> Callable:
    """What no page here needs is shut: the visitor's camera, microphone and place, and being loaded by other sites."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Permissions-Policy"] = (
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return middleware


def tell_only_buttons(get_response: GetResponse) -> Callable:
    """An address that takes only a button's press, opened as a page: Django's own answer is empty."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 405 or response.content:
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page

    return middleware


def session_began(request: HttpRequest, *, is_staff: bool) -> None:
    """Set the clocks of a new login: the idle time slides with every request, the whole time does not."""
    request.session[BEGAN] = clock.now().timestamp()
    request.session.set_expiry(settings.SESSION_IDLE_SECONDS["staff" if is_staff else "member"])


def end_old_sessions(get_response: GetResponse) -> Callable:
    """After eight hours everyone logs in anew, however busy he was."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            began = request.session.get(BEGAN, 0)
            if clock.now().timestamp() - began > settings.SESSION_WHOLE_SECONDS:
                logout(request)
        return get_response(request)

    return middleware


def login_under_htmx(get_response: GetResponse) -> Callable:
    """A login or proof that falls due under HTMX opens as a page of its own, not inside the part that asked."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.htmx or not isinstance(response, HttpResponseRedirect):
            return response
        path = urlsplit(response.url).path
        if path not in {reverse("account_login"), reverse("account_reauthenticate"), reverse("mfa_reauthenticate")}:
            return response
        # The part that was asked for is not a page to come back to, nor to send again.
        request.session.pop(STATE_SESSION_KEY, None)
        back = request.htmx.current_url_abs_path or "/"
        answer = HttpResponse(status=200)
        answer["HX-Redirect"] = f"{path}?{urlencode({REDIRECT_FIELD_NAME: back})}"
        return answer

    return middleware
