"""Undoing a settled bill at the window: asked for by a clerk, done after a second check.

Of a claim (a bill paid in cash), which can then be handed in anew, put right; and of a bill that an institution settled and
that was settled anew since, which the institution can no longer reverse (decision 0022). The bill comes out of the
counters, accounts and wallet that paid it get theirs back, and what the office paid the patient he owes, also where only the
file for the bank was written; what it has not paid yet of a claim it does not pay.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions import audit, messages
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Region, ServiceCentre, User
from accounts.money import ZERO, plain
from casework.actions import cases
from casework.domain.states import CLERK
from casework.models import Case
from casework.policies import may_serve
from settlements.actions import care
from settlements.actions.claims import paid_back
from settlements.enums import BILL_REVERSAL_CASE, EntryKind
from settlements.models import BillReversal, Claim, Reimbursement, Settlement


@dataclass(frozen=True)
class TakenBack:
    """What the interface does when a bill of an institution goes back at the window. `bill`: as it was settled first.

    `check(bill)` raises Refused where it cannot go back now. `note(bill, number, at)` locks it against the institution,
    checks, and notes the reversal under the number of the case, as if the institution had sent it.
    """

    check: Callable[[Settlement], None]
    note: Callable[[Settlement, str, datetime.datetime], None]


_institutions: list[TakenBack] = []


def register_taken_back(side: TakenBack) -> None:
    """An app above keeps what institutions know of their bills (`AppConfig.ready`)."""
    _institutions.append(side)


@transaction.atomic
def request_reversal(
    *,
    claim: Claim | None = None,
    bill: Settlement | None = None,
    reason: str,
    by: User,
    at: datetime.datetime,
    bank: str = "",
    bank_account: str = "",
    centre: ServiceCentre | None = None,
) -> BillReversal:
    """A clerk asks that a settled claim, or a bill of an institution that was settled anew, be undone, with a reason; it
    waits for the second check. `bank`, `bank_account`: where what the member owed for such a bill goes back to.

    Raises Refused: claim_not_settled, duplicate (reversed already), not_settled_anew (the institution reverses it itself),
    bank_missing, already_asked, own_case, what a `TakenBack` raises; and PermissionDenied.
    """
    asked = BillReversal(
        claim=claim, bill=bill and bill.first, reason=reason, bank=bank, bank_account=bank_account or None
    )
    region = claim.case.region if claim else Region.objects.get(pk=asked.bill.region_id)
    cases.refuse_own(by, asked.patient.pk)
    if not may_serve(by, region.pk):
        raise PermissionDenied
    # Two clerks at once: the second waits here and finds the first one's case, or that the bill was reversed by it.
    same = {"claim": claim} if claim else {"bill": asked.bill}
    _hold(claim or asked.bill)
    other = BillReversal.objects.filter(**same, case__closed_at=None).select_related("case").first()
    if other is not None:
        raise Refused("already_asked", why="claim", number=other.case.number)
    _must_be_possible(_read_anew(asked))
    asked.case = cases.open_case(
        kind=BILL_REVERSAL_CASE,
        applicant=asked.patient,
        region=region,
        by=by,
        role=CLERK,
        at=at,
        channel=Channel.WINDOW,
        centre=centre,
    )
    asked.save()
    asked.case = cases.move(
        case=asked.case, verb="submit", by=by, role=CLERK, at=at, to="review", channel=Channel.WINDOW
    )
    return asked


@dataclass(frozen=True)
class Undoing:
    """What undoing a bill means between office and patient: the payment that is dropped, and yuan that the patient owes;
    below zero they go to his bank account."""

    dropped: Reimbursement | None
    owed: Decimal

    @property
    def to_member(self) -> Decimal:
        """The same amount, seen from him."""
        return -self.owed


def undoing(asked: BillReversal, rows: QuerySet[Reimbursement] | None = None) -> Undoing:
    """What undoing a settled bill means for money. `rows`: the payments, locked where it is done.

    The institution gives back what it was paid in cash. What the office paid of that by now (a claim), or by settling the
    bill anew, the patient owes. A recalculation has listed its difference for itself. So it counts from the settlement that
    stands now: counted from the first payment, the difference would stay with the patient, or with the office.
    """
    settled = asked.settlement
    assert settled is not None  # whoever asks has looked
    rows = Reimbursement.objects.all() if rows is None else rows
    listed = rows.filter(case=asked.claim.case).first() if asked.claim else None
    # What stood in a file for the bank may be paid by now: dropped, it would be paid with nobody knowing of it.
    dropped = listed if listed is not None and listed.done_on is None and listed.listed_on is None else None
    return Undoing(dropped, asked.paid_there - settled.cash - (dropped.amount if dropped else ZERO))


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """What still has to hold at the second check. Raises Refused as `request_reversal` does, but for the open case."""
    _must_be_possible(case.bill_reversal)


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Reverse the settlement that stands, and drop or claim back what the office pays for it."""
    asked = BillReversal.objects.get(case=case)
    if asked.bill:
        # The visit first, as an institution locks it.
        for side in _institutions:
            side.note(asked.bill, case.number, at)
    settled = _standing(asked)
    on, amount = timezone.localdate(at), paid_back(settled)
    undone = undoing(asked, Reimbursement.objects.select_for_update(no_key=True))
    care.reverse(settlement=settled, on=on, key=f"case {case.number}", by=by)
    if asked.claim:
        Claim.objects.filter(pk=asked.claim_id).update(void=True)
    if undone.dropped is not None:
        undone.dropped.delete()
    if undone.owed:
        bank = _bank(asked) if undone.to_member > 0 else {}
        Reimbursement.objects.create(case=case, member=asked.patient, amount=undone.to_member, decided_on=on, **bank)
    audit.record(
        action="claim_reversed" if asked.claim else "bill_reversed",
        by=by,
        at=at,
        member=asked.patient,
        target=f"case {asked.claim.case.number if asked.claim else case.number}",
        reason=asked.reason,
        details={"bill": asked.claim_id or asked.bill_id, "amount": plain(amount), "owed": plain(undone.owed)},
        channel=Channel.WINDOW,
    )


def after_step(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Tell the patient what came of it; the request itself is not his."""
    if case.state != "granted":
        return
    asked: BillReversal = case.bill_reversal
    if asked.patient.died_on is not None:
        return
    row = Reimbursement.objects.filter(case=case).first()
    amount = row.amount if row else ZERO
    kind = "reversed" if not amount else "reversed_back" if amount > 0 else "reversed_owed"
    params = {"reason": asked.reason, "amount": plain(abs(amount))}
    if asked.claim:
        messages.notify(
            member=asked.patient, kind=f"claim_{kind}", params=params | {"case": asked.claim.case.number}, at=at
        )
        return
    params |= {"case": case.number, "institution": asked.institution.name}
    params |= {"service_on": asked.bill.service_on.isoformat()}
    messages.notify(member=asked.patient, kind=f"bill_{kind}", params=params, at=at)


def _must_be_possible(asked: BillReversal) -> None:
    """It stands, and the interface can take it back."""
    _must_stand(asked)
    if asked.bill:
        for side in _institutions:
            side.check(asked.bill)


def _must_stand(asked: BillReversal) -> None:
    settled = asked.settlement
    if settled is None:
        raise Refused("claim_not_settled")
    if settled.reversed_on is not None:
        raise Refused("duplicate", why="claim_reversed" if asked.claim else "bill_reversed")
    if asked.claim:
        return
    if settled == asked.bill or asked.bill.transaction.kind != EntryKind.CARE:
        raise Refused("not_settled_anew")
    if undoing(asked).to_member > 0 and not (asked.bank and asked.bank_account):
        raise Refused("bank_missing")


def _standing(asked: BillReversal) -> Settlement:
    """The settlement that is reversed, held; one of before a recalculation that was waited for would be another."""
    if asked.claim:
        _hold(asked.claim)
        _read_anew(asked)
    else:
        last = asked.bill.last
        while True:
            _hold(last)
            if _read_anew(asked).bill.last == last:
                break
            last = asked.bill.last
    _must_stand(asked)
    assert asked.settlement is not None  # looked at just above
    return asked.settlement


def _hold(row: Claim | Settlement) -> None:
    """Lock a row by itself: a joined one would be what it was before the wait."""
    type(row).objects.select_for_update(no_key=True).get(pk=row.pk)


def _read_anew(asked: BillReversal) -> BillReversal:
    """Its claim or bill as it is now, whatever was read of it before."""
    if asked.claim:
        asked.claim = Claim.objects.select_related("settlement", "patient", "case").get(pk=asked.claim_id)
    else:
        asked.bill = Settlement.objects.get(pk=asked.bill_id)
    return asked


def _bank(asked: BillReversal) -> dict[str, str | None]:
    of = asked.claim or asked
    return {"bank": of.bank, "bank_account": of.bank_account}
