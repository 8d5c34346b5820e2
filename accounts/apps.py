from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and regions")

    def ready(self) -> None:
        # Models must be loaded before these.
        from accounts import navigation, own_data, own_tables, queries, signals

        navigation.register(
            "tools",
            key="inbox",
            label=_("Messages"),
            url_name="accounts:inbox",
            order=10,
            visible=navigation.for_members,
            count=lambda request: queries.unread_count(request.user),
        )
        navigation.register(
            "tools",
            key="me",
            label=_("My account"),
            url_name="accounts:me",
            order=20,
            visible=lambda request: request.user.is_authenticated,
        )
        navigation.register(
            "foot",
            key="seen",
            label=_("Who looked at my record"),
            url_name="accounts:seen",
            order=30,
            visible=navigation.for_members,
        )
        own_data.register(*own_tables.TABLES)
        signals.connect()
