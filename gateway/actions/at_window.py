"""A bill of an institution that goes back at the window (decision 0022): what the institution would have said itself.

Its settlement is taken back under a number of its own, on the day of the window's second check; so totals, rows and clearing
have it as any other reversal, and the institution finds it when it reconciles.
"""

import datetime

from accounts.errors import Refused
from gateway.actions import stay_bills
from gateway.actions.bills import note_back
from gateway.actions.purchases import cancel_lines
from gateway.models import Visit, VisitSettlement
from gateway.queries.stays import settled_of, stay_at
from settlements.enums import CareKind
from settlements.models import Settlement


def check(bill: Settlement) -> None:
    """Raises Refused: duplicate (taken back already), later_settlement (of a stay settled in parts, the last goes first)."""
    known = _known(bill)
    if known is not None:
        _must_go_back(known)


def note(bill: Settlement, number: str, at: datetime.datetime) -> None:
    """Take back what the institution settled, as it was told it, in the name of the window's case. The money is not moved
    here. Raises Refused as `check` does."""
    known = _known(bill)
    if known is None:
        return
    # The lock that every transaction of the institution about this visit takes; then anew.
    Visit.objects.select_for_update(no_key=True).get(pk=known.visit_id)
    known.refresh_from_db()
    _must_go_back(known)
    visit = known.visit
    if visit.kind == CareKind.INPATIENT:
        stay_bills.reopen(stay_at(visit), known, settled_of(visit).open_batch)
    elif not visit.ipt_otp_no:
        # A purchase in one step (2102): its lines go with it, as by 2103.
        cancel_lines(known, at)
    note_back(known, msgid=f"{VisitSettlement.AT_WINDOW}{number}", at=at)


def _known(bill: Settlement) -> VisitSettlement | None:
    found = VisitSettlement.objects.filter(settlement=bill)
    return found.select_related("visit__institution", "visit__member", "settlement").first()


def _must_go_back(known: VisitSettlement) -> None:
    if known.reversed_at is not None:
        raise Refused("duplicate", why="bill_reversed")
    if known.visit.kind == CareKind.INPATIENT:
        stay_bills.must_go_back(stay_at(known.visit), known)
