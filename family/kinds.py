"""What casework must know of applications for sharing."""

import datetime
from collections.abc import Collection

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from casework.enums import CaseState
from casework.kinds import AGENT, Kind
from casework.models import Case
from family import telling
from family.actions import notices, sharing
from family.enums import SHARING


def parties(case: Case) -> Collection[int]:
    """Grantor and beneficiary; while the draft is being made, the applicant alone."""
    application = getattr(case, "sharing_application", None)
    if application is None:
        return [case.applicant_id]
    return [application.grantor_id, application.beneficiary_id]


def beneficiary_sees(member_id: int | None) -> Q:
    """The relative sees what was handed in for him; a draft is the grantor's own affair."""
    return Q(sharing_application__beneficiary=member_id) & ~Q(state=CaseState.DRAFT)


def tell(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Messages to the two after each step."""
    if verb != "open":
        notices.moved(case.sharing_application, case, verb, from_state, at)


# domain.md 3.6 (JS3, GD6).
MATERIALS = (
    _("ID card, electronic certificate or social security card of the applicant"),
    _("ID card, electronic certificate or social security card of the relative"),
    _("The relative, with the telephone for the code, or the printed sheet signed by the relative"),
    _("For a child without an ID card: the household book or the birth certificate"),
    AGENT,
)
KIND = Kind(
    code=SHARING,
    title=_("Family sharing"),
    url_name="family:application",
    on_review_check=sharing.check_again,
    on_granted=sharing.take_effect,
    on_moved=tell,
    parties=parties,
    others_see=beneficiary_sees,
    about=telling.about,
    materials=MATERIALS,
)
