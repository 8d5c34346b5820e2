from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.actions import preferences
from accounts.context import ELDER_COOKIE, THEME_COOKIE, THEMES

YEAR_SECONDS = 365 * 24 * 3600


@login_not_required
@require_POST
def set_preference(request: HttpRequest) -> HttpResponse:
    """Keep what was pressed (large print, colours, language) on this device and for the login, and go back."""
    elder = {"1": True, "0": False}.get(request.POST.get("elder", ""))
    theme = request.POST.get("theme") if request.POST.get("theme") in THEMES else None
    language = request.POST.get("language") if request.POST.get("language") in dict(settings.LANGUAGES) else None

    response = HttpResponseRedirect(_way_back(request))
    if elder is not None:
        _keep(response, ELDER_COOKIE, "1" if elder else "0")
    if theme:
        _keep(response, THEME_COOKIE, theme)
    if language:
        _keep(response, settings.LANGUAGE_COOKIE_NAME, language)
    if request.user.is_authenticated:
        preferences.choose(by=request.user, elder=elder, theme=theme, language=language)
    return response


def _way_back(request: HttpRequest) -> str:
    """Where the switch was pressed; never another site."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else "/"


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=YEAR_SECONDS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
