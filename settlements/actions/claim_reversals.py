"""Undoing a settled claim (a bill paid in cash): asked for at the window, done after a second check.

The bill comes out of the counters, accounts that paid it get theirs back, and what the office paid the patient he owes, also
where only the file for the bank was written; what it has not paid yet it does not pay. The bill can then be handed in
anew, put right.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions import audit, messages
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import ServiceCentre, User
from accounts.money import ZERO, plain
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


@dataclass(frozen=True)
class Undoing:
    """What undoing a claim means between office and patient: the payment that is dropped, and yuan that the patient owes;
    below zero they go to his bank account."""

    dropped: Reimbursement | None
    owed: Decimal

    @property
    def to_member(self) -> Decimal:
        """The same amount, seen from him."""
        return -self.owed


def undoing(claim: Claim, rows: QuerySet[Reimbursement] | None = None) -> Undoing:
    """What undoing a settled claim means for money. `rows`: the payments, locked where it is done.

    A recalculation has listed its difference for itself. So it counts from what the settlement that stands now pays back:
    counted from the first payment, the difference would stay with the patient, or with the office.
    """
    assert claim.settlement is not None  # whoever asks has looked
    rows = Reimbursement.objects.all() if rows is None else rows
    listed = rows.filter(case=claim.case).first()
    # What stood in a file for the bank may be paid by now: dropped, it would be paid with nobody knowing of it.
    dropped = listed if listed is not None and listed.done_on is None and listed.listed_on is None else None
    return Undoing(dropped, paid_back(claim.settlement) - (dropped.amount if dropped else ZERO))


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """What still has to hold at the second check. Raises Refused: claim_not_settled, duplicate."""
    _must_stand(case.claim_reversal.claim)


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Reverse the settlement, and drop or claim back what the office pays for it."""
    asked = ClaimReversal.objects.get(case=case)
    # Locked by itself and read then: a joined settlement would be that of before a recalculation which it waited for.
    Claim.objects.select_for_update(no_key=True).get(pk=asked.claim_id)
    claim = Claim.objects.select_related("settlement", "patient", "case").get(pk=asked.claim_id)
    _must_stand(claim)
    assert claim.settlement is not None  # looked at just above
    on, amount = timezone.localdate(at), paid_back(claim.settlement)
    undone = undoing(claim, Reimbursement.objects.select_for_update(no_key=True))
    care.reverse(settlement=claim.settlement, on=on, key=f"case {case.number}", by=by)
    Claim.objects.filter(pk=claim.pk).update(void=True)
    if undone.dropped is not None:
        undone.dropped.delete()
    if undone.owed:
        bank = {"bank": claim.bank, "bank_account": claim.bank_account} if undone.to_member > 0 else {}
        Reimbursement.objects.create(case=case, member=claim.patient, amount=undone.to_member, decided_on=on, **bank)
    audit.record(
        action="claim_reversed",
        by=by,
        at=at,
        member=claim.patient,
        target=f"case {claim.case.number}",
        reason=asked.reason,
        details={"amount": plain(amount), "owed": plain(undone.owed)},
        channel=Channel.WINDOW,
    )


def after_step(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Tell the patient what came of it; the request itself is not his."""
    if case.state != "granted":
        return
    claim: Claim = case.claim_reversal.claim
    row = Reimbursement.objects.filter(case=case).first()
    if claim.patient.died_on is None:
        amount = row.amount if row else ZERO
        kind = "claim_reversed" if not amount else "claim_reversed_back" if amount > 0 else "claim_reversed_owed"
        params = {"case": claim.case.number, "reason": case.claim_reversal.reason, "amount": plain(abs(amount))}
        messages.notify(member=claim.patient, kind=kind, params=params, at=at)


def _must_stand(claim: Claim) -> None:
    if claim.settlement is None:
        raise Refused("claim_not_settled")
    if claim.settlement.reversed_on is not None:
        raise Refused("duplicate", why="claim_reversed")
