from django.apps import AppConfig


class SettlementsConfig(AppConfig):
    name = "settlements"

    def ready(self) -> None:
        from settlements import texts  # translations and models are there only now

        texts.register()
