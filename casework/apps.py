from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CaseworkConfig(AppConfig):
    name = "casework"
    verbose_name = _("Cases")

    def ready(self) -> None:
        from accounts import navigation, own_data  # models are loaded only now
        from accounts.texts import register
        from casework import own_tables, texts

        register(texts)
        own_data.register(*own_tables.TABLES)
        navigation.register("citizen", "cases", _("Cases"), "casework:mine", order=50, visible=navigation.for_members)
        navigation.register("foot", "bring", _("What to bring to the window"), "casework:bring", order=50)
