"""What casework must know of cases about bills: a bill paid in cash, and a year settled anew."""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.masks import mask_name
from accounts.models import User
from casework.kinds import Kind
from casework.models import Case
from settlements.actions import claim_reversals, claims, recalculation
from settlements.enums import CLAIM_CASE, CLAIM_REVERSAL_CASE, RECALCULATION_CASE
from settlements.models import Claim, ClaimReversal, Recalculation


def about_claims(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Where the care was; for staff whose bill it is as well."""
    rows = Claim.objects.filter(case__in=cases).select_related("institution", "patient")
    return {
        row.case_id: " · ".join(
            filter(None, [mask_name(row.patient.name) if user.is_staff else "", row.institution.name])
        )
        for row in rows
    }


def about_recalculations(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Which year; for staff whose bills they are as well."""
    rows = Recalculation.objects.filter(case__in=cases).select_related("member")
    return {
        row.case_id: " · ".join(
            filter(
                None,
                [
                    mask_name(row.member.name) if user.is_staff else "",
                    _("benefit year %(year)s") % {"year": row.benefit_year},
                ],
            )
        )
        for row in rows
    }


def about_reversals(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Which claim; for staff whose bill it is as well."""
    rows = ClaimReversal.objects.filter(case__in=cases).select_related("claim__institution", "claim__patient")
    return {
        row.case_id: " · ".join(
            filter(None, [mask_name(row.claim.patient.name) if user.is_staff else "", row.claim.institution.name])
        )
        for row in rows
    }


KINDS = [
    Kind(
        code=CLAIM_CASE,
        title=gettext_lazy("Bill paid in cash"),
        url_name="settlements:claim",
        on_review_check=claims.check_again,
        on_granted=claims.take_effect,
        on_moved=claims.after_step,
        about=about_claims,
    ),
    Kind(
        code=RECALCULATION_CASE,
        title=gettext_lazy("Bills of a year settled anew"),
        url_name="settlements:recalculation",
        on_review_check=recalculation.check_again,
        on_granted=recalculation.take_effect,
        on_moved=recalculation.after_step,
        about=about_recalculations,
    ),
    Kind(
        code=CLAIM_REVERSAL_CASE,
        title=gettext_lazy("Reversal of a bill paid in cash"),
        url_name="settlements:claim",
        on_review_check=claim_reversals.check_again,
        on_granted=claim_reversals.take_effect,
        on_moved=claim_reversals.after_step,
        about=about_reversals,
    ),
]
