from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Institution
from gateway.actions import keys
from gateway.enums import Variant


class Command(BaseCommand):
    help = "Issue a signing key to an institution and print it with its secret, once, as lines for a shell."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("institution", nargs="?", help="code of the institution; the first hospital if left out")
        parser.add_argument("--variant", choices=Variant.values, default=Variant.X_TIF, help="how it signs (x-tif)")

    def handle(self, *args: object, institution: str | None, variant: str, **options: object) -> None:
        active = Institution.objects.filter(is_active=True).order_by("kind", "code")
        found = active.filter(code=institution).first() if institution else active.first()
        if found is None:
            known = ", ".join(active.values_list("code", flat=True)[:10])
            raise CommandError(f"No such institution. There are: {known or 'none'}")
        key, secret = keys.issue(institution=found, by=None, variant=variant)
        self.stdout.write(f"INSTITUTION={found.code}\nKEY_ID={key.key_id}\nSECRET={secret}")
