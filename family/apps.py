from django.apps import AppConfig


class FamilyConfig(AppConfig):
    name = "family"

    def ready(self) -> None:
        from casework import kinds  # models are loaded only now
        from family import texts
        from family.kinds import KIND

        kinds.register(KIND)
        texts.register()
