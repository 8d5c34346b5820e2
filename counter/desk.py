"""The member a clerk has opened: with a stated reason, for fifteen minutes, in his session. Every look is recorded.

The member sees all of it under "who looked at my record".
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from accounts import clock
from accounts.actions import audit
from accounts.enums import Channel, Role
from accounts.models import Member, Region, User
from accounts.policies import roles_of
from counter.policies import may_open

SESSION, LAST = "counter_opened", "counter_last"
OPEN_FOR = datetime.timedelta(minutes=15)
LAST_KEPT = 5


@dataclass(frozen=True)
class Opened:
    """Whom the clerk serves, why, and until when."""

    member: Member
    reason: str
    until: datetime.datetime

    @property
    def minutes_left(self) -> int:
        """Whole minutes, at least one while it is open."""
        return max(int((self.until - clock.now()).total_seconds()) // 60, 1)


def open_member(request: HttpRequest, member: Member, reason: str, at: datetime.datetime) -> None:
    """Open a record; the one opened before is closed by it. The caller has asked `may_open`."""
    audit.record(
        action="open_member",
        by=request.user,
        at=at,
        member=member,
        target=f"member {member.public_id}",
        reason=reason,
        channel=Channel.WINDOW,
        request=request,
    )
    request.session[SESSION] = {"member": member.pk, "reason": reason, "until": (at + OPEN_FOR).timestamp()}
    last = [row for row in request.session.get(LAST, []) if row["member"] != member.pk]
    request.session[LAST] = [{"member": member.pk, "reason": reason, "at": at.timestamp()}, *last][:LAST_KEPT]


def opened(request: HttpRequest) -> Opened | None:
    """The record that is open now; nothing once the time is over or the clerk's role has ended."""
    held = request.session.get(SESSION)
    if not held:
        return None
    until = datetime.datetime.fromtimestamp(held["until"], tz=datetime.UTC)
    member = Member.objects.filter(pk=held["member"]).first()
    if member is None or until <= clock.now() or not may_open(request.user, member):
        close(request)
        return None
    return Opened(member, held["reason"], until)


def close(request: HttpRequest) -> None:
    """Close the record."""
    request.session.pop(SESSION, None)


def last_opened(request: HttpRequest) -> list[dict[str, Any]]:
    """Whom this session opened lately, the latest first: member, reason, at."""
    rows = request.session.get(LAST, [])
    members = Member.objects.in_bulk([row["member"] for row in rows])
    return [
        {
            "member": members[row["member"]],
            "reason": row["reason"],
            "at": datetime.datetime.fromtimestamp(row["at"], tz=datetime.UTC),
        }
        for row in rows
        if row["member"] in members
    ]


def office_of(user: User, region: Region | None) -> str:
    """What the head of a printed sheet names: where the clerk sits for this region, else where he sits at all."""
    held = [one for one in roles_of(user) if one.role == Role.CLERK and one.region is not None]
    here = next((one for one in held if region is not None and one.region_id == region.pk), None)
    mine = here or next(iter(held), None)
    if mine is None or mine.region is None:
        return ""
    return str(mine.centre.name if mine.centre else mine.region.local_name)


def look(request: HttpRequest, member: Member | None, what: str, reason: str, action: str = "read_member") -> None:
    """Write the line of one look at a record or a case."""
    audit.record(
        action=action,
        by=request.user,
        at=clock.now(),
        member=member,
        target=what,
        reason=reason,
        channel=Channel.WINDOW,
        request=request,
    )


def needs_opened(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page about the record that is open: the view gets it as `serving`. Without one the clerk is led to open one."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        serving = opened(request)
        if serving is None:
            messages.warning(request, _("No record is open, or the time is over. State the reason and open it again."))
            # Followed by HTMX, the window's first page would land inside the part that asked.
            return HttpResponseClientRedirect(reverse("counter:home")) if request.htmx else redirect("counter:home")
        return view(request, *args, serving=serving, **kwargs)

    return guarded
