from typing import Any

from django.core.management.base import BaseCommand

from accounts import clock
from accounts.actions import reencryption


class Command(BaseCommand):
    help = "Encrypts anew, with the newest of PII_KEYS, whatever an older key holds. The portal goes on meanwhile."

    def handle(self, **options: Any) -> None:
        done = reencryption.reencrypt(at=clock.now())
        for column, count in done.items():
            if count:
                self.stdout.write(f"{column}: {count}")
        self.stdout.write(f"{sum(done.values())} values encrypted anew")
