"""What the two are told at each step. Only of each other: who else shares with the relative is nobody's business."""

import datetime

from accounts.actions import messages
from accounts.masks import mask_name
from accounts.models import Member
from casework.models import Case
from family.models import SharingApplication, SharingGrant

# state reached -> what the grantor is told, where it does not depend on how it was reached
TO_GRANTOR = {
    "consent": "sharing_waits_for_consent",
    "review": "sharing_in_review",
    "returned": "sharing_returned",
    "expired": "sharing_expired",
}


def moved(application: SharingApplication, case: Case, verb: str, from_state: str, at: datetime.datetime) -> None:
    """After a step of the case. The grant itself has its own message (`bound`)."""
    facts = _names(application.grantor, application.beneficiary) | {"case": case.number, "reason": case.reason}
    if case.state == "review" and case.due_on is not None:
        facts["due_on"] = case.due_on.isoformat()
    if application.consent_until is not None:
        facts["until_on"] = application.consent_until.isoformat()
    if verb not in ("amend", "withdraw") and case.state in TO_GRANTOR:
        _send(application.grantor, TO_GRANTOR[case.state], facts, at)
    if case.state == "refused":
        _send(application.grantor, "sharing_declined" if verb == "decline" else "sharing_refused", facts, at)
    if case.state == "consent":
        _send(application.beneficiary, "sharing_invitation", facts, at, sms=True)
    elif case.state == "refused" and verb == "refuse" and application.consented_at is not None:
        _send(application.beneficiary, "sharing_refused", facts, at)
    elif from_state == "consent" and verb in ("amend", "withdraw", "expire"):
        _send(application.beneficiary, "sharing_invitation_void", facts, at)


def bound(grant: SharingGrant, at: datetime.datetime) -> None:
    """The grant is in force: both are told."""
    facts = _names(grant.grantor, grant.beneficiary) | {"from_on": grant.starts_on.isoformat()}
    _send(grant.grantor, "sharing_bound_grantor", facts, at, sms=True)
    _send(grant.beneficiary, "sharing_bound_beneficiary", facts, at, sms=True)


def ended(grant: SharingGrant, at: datetime.datetime) -> None:
    """The grant ends: both are told since when."""
    assert grant.ends_on is not None
    facts = _names(grant.grantor, grant.beneficiary) | {"from_on": grant.ends_on.isoformat()}
    _send(grant.grantor, "sharing_ended_grantor", facts, at)
    _send(grant.beneficiary, "sharing_ended_beneficiary", facts, at)


def changed(grant: SharingGrant, what: str, at: datetime.datetime) -> None:
    """Terms were adjusted, or the grant was paused or resumed (`what`): both are told."""
    facts = _names(grant.grantor, grant.beneficiary)
    _send(grant.grantor, f"sharing_{what}_grantor", facts, at)
    _send(grant.beneficiary, f"sharing_{what}_beneficiary", facts, at)


def reordered(beneficiary: Member, at: datetime.datetime) -> None:
    """The order was changed: the one whose order it is is told, the grantors are not."""
    _send(beneficiary, "sharing_reordered", {}, at)


def _names(grantor: Member, beneficiary: Member) -> dict[str, str]:
    return {"grantor": mask_name(grantor.name), "beneficiary": mask_name(beneficiary.name)}


def _send(member: Member, kind: str, params: dict[str, str], at: datetime.datetime, sms: bool = False) -> None:
    if member.died_on is not None:
        return  # the telephone is in other hands now
    messages.notify(member=member, kind=kind, params=params, at=at, sms=sms)
