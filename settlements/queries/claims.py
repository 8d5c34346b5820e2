"""Reading cases about bills and payments outside the accounts, always through what a login may see."""

from django.db.models import QuerySet

from accounts.enums import Role
from accounts.models import User
from accounts.policies import regions_with_role
from casework.enums import CaseState
from casework.queries import visible_to
from settlements.models import BillReversal, Claim, Recalculation, Reimbursement, Settlement


def claims_visible_to(user: User) -> QuerySet[Claim]:
    """One's own, and for clerks and supervisors those of their regions."""
    rows = Claim.objects.filter(case__in=visible_to(user).values("pk"))
    return rows.select_related(
        "case__region", "case__centre", "case__opened_by", "patient", "institution", "settlement"
    )


def recalculations_visible_to(user: User) -> QuerySet[Recalculation]:
    """Those of one's own bills, and for clerks and supervisors those of their regions."""
    rows = Recalculation.objects.filter(case__in=visible_to(user).values("pk"))
    return rows.select_related("case__region", "case__centre", "case__opened_by", "member")


def reversals_visible_to(user: User) -> QuerySet[BillReversal]:
    """Reversals of one's own bills, and for clerks and supervisors those of their regions."""
    rows = BillReversal.objects.filter(case__in=visible_to(user).values("pk"))
    return rows.select_related(
        "case__region",
        "case__centre",
        "case__opened_by",
        "claim__case",
        "claim__institution",
        "claim__settlement",
        "claim__patient",
        "bill__institution",
        "bill__patient",
    )


def reversal_of(bill: Settlement) -> BillReversal | None:
    """The reversal at the window of a bill that was settled anew, by any of its settlements: granted, or waiting. The
    caller has looked whether the reader may see the bill."""
    came_to_nothing = (CaseState.REFUSED, CaseState.WITHDRAWN, CaseState.EXPIRED)
    rows = BillReversal.objects.filter(bill=bill.first).exclude(case__state__in=came_to_nothing)
    return rows.select_related("case", "bill").order_by("-id").first()


def bills_visible_to(user: User) -> QuerySet[Settlement]:
    """Settled bills of the regions in which a login serves at the window."""
    rows = Settlement.objects.filter(region__in=regions_with_role(user, Role.CLERK))
    return rows.select_related("institution", "patient", "region", "transaction")


def reimbursements_visible_to(user: User) -> QuerySet[Reimbursement]:
    """Payments of the regions in which a login may carry them out; the open ones first, the oldest first."""
    rows = Reimbursement.objects.filter(case__region__in=regions_with_role(user, Role.SUPERVISOR))
    return rows.select_related("case__region", "member", "done_by").order_by("done_on", "decided_on", "id")
