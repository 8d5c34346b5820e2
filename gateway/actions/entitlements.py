"""2001: which funds would pay for somebody, and if not, why."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.calls import Call
from accounts.enums import EnrolmentStatus, InstitutionKind, Insurance
from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member
from gateway import answers
from gateway.actions.people import seen
from gateway.actions.visits import MED_TYPES
from gateway.errors import Rejected
from gateway.queries.people import account_id_of, enrolments_since, member_by_psn_no
from gateway.texts import REASONS, TEXTS
from settlements.domain.scheme import RateStage, SupplementStage
from settlements.enums import CareKind
from settlements.queries.parameters import SchemeVersion, scheme_on

FUND_CHECK = "01"
YES, NO = "1", "0"
# A suspended or frozen insurance pays nothing from the funds.
PAUSED = {EnrolmentStatus.SUSPENDED, EnrolmentStatus.FROZEN}
STAYS = {"21", "2101"}


def check(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 2001: one row a fund, on the day of `begntime`; the member can see later that this institution asked.

    Raises Refused: person_unknown (also for somebody insured nowhere on that day), institution_unknown.
    """
    data, on = given["data"], timezone.localdate(given["data"]["begntime"])
    if data["fixmedins_code"] != institution.code:
        raise Rejected("institution_unknown")
    member = member_by_psn_no(data["psn_no"])
    enrolment = next(iter(enrolments_since(member, on, on)), None) if member else None
    if member is None or enrolment is None:
        raise Refused("person_unknown")
    unsent.append(seen(member, institution, msgid, at))
    row = {
        "psn_no": data["psn_no"],
        "trt_chk_type": FUND_CHECK,
        "begndate": enrolment.valid_from,
        "enddate": enrolment.valid_to and enrolment.valid_to - datetime.timedelta(days=1),
    }
    checked = _funds(member, enrolment, _bill_refused(institution, enrolment, data), data["med_type"], on)
    return {
        "trtinfo": [
            row | {"fund_pay_type": fund, "trt_enjymnt_flag": NO if why else YES, "trt_chk_rslt": why}
            for fund, why in checked.items()
        ]
    }


def _bill_refused(institution: Institution, enrolment: Enrolment, data: dict[str, Any]) -> str:
    """Why this institution's bill would be sent back whole, whatever the funds pay; empty if it would not."""
    if answers.INSUTYPE[Insurance(enrolment.insurance)] != data["insutype"]:
        return str(TEXTS["insutype_not_his"])
    at_pharmacy = institution.kind == InstitutionKind.PHARMACY
    kind = _kind(data["med_type"])
    return "" if kind and (kind == CareKind.PHARMACY) == at_pharmacy else str(TEXTS["med_type_unsupported"])


def _funds(member: Member, enrolment: Enrolment, bill_refused: str, med_type: str, on: datetime.date) -> dict[str, str]:
    """Fund -> why it does not pay; empty if it does."""
    insurance = Insurance(enrolment.insurance)
    scheme = _scheme(enrolment, med_type, on)
    why = bill_refused or _why_not(enrolment, scheme)
    found = {answers.POOLED_FUND[insurance]: why}
    if scheme and any(isinstance(stage, SupplementStage) for stage in scheme.scheme.stages):
        found[answers.SUPPLEMENT[insurance]] = why
    account_id = account_id_of(member, enrolment.region_id)
    # A resident is told of an account only if one is left from employment.
    if insurance == Insurance.EMPLOYEE or account_id is not None:
        closed = enrolment.status in (EnrolmentStatus.FROZEN, EnrolmentStatus.CLOSED) or account_id is None
        # Where a bill would be refused, the account pays nothing either.
        unpaid = "" if scheme and scheme.scheme.known and not bill_refused else why
        found[answers.PERSONAL_ACCOUNT] = _("There is no account that may pay") if closed else unpaid
    return found


def _kind(med_type: str) -> CareKind | None:
    return CareKind.INPATIENT if med_type in STAYS else MED_TYPES.get(med_type)


def _scheme(enrolment: Enrolment, med_type: str, on: datetime.date) -> SchemeVersion | None:
    kind = _kind(med_type)
    try:
        return scheme_on(enrolment.region_id, enrolment.insurance, kind, on) if kind else None
    except Refused:
        return None


def _why_not(enrolment: Enrolment, scheme: SchemeVersion | None) -> str:
    if enrolment.status == EnrolmentStatus.CLOSED:
        return str(TEXTS["insurance_ended"])
    if enrolment.status in PAUSED:
        return EnrolmentStatus(enrolment.status).label
    if scheme is None or not scheme.scheme.known:
        return str(REASONS["not_covered.not_known" if scheme else "not_covered.no_scheme"])
    pays = any(isinstance(stage, RateStage) for stage in scheme.scheme.stages)
    return "" if pays else _("The pooled fund pays nothing for this kind of care")
