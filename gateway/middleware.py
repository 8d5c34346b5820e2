import time
from collections.abc import Callable
from functools import lru_cache

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from gateway import paths

# A connection that answered so lately, in seconds, is not asked first whether it lives: that is a trip to the server for
# each call. If it has died since, the one call fails and the institution sends it again, as after any lost line.
LATELY = 1.0


# There are few addresses, and each call comes to one of them.
_resolved = lru_cache(maxsize=256)(resolve)


def machines_pass(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Calls of institutions go straight to their view: no session, cookie, language, page or login to look after.

    It stands behind the redirect to HTTPS. Everything that is not an institution's call goes the usual way.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        address = paths.ours(request.path_info)
        if address is None:
            return get_response(request)
        found = _resolved(address)
        if time.monotonic() - getattr(connection, "answered_at", 0.0) < LATELY:
            connection.health_check_done = True
        response = found.func(request, *found.args, **found.kwargs)
        connection.answered_at = time.monotonic()
        response["Cache-Control"] = "no-store"
        # Else the server sends it in chunks.
        response["Content-Length"] = str(len(response.content))
        return response

    return middleware
