from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from accounts import navigation, policies

        def members(request):  # type: ignore[no-untyped-def]
            return policies.is_member(request.user)

        navigation.register("citizen", "home", _("Home"), "home", order=10, visible=members)
