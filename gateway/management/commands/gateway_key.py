from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from accounts.models import Institution
from gateway.actions import keys
from gateway.enums import Variant

MOST_NAMED = 10


class Command(BaseCommand):
    help = "Issue a signing key to an institution and print it with its secret, once, as lines for a shell."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("institution", nargs="?", help="code of the institution; the first hospital if left out")
        parser.add_argument("--variant", choices=Variant.values, default=Variant.X_TIF, help="how it signs (x-tif)")

    def handle(self, *args: object, institution: str | None, variant: str, **options: object) -> None:
        active = Institution.objects.filter(is_active=True).order_by("kind", "code")
        found = active.filter(code=institution).first() if institution else active.first()
        if found is None:
            raise CommandError(f"No such institution. There are: {_like(institution or '', active)}")
        key, secret = keys.issue(institution=found, by=None, variant=variant)
        self.stdout.write(f"INSTITUTION={found.code}\nKEY_ID={key.key_id}\nSECRET={secret}")


def _like(code: str, among: QuerySet[Institution]) -> str:
    """The codes that begin as this one does, as far as any do; some of them where there are many."""
    while not among.filter(code__startswith=code).exists() and code:
        code = code[:-1]
    found = list(among.filter(code__startswith=code).values_list("code", flat=True)[: MOST_NAMED + 1])
    return ", ".join([*found[:MOST_NAMED], *(["…"] if len(found) > MOST_NAMED else [])]) or "none"
