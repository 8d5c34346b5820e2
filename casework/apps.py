from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class CaseworkConfig(AppConfig):
    name = "casework"
    verbose_name = _("Cases")

    def ready(self) -> None:
        from casework import texts

        texts.register()

        from accounts import navigation, policies

        def for_members(request: HttpRequest) -> bool:
            return policies.is_member(request.user)

        navigation.register("citizen", "cases", _("Cases"), "casework:mine", order=50, visible=for_members)
