"""Cases in the reader's language: what each is about, its state, and its timeline."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import dates
from accounts.models import User
from accounts.naming import in_house
from casework import kinds
from casework.domain import states
from casework.enums import CaseState
from casework.models import Case, CaseEvent
from casework.queries import timeline

# What kind of tag a state bears (the `state` tag of the pages).
STATE_TAGS = {
    CaseState.DRAFT: "off",
    CaseState.CONSENT: "wait",
    CaseState.REVIEW: "wait",
    CaseState.RETURNED: "wait",
    CaseState.GRANTED: "ok",
    CaseState.REFUSED: "bad",
    CaseState.WITHDRAWN: "off",
    CaseState.EXPIRED: "off",
}
VERBS: dict[str, Promise] = {
    "open": gettext_lazy("Begun"),
    "submit": gettext_lazy("Signed and submitted"),
    "amend": gettext_lazy("Taken back to be changed"),
    "consent": gettext_lazy("The relative agreed"),
    "decline": gettext_lazy("The relative did not agree"),
    "approve": gettext_lazy("Checked and granted"),
    "return": gettext_lazy("Returned, to be changed"),
    "refuse": gettext_lazy("Refused after the check"),
    "withdraw": gettext_lazy("Withdrawn"),
    "expire": gettext_lazy("Lapsed without an answer"),
}
ROLES: dict[str, Promise] = {
    states.APPLICANT: gettext_lazy("applicant"),
    states.RELATIVE: gettext_lazy("relative"),
    states.CLERK: gettext_lazy("clerk"),
    states.SUPERVISOR: gettext_lazy("supervisor"),
    states.SYSTEM: gettext_lazy("system"),
}


@dataclass(frozen=True)
class Row:
    """A case in a list."""

    case: Case
    title: str
    about: str
    tag: str
    state: str

    @property
    def url_name(self) -> str:
        """The page of this case; its argument is the case's public id."""
        return kinds.get(self.case.kind).url_name


def rows(cases: Iterable[Case], user: User) -> list[Row]:
    """Cases as this reader would name them, in the order given; one more statement a kind."""
    listed = list(cases)
    about: dict[int, str] = {}
    for code in {case.kind for case in listed}:
        about |= kinds.get(code).about([case for case in listed if case.kind == code], user)
    return [
        Row(case, str(kinds.get(case.kind).title), about.get(case.pk, ""), tag_of(case), state_of(case, user))
        for case in listed
    ]


def tag_of(case: Case) -> str:
    """What kind of tag the case's state bears."""
    return STATE_TAGS[CaseState(case.state)]


def state_of(case: Case, reader: User) -> str:
    """The state in words; a relative who is asked is told that the answer is his own."""
    asked = case.state == CaseState.CONSENT and reader.member_id not in (None, case.applicant_id)
    return _("Waiting for your answer") if asked else str(case.get_state_display())


def events(case: Case, reader: User, until: datetime.date | None = None) -> list[dict[str, Any]]:
    """The timeline for components/timeline.html; an open case ends with where it stands (`until`: the day it waits for).

    Staff are named to staff only.
    """
    told = [_told(event, reader) for event in timeline(case)]
    if case.state in states.OPEN and case.state != CaseState.DRAFT:
        small = _("until %(day)s") % {"day": dates.day(until)} if until else ""
        told.append({"text": state_of(case, reader), "small": small, "when": "now"})
    return told


def step_of(event: CaseEvent) -> str:
    """What was done, in words: for the timeline, and for the journal of who did it."""
    text = str(VERBS.get(event.verb, event.verb))
    if event.verb == "amend" and event.from_state == CaseState.DRAFT:
        return _("Changed before submitting")
    if event.verb in ("submit", "consent") and event.to_state == CaseState.GRANTED:
        return _("%(step)s, granted at once") % {"step": text}
    return text


def is_on_paper(event: CaseEvent) -> bool:
    """Whether the relative agreed by a sheet of paper: then the note is no words of anybody."""
    return event.verb == "consent" and event.note == "paper"


def _told(event: CaseEvent, reader: User) -> dict[str, Any]:
    small = [dates.moment(event.at), _who(event, reader)]
    if is_on_paper(event):
        small.append(_("on paper"))
    elif event.note:
        small.append(_("“%(words)s”") % {"words": event.note})
    return {"text": step_of(event), "small": " · ".join(filter(None, small)), "when": ""}


def _who(event: CaseEvent, reader: User) -> str:
    role = str(ROLES.get(event.actor_role, event.actor_role))
    if reader.is_staff and event.actor is not None and event.actor.is_staff:
        return f"{role} {in_house(event.actor)}"
    return role
