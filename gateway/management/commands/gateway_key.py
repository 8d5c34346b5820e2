from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Institution
from gateway.actions import keys


class Command(BaseCommand):
    help = "Issue a signing key to an institution and print its secret, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("institution", help="code of the institution")

    def handle(self, *args: object, institution: str, **options: object) -> None:
        found = Institution.objects.filter(code=institution).first()
        if found is None:
            codes = Institution.objects.order_by("code").values_list("code", flat=True)[:10]
            raise CommandError(f"No institution {institution}. There are: {', '.join(codes) or 'none'}")
        key, secret = keys.issue(institution=found, by=None)
        self.stdout.write(f"KEY_ID={key.key_id}\nSECRET={secret}")
