from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        from accounts import navigation  # models are loaded only now
        from accounts.texts import register
        from documents import texts

        register(texts)
        navigation.register("foot", key="check", label=_("Check a paper"), url_name="documents:check", order=60)
