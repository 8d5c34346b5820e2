from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from accounts import navigation
        from portal import checks  # noqa: F401 - being imported registers them

        navigation.register("citizen", "home", _("Home"), "home", order=10, visible=navigation.for_members)

        if settings.DEMO:
            from accounts.views import demo

            def till() -> list[dict[str, Any]]:
                note = _("Quote, settle and reverse a bill through the real interface, and read every message")
                return [{"what": _("Open the till"), "url": reverse("till:start"), "values": [], "note": note}]

            demo.register("till", _("Till of a pharmacy and a clinic"), till, order=10)
            navigation.register("foot", "till", _("Till (demonstration)"), "till:start", order=75)
