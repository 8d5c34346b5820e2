from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.services import translations


class Command(BaseCommand):
    help = (
        "Bring the Chinese catalogue up to date with the code: new messages in, unused ones out, sorted by message id. "
        "Tables of translations (message id, tab, translation; \\n for a new line) are merged into it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tables", nargs="*", type=Path, help="files with message id, tab, translation")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = translations.update(options["tables"])
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(", ".join(f"{number} {what}" for what, number in counts.items()))
        found = translations.gaps()
        for text in found.missing + found.untranslated:
            self.stdout.write(f"to translate: {text!r}")
