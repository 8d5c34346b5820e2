"""What casework must know of this app's cases: an account closed (paid out, inherited, or carried to another region), a
bill paid in cash, a year settled anew, and the reversal of a bill."""

import datetime
from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.masks import mask_name
from accounts.models import Member, User
from casework.kinds import AGENT, WORKING_DAYS, Kind
from casework.models import Case
from settlements.actions import bill_reversals, claims, recalculation, withdrawal
from settlements.domain.withdrawal import INHERITANCE, TRANSFER_OUT, WITHDRAWAL
from settlements.enums import BILL_REVERSAL_CASE, CLAIM_CASE, RECALCULATION_CASE
from settlements.models import BillReversal, Claim, Recalculation
from settlements.queries.withdrawal import heirs_see, rule_on
from settlements.telling import closing

TITLES = {
    WITHDRAWAL: gettext_lazy("Closing and paying out an account"),
    INHERITANCE: gettext_lazy("Inheriting an account or a wallet"),
    TRANSFER_OUT: gettext_lazy("Carrying an account to another region"),
}

# domain.md 3.6 (ZJ13).
CLAIM_MATERIALS = (
    gettext_lazy("ID card, electronic certificate or social security card of the member"),
    gettext_lazy("Invoice of the hospital or pharmacy"),
    gettext_lazy("List of the costs"),
    gettext_lazy("Medical record; after a stay the discharge summary"),
    gettext_lazy("Bank account in the patient's own name"),
    AGENT,
)


def parties(case: Case) -> Collection[int]:
    """The holder and whoever of the payees is a member: none of them checks it."""
    application = getattr(case, "withdrawal", None)
    payees = application.payees.all() if application else []
    return [case.applicant_id, *(payee.member_id for payee in payees if payee.member_id)]


def working_days(case: Case, on: datetime.date) -> int:
    """What the region promises."""
    rule = rule_on(case.region_id, on)
    return rule.working_days if rule else WORKING_DAYS


def about_closing(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Staff and heirs read whose account it is."""
    return {case.pk: mask_name(case.applicant.name) for case in cases if case.applicant_id != user.member_id}


def about_claims(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Where the care was; for staff whose bill it is as well."""
    rows = Claim.objects.filter(case__in=cases).select_related("institution", "patient")
    return {row.case_id: _about(row.patient, row.institution.name, user) for row in rows}


def about_reversals(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Where the care was; for staff whose bill it is as well."""
    rows = BillReversal.objects.filter(case__in=cases).select_related(
        "claim__institution", "claim__patient", "bill__institution", "bill__patient"
    )
    return {row.case_id: _about(row.patient, row.institution.name, user) for row in rows}


def about_recalculations(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Which year; for staff whose bills they are as well."""
    rows = Recalculation.objects.filter(case__in=cases).select_related("member")
    return {
        row.case_id: _about(row.member, _("benefit year %(year)s") % {"year": row.benefit_year}, user) for row in rows
    }


def _about(member: Member, what: str, user: User) -> str:
    return f"{mask_name(member.name)} · {what}" if user.is_staff else what


KINDS = [
    *(
        Kind(
            code=code,
            title=title,
            url_name="settlements:closing",
            on_review_check=withdrawal.check_again,
            on_granted=withdrawal.take_effect,
            on_moved=withdrawal.tell,
            parties=parties,
            others_see=heirs_see,
            about=about_closing,
            materials=closing.MATERIALS[code],
            working_days=working_days,
        )
        for code, title in TITLES.items()
    ),
    Kind(
        code=CLAIM_CASE,
        title=gettext_lazy("Bill paid in cash"),
        url_name="settlements:claim",
        on_review_check=claims.check_again,
        on_granted=claims.take_effect,
        on_moved=claims.after_step,
        about=about_claims,
        materials=CLAIM_MATERIALS,
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
        code=BILL_REVERSAL_CASE,
        title=gettext_lazy("Reversal of a settled bill"),
        url_name="settlements:reversal",
        on_review_check=bill_reversals.check_again,
        on_granted=bill_reversals.take_effect,
        on_moved=bill_reversals.after_step,
        about=about_reversals,
    ),
]
