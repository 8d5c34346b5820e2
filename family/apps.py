from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FamilyConfig(AppConfig):
    name = "family"
    verbose_name = _("Family sharing")

    def ready(self) -> None:
        from accounts.texts import register  # models are loaded only now
        from casework import kinds
        from family import own_tables, texts
        from family.kinds import KIND

        kinds.register(KIND)
        register(texts)

        from accounts import navigation, own_data

        own_data.register(*own_tables.TABLES)
        navigation.register("citizen", "family", _("Family"), "family:home", order=30, visible=navigation.for_members)
