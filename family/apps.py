from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FamilyConfig(AppConfig):
    name = "family"
    verbose_name = _("Family sharing")

    def ready(self) -> None:
        from casework import kinds  # models are loaded only now
        from family import texts
        from family.kinds import KIND

        kinds.register(KIND)
        texts.register()

        from accounts import navigation

        navigation.register("citizen", "family", _("Family"), "family:home", order=30, visible=navigation.for_members)
