"""Who shares with a member and with whom he shares, as a table of the file that he can take with him."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.own_data import CHUNK, Table
from family import queries, telling

DAY = datetime.timedelta(days=1)


def grants(user: User, at: datetime.datetime) -> Iterator[list[Any]]:
    """Those that have ended too; the other side is named as on the pages."""
    order, _version = queries.order_of(user.member_id)
    for grant in queries.grants_visible_to(user).order_by("bound_at", "id").iterator(CHUNK):
        given = grant.grantor_id == user.member_id
        term = telling.term_of_beneficiary(grant) if given else telling.term_of_grantor(grant)
        yield [
            _("may use my account") if given else _("lets me use the account"),
            telling.named(term, grant.beneficiary if given else grant.grantor),
            grant.region.local_name,
            telling.uses(grant),
            grant.limit,
            grant.bound_at,
            grant.starts_on,
            grant.ends_on and grant.ends_on - DAY,
            grant.get_end_reason_display(),
            grant.paused_at,
            order.index(grant.pk) + 1 if grant.pk in order else None,
        ]


TABLES = [
    Table(
        order=500,
        title=gettext_lazy("Family sharing"),
        heads=[
            gettext_lazy("Which way"),
            gettext_lazy("Relative"),
            gettext_lazy("Region"),
            gettext_lazy("May be used for"),
            gettext_lazy("Limit a benefit year"),
            gettext_lazy("Bound on"),
            gettext_lazy("First day"),
            gettext_lazy("Last day"),
            gettext_lazy("Why it ended"),
            gettext_lazy("Paused since"),
            gettext_lazy("Place in my order"),
        ],
        rows=grants,
    )
]
