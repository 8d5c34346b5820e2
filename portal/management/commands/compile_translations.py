from typing import Any

from django.core.management.base import BaseCommand

from portal.services import translations


class Command(BaseCommand):
    help = "Compile the message catalogues that changed (manage.py does so before every command as well)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for catalogue in translations.compile_stale():
            self.stdout.write(f"compiled {catalogue.relative_to(translations.PROJECT)}")
