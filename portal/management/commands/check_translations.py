from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.services import translations


class Command(BaseCommand):
    help = "Fail if the Chinese catalogue lacks a message, or holds an untranslated, fuzzy, unused or broken one."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = translations.gaps()
        for kind, texts in asdict(found).items():
            for text in texts:
                self.stdout.write(f"{kind}: {text!r}")
        if found:
            counts = ", ".join(f"{len(texts)} {kind}" for kind, texts in asdict(found).items() if texts)
            raise CommandError(f"The Chinese catalogue is not whole: {counts}. See manage.py update_translations.")
