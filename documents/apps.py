from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        from accounts import navigation, own_data  # models are loaded only now
        from accounts.texts import register
        from documents import own_tables, texts

        register(texts)
        own_data.register(*own_tables.TABLES)
        navigation.register("foot", key="check", label=_("Check a paper"), url_name="documents:check", order=60)
