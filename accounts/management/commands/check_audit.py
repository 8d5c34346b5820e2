import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts.actions import audit
from accounts.models import AuditBlock, AuditEvent


class Command(BaseCommand):
    help = "Checks the hash chain of the audit log; exits 1 if a line was changed, deleted, inserted or cut off."

    def handle(self, **options: Any) -> None:
        findings = audit.check()
        for finding in findings:
            self.stdout.write(finding)
        head = AuditBlock.objects.order_by("-last_event").first()
        open_lines = AuditEvent.objects.filter(id__gt=head.last_event if head else 0).count()
        self.stdout.write(f"audit: {AuditBlock.objects.count()} blocks, {open_lines} lines not sealed yet")
        self.stdout.write("audit: whole" if not findings else f"audit: {len(findings)} findings")
        if findings:
            sys.exit(1)
