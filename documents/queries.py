"""Reading issued papers."""

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.queries import members_visible_to
from documents import numbers
from documents.models import IssuedDocument

# A paper that could not be set has a number but no file yet: it waits for somebody at a window.
ISSUED = ~Q(sha256="")


def visible_to(user: User) -> QuerySet[IssuedDocument]:
    """One's own papers; for staff those of the people of their regions. Newest first."""
    return IssuedDocument.objects.filter(ISSUED, member__in=members_visible_to(user)).select_related("member")


def by_number(text: str) -> IssuedDocument | None:
    """The paper with a number as somebody typed it, for anybody who holds the paper; None if there is none."""
    number = numbers.normalise(text)
    if not numbers.is_number(number):
        return None
    return IssuedDocument.objects.filter(ISSUED, number=number).select_related("member").first()
