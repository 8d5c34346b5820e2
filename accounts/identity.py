"""How a citizen proves online who he is: an adapter that the settings name (face check, single sign-on)."""

from typing import Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class IdentityAdapter(Protocol):
    """One way to prove an identity online."""

    # Whether the page offers to begin at all, and what it says.
    available: bool
    explanation: str | Promise

    def begin(self, request: HttpRequest, user: User, return_url: str) -> str:
        """Where to send the citizen: the provider's address, or `return_url` when nothing has to be asked elsewhere."""

    def finish(self, request: HttpRequest, user: User) -> str:
        """On the way back: a reference to the proof, to be kept in the audit line; empty if it failed."""


class AtTheWindow:
    """No provider is connected: a clerk sees the ID card."""

    available = False
    explanation = _("Online proof is not available yet. Bring your ID card to the window; it takes a minute.")

    def begin(self, request: HttpRequest, user: User, return_url: str) -> str:
        return return_url

    def finish(self, request: HttpRequest, user: User) -> str:
        return ""


class DemoFace:
    """For the demo: no camera, no comparison; the page says so."""

    available = True
    explanation = _(
        "This is the demo: no camera is used and no face is compared. "
        "In real use the face check of the government platform opens here."
    )
    MARK = "portal_demo_face"

    def begin(self, request: HttpRequest, user: User, return_url: str) -> str:
        request.session[self.MARK] = user.pk
        return return_url

    def finish(self, request: HttpRequest, user: User) -> str:
        return "demo" if request.session.pop(self.MARK, None) == user.pk else ""


def adapter() -> IdentityAdapter:
    """The way that the settings name."""
    made: IdentityAdapter = import_string(settings.IDENTITY_ADAPTER)()
    return made
