"""Opening cases and moving them through their states; every step leaves a line in the timeline and in the audit log."""

import datetime
import secrets

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import audit
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Member, Region, ServiceCentre, User
from accounts.policies import centre_of, serves_himself
from casework import kinds
from casework.domain import states, working_days
from casework.models import Case, CaseEvent
from casework.policies import had_a_hand, may_act_as
from casework.queries import working_day_exceptions

# Without 0 O 1 I: the number is read out at a window and typed from paper.
NUMBER_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NUMBER_LENGTH = 8


@transaction.atomic
def open_case(
    *,
    kind: str,
    applicant: Member,
    region: Region,
    by: User | None,
    role: str,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    centre: ServiceCentre | None = None,
    agent_name: str = "",
) -> Case:
    """A new draft of a registered kind for `applicant`, begun by himself, by a clerk for him, or by the system.

    `agent_name`: who acts for the applicant at the window with a written authority. Raises PermissionDenied, and
    Refused("own_case") where a clerk would serve himself.
    """
    kinds.get(kind)
    refuse_own(by, applicant.pk)
    case = Case(
        number=_free_number(),
        kind=kind,
        region=region,
        applicant=applicant,
        channel=channel,
        opened_by=by,
        centre=centre,
        agent_name=agent_name,
        opened_at=at,
    )
    if not may_act_as(by, role, case):
        raise PermissionDenied
    case.save()
    _record(case, verb="open", from_state="", by=by, role=role, at=at, note="", channel=channel)
    return case


def refuse_own(by: User | None, *members: int) -> None:
    """Raises Refused("own_case") where a staff login belongs to one of the members (ids) that an act is about."""
    if serves_himself(by, *members):
        raise Refused("own_case")


def lock(*, case: Case, version: int | None = None, verb: str | None = None) -> Case:
    """The case as it is now, locked to the end of the transaction. `version`: what the reader saw (default: `case`'s).

    Raises Refused: "stale" when somebody else was faster, "not_in_this_state" when nobody can take the step `verb` now.
    """
    seen = case.version if version is None else version
    locked = Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    if locked.version != seen:
        raise Refused("stale")
    if verb is not None and (locked.state, verb) not in states.TABLE:
        raise Refused("not_in_this_state", state=locked.state, verb=verb)
    return locked


@transaction.atomic
def move(
    *,
    case: Case,
    verb: str,
    by: User | None,
    role: str,
    at: datetime.datetime,
    to: str | None = None,
    note: str = "",
    version: int | None = None,
    channel: str = Channel.ONLINE,
) -> Case:
    """Take a step with a case (`casework.domain.states`) and do what its kind does then; gives the case as it is now.

    `to` chooses where the table leaves a choice. `version` is what the reader saw (default: what `case` says).
    `note` becomes the case's reason where it is refused or returned. Raises PermissionDenied for a role that the login
    does not have, and Refused: "stale" (somebody else was faster), "not_in_this_state", "own_case" (four eyes, staff in a
    case of their own), or what the kind's callbacks say; a refused step leaves nothing behind.
    """
    case = lock(case=case, version=version)
    if not may_act_as(by, role, case):
        raise PermissionDenied
    state = states.next_state(case.state, verb, role, to)
    if state is None:
        raise Refused("not_in_this_state", state=case.state, verb=verb)
    kind = kinds.get(case.kind)
    refuse_own(by, *kind.parties(case))
    if verb in states.CHECKING:
        if by is None or had_a_hand(by, case):
            raise Refused("own_case")
        if verb == "approve":
            kind.on_review_check(case=case, by=by, at=at)
    if verb == "submit" and by is not None and role == states.CLERK:
        # Begun online and handed in at a window, or at another one: the receipt names the one that took it.
        case.centre = centre_of(by, case.region_id) or case.centre
    from_state = _enter(case, state, verb, by, at, note)
    _record(case, verb=verb, from_state=from_state, by=by, role=role, at=at, note=note, channel=channel)
    if state == "granted":
        kind.on_granted(case=case, by=by, at=at)
    kind.on_moved(case=case, verb=verb, from_state=from_state, by=by, at=at)
    return case


def decide(
    *, case: Case, verb: str, by: User, at: datetime.datetime, note: str = "", version: int | None = None
) -> Case:
    """The second check of a case of whatever kind: approve, return (to be changed) or refuse; `note` says why.

    Refusals as `move`.
    """
    return move(
        case=case,
        verb=verb,
        by=by,
        role=states.SUPERVISOR,
        at=at,
        note=note,
        version=version,
        channel=Channel.WINDOW,
    )


def _enter(case: Case, state: str, verb: str, by: User | None, at: datetime.datetime, note: str) -> str:
    from_state, case.state = case.state, state
    if verb in states.CHECKING:
        case.checked_by, case.checked_at = by, at
    elif verb in ("submit", "amend"):
        # What is handed in again has not been looked at by anybody.
        case.checked_by = case.checked_at = None
    if verb == "submit":
        case.submitted_at = at
    if state == "review":
        case.due_on = _due_on(case, at)
    case.closed_at = at if state in states.ENDED else None
    case.reason = note if state in ("refused", "returned", "withdrawn") else ""
    case.version += 1
    case.save()
    return from_state


def _due_on(case: Case, at: datetime.datetime) -> datetime.date:
    start = timezone.localdate(at)
    return working_days.add(start, kinds.get(case.kind).days_for(case, start), working_day_exceptions(start))


def _record(
    case: Case,
    *,
    verb: str,
    from_state: str,
    by: User | None,
    role: str,
    at: datetime.datetime,
    note: str,
    channel: str,
) -> None:
    CaseEvent.objects.create(
        case=case, at=at, verb=verb, from_state=from_state, to_state=case.state, actor=by, actor_role=role, note=note
    )
    audit.record(
        action=f"case_{verb}",
        by=by,
        at=at,
        member=case.applicant,
        target=f"case {case.number}",
        reason=note,
        details={"kind": case.kind, "from": from_state, "to": case.state, "role": role},
        on_behalf_of=case.applicant if role == states.CLERK else None,
        channel=channel,
    )


def _free_number() -> str:
    while True:
        number = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_LENGTH))
        if not Case.objects.filter(number=number).exists():
            return number
