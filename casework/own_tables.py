"""A member's cases, as tables of the file that he can take with him."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.own_data import CHUNK, Table, in_chunks
from casework import queries, telling
from casework.models import CaseEvent

Rows = Iterator[list[Any]]


def cases(user: User, at: datetime.datetime) -> Rows:
    """His own, and those of relatives that wait for his word or are about him, as his list of cases has them."""
    found = queries.visible_to(user).order_by("opened_at", "pk")
    for chunk in in_chunks(found.iterator(CHUNK)):
        for row in telling.rows(chunk, user):
            case = row.case
            own = case.applicant_id == user.member_id
            yield [
                case.number,
                row.title,
                row.about,
                case.region.local_name,
                row.state,
                case.opened_at,
                case.submitted_at,
                case.due_on,
                case.closed_at,
                case.reason if own else None,
            ]


def steps(user: User, at: datetime.datetime) -> Rows:
    """The timelines of his own cases; staff are told by their role, as on the page."""
    found = CaseEvent.objects.filter(case__applicant=user.member).select_related("case")
    for event in found.order_by("case_id", "id").iterator(CHUNK):
        role = telling.ROLES.get(event.actor_role, event.actor_role)
        note = _("on paper") if telling.is_on_paper(event) else event.note
        yield [event.case.number, event.at, telling.step_of(event), role, note]


TABLES = [
    Table(
        order=600,
        title=_("Cases"),
        heads=[
            _("Case number"),
            _("Kind"),
            _("About"),
            _("Region"),
            _("State"),
            _("Begun on"),
            _("Submitted on"),
            _("Due on"),
            _("Closed on"),
            _("Reason"),
        ],
        rows=cases,
    ),
    Table(
        order=610,
        title=_("Steps of your cases"),
        heads=[_("Case number"), _("When"), _("What"), _("Done by"), _("Note")],
        rows=steps,
    ),
]
