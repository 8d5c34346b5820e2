"""What every page knows about its reader's way of reading."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

ELDER_COOKIE = "portal_elder"
THEME_COOKIE = "portal_theme"
THEMES = ("light", "dark", "auto")


@dataclass(frozen=True)
class Look:
    """Large print, colours, language, and whether the people on the pages are invented."""

    elder: bool
    theme: str
    language: str
    demo: bool

    @property
    def html_class(self) -> str:
        """Classes of <html>; light is the absence of a class."""
        modes = ["" if self.theme == "light" else self.theme, "elder" if self.elder else ""]
        return " ".join(["govuk-template", "portal", *filter(None, modes)])

    @property
    def lang(self) -> str:
        """The value of the lang attribute: fonts are chosen by it."""
        return "zh-CN" if self.is_chinese else self.language

    @property
    def is_chinese(self) -> bool:
        """Which of the two languages the page is in."""
        return self.language.startswith("zh")


def chosen(request: HttpRequest) -> tuple[bool, str]:
    """Large print and colours: this device's choice first (it may be made before login), then the login's."""
    user = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    elder = request.COOKIES.get(ELDER_COOKIE) or ("1" if known and user.elder else "0")
    theme = request.COOKIES.get(THEME_COOKIE) or (user.theme if known else "light")
    return elder == "1", theme if theme in THEMES else "light"


def look(request: HttpRequest) -> dict[str, object]:
    """Context processor."""
    elder, theme = chosen(request)
    demo = bool(getattr(settings, "DEMO", False))
    return {"look": Look(elder, theme, get_language() or settings.LANGUAGE_CODE, demo)}
