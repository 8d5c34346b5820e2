"""The papers issued to a member, as a table of the file that he can take with him."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.own_data import CHUNK, Table
from documents import kinds, numbers, queries


def papers(user: User, at: datetime.datetime) -> Iterator[list[Any]]:
    """What was issued, not what stood on it: the content is not kept."""
    for paper in queries.visible_to(user).order_by("issued_at", "id").iterator(CHUNK):
        yield [
            paper.issued_at,
            kinds.label(paper.kind),
            numbers.grouped(paper.number),
            paper.subject,
            paper.copies,
            paper.revoked_at,
        ]


TABLES = [
    Table(
        order=800,
        title=_("Statements and receipts"),
        heads=[_("When"), _("Paper"), _("Number"), _("About"), _("Times printed"), _("Declared void on")],
        rows=papers,
    )
]
