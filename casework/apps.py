from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CaseworkConfig(AppConfig):
    name = "casework"
    verbose_name = _("Cases")

    def ready(self) -> None:
        from accounts import navigation  # models are loaded only now
        from accounts.texts import register
        from casework import texts

        register(texts)
        navigation.register("citizen", "cases", _("Cases"), "casework:mine", order=50, visible=navigation.for_members)
