"""Undoing a settled claim (a bill paid in cash): asked for at the window, done after a second check.

The bill comes out of the counters, accounts that paid it get theirs back, and what the office paid the patient he owes; what
it has not paid yet it does not pay. The bill can then be handed in anew, put right.
"""

import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import audit, messages
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import ServiceCentre, User
from accounts.money import plain
from casework.actions import cases
from casework.domain.states import CLERK
from casework.models import Case
from casework.policies import may_serve
from settlements.actions import care
from settlements.actions.claims import paid_back
from settlements.enums import CLAIM_REVERSAL_CASE
from settlements.models import Claim, ClaimReversal, Reimbursement


@transaction.atomic
def request_reversal(
    *, claim: Claim, reason: str, by: User, at: datetime.datetime, centre: ServiceCentre | None = None
) -> ClaimReversal:
    """A clerk asks that a settled claim be undone, with a reason; it waits for the second check.

    Raises Refused: claim_not_settled, duplicate (reversed already, or settled anew), already_asked, own_case; and
    PermissionDenied.
    """
    cases.refuse_own(by, claim.patient_id)
    if not may_serve(by, claim.case.region_id):
        raise PermissionDenied
    _must_stand(claim)
    # Two clerks at once: the second waits here and finds the first one's case.
    Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    other = claim.reversals.filter(case__closed_at=None).select_related("case").first()
    if other is not None:
        raise Refused("already_asked", why="claim", number=other.case.number)
    case = cases.open_case(
        kind=CLAIM_REVERSAL_CASE,
        applicant=claim.patient,
        region=claim.case.region,
        by=by,
        role=CLERK,
        at=at,
        channel=Channel.WINDOW,
        centre=centre,
    )
    asked = ClaimReversal.objects.create(case=case, claim=claim, reason=reason)
    asked.case = cases.move(case=case, verb="submit", by=by, role=CLERK, at=at, to="review", channel=Channel.WINDOW)
    return asked


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """What still has to hold at the second check. Raises Refused: claim_not_settled, duplicate."""
    _must_stand(case.claim_reversal.claim)


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Reverse the settlement, and drop or claim back what the office pays for it."""
    asked = ClaimReversal.objects.get(case=case)
    rows = Claim.objects.select_for_update(no_key=True, of=("self",)).select_related("settlement", "patient", "case")
    claim = rows.get(pk=asked.claim_id)
    _must_stand(claim)
    assert claim.settlement is not None  # looked at just above
    on, amount = timezone.localdate(at), paid_back(claim.settlement)
    care.reverse(settlement=claim.settlement, on=on, key=f"case {case.number}", by=by)
    Claim.objects.filter(pk=claim.pk).update(void=True)
    paid = Reimbursement.objects.select_for_update(no_key=True).filter(case=claim.case).first()
    if paid is not None and paid.done_on is None:
        paid.delete()
    elif paid is not None:
        Reimbursement.objects.create(case=case, member=claim.patient, amount=-amount, decided_on=on)
    audit.record(
        action="claim_reversed",
        by=by,
        at=at,
        member=claim.patient,
        target=f"case {claim.case.number}",
        reason=asked.reason,
        details={"amount": plain(amount), "paid_out": bool(paid is not None and paid.done_on)},
        channel=Channel.WINDOW,
    )


def after_step(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Tell the patient what came of it; the request itself is not his."""
    if case.state != "granted":
        return
    claim: Claim = case.claim_reversal.claim
    owed = Reimbursement.objects.filter(case=case).first()
    if claim.patient.died_on is None:
        params = {"case": claim.case.number, "reason": case.claim_reversal.reason}
        params["amount"] = plain(-owed.amount) if owed else "0.00"
        messages.notify(
            member=claim.patient, kind="claim_reversed_owed" if owed else "claim_reversed", params=params, at=at
        )


def _must_stand(claim: Claim) -> None:
    if claim.settlement is None:
        raise Refused("claim_not_settled")
    if claim.settlement.reversed_on is not None:
        raise Refused("duplicate", why="claim_reversed")
