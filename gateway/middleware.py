from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve


def machines_pass(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Calls of institutions go straight to their view: no session, cookie, language, page or login to look after.

    It stands behind the redirect to HTTPS. Everything that is not an institution's call goes the usual way.
    """
    address = "/fsi/api/"

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(address):
            return get_response(request)
        try:
            found = resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        response = found.func(request, *found.args, **found.kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return middleware
