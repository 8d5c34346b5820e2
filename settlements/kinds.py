"""What casework must know of closing an account: paid out, inherited, or carried to another region."""

import datetime
from collections.abc import Collection, Mapping

from django.utils.translation import gettext_lazy as _

from accounts.masks import mask_name
from accounts.models import User
from casework.kinds import WORKING_DAYS, Kind
from casework.models import Case
from settlements.actions import withdrawal
from settlements.domain.withdrawal import INHERITANCE, TRANSFER_OUT, WITHDRAWAL
from settlements.queries.withdrawal import heirs_see, rule_on

TITLES = {
    WITHDRAWAL: _("Closing and paying out an account"),
    INHERITANCE: _("Inheriting an account"),
    TRANSFER_OUT: _("Carrying an account to another region"),
}


def parties(case: Case) -> Collection[int]:
    """The holder and whoever of the payees is a member: none of them checks it."""
    application = getattr(case, "withdrawal", None)
    payees = application.payees.all() if application else []
    return [case.applicant_id, *(payee.member_id for payee in payees if payee.member_id)]


def working_days(case: Case, on: datetime.date) -> int:
    """What the region promises."""
    rule = rule_on(case.region_id, on)
    return rule.working_days if rule else WORKING_DAYS


def about(cases: Collection[Case], user: User) -> Mapping[int, str]:
    """Staff and heirs read whose account it is."""
    return {case.pk: mask_name(case.applicant.name) for case in cases if case.applicant_id != user.member_id}


KINDS = [
    Kind(
        code=code,
        title=title,
        url_name="settlements:closing",
        on_review_check=withdrawal.check_again,
        on_granted=withdrawal.take_effect,
        on_moved=withdrawal.tell,
        parties=parties,
        others_see=heirs_see,
        about=about,
        working_days=working_days,
    )
    for code, title in TITLES.items()
]
