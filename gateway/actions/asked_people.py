"""5206, 5301 and 5302: what is known of a person wherever he was treated; he can see who asked."""

import datetime
import re
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.calls import Call
from accounts.domain.months import last_of
from accounts.errors import Refused
from accounts.models import Institution, Member
from accounts.money import ZERO
from accounts.queries import enrolment_on
from gateway import answers
from gateway.actions.asked_visits import person
from gateway.actions.people import seen
from gateway.errors import Rejected
from settlements.queries.usage import usage_of
from settlements.queries.year import year_on

# Counter of the ledger -> code of the interface, whose own list is not published; names in the code list cum_type_code.
# Further counters of a region go by their own name. What relatives paid (grant:…) is nobody's business but theirs.
CODES = {
    "deductible": "OTP_DEDC",
    "inpatient_deductible": "IPT_DEDC",
    "fund": "FUND",
    "fund_pharmacy": "FUND_PHA",
    "supplement": "SUPPLEMENT",
}
PRIVATE = "grant"
SIGNED = "家庭医生签约机构"


def accumulated(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 5206: what the person has used of deductibles and funds in the benefit year of a month, this one if none is
    named, as the year stands now. Amounts in yuan.

    Raises Refused: person_unknown, time_later, not_insured (on the month's last day).
    """
    data, today = given["data"], timezone.localdate(at)
    member, month = person(data["psn_no"]), data["cum_ym"] or f"{today:%Y%m}"
    day = _last_day(month, today)
    held = enrolment_on(member, day)
    year = held and year_on(held.region_id, day)
    if held is None or year is None:
        raise Refused("not_insured")
    unsent.append(seen(member, institution, msgid, at))
    used: dict[str, Decimal] = {}
    for counter, amount in usage_of(member.pk, [year.number])[year.number].items():
        name = counter.partition(":")[0]
        if name != PRIVATE:
            code = CODES.get(name, name.upper()[:10])
            used[code] = used.get(code, ZERO) + amount
    said = {"insutype": answers.INSUTYPE[held.insurance], "year": str(year.number), "cum_ym": month}
    return {"cuminfo": [said | {"cum_type_code": code, "cum": amount} for code, amount in sorted(used.items())]}


def filings(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 5301. Nobody is filed with a chronic or special disease: no region's rules for them are held, and bills
    under them are refused, so there is nothing that a filing could be for. Raises Refused("person_unknown")."""
    member = person(given["data"]["psn_no"])
    unsent.append(seen(member, institution, msgid, at))
    return {"feedetail": []}


def designated(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 5302: the institution that the person has signed with, today or from a later day on, whatever kind of
    business is asked for: there is no other designation. Raises Refused("person_unknown")."""
    data, today = given["data"], timezone.localdate(at)
    member = person(data["psn_no"])
    unsent.append(seen(member, institution, msgid, at))
    return {"psnfixmedin": _signed(member, data["psn_no"], today)}


def _signed(member: Member, number: str, today: datetime.date) -> list[dict[str, Any]]:
    rows = member.enrolments.filter(Q(valid_to=None) | Q(valid_to__gt=today), signed_institution__isnull=False)
    return [
        {
            "psn_no": number,
            "insutype": answers.INSUTYPE[row.insurance],
            "fix_srt_no": str(place),
            "fixmedins_code": row.signed_institution.code,
            "fixmedins_name": row.signed_institution.name,
            "begndate": row.valid_from,
            "enddate": row.valid_to and row.valid_to - datetime.timedelta(days=1),
            "memo": SIGNED,
        }
        for place, row in enumerate(rows.select_related("signed_institution").order_by("valid_from"), 1)
    ]


def _last_day(month: str, today: datetime.date) -> datetime.date:
    """The last day of a month (yyyyMM), today in the present one."""
    if not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", month):
        raise Rejected("field_format", field="data.cum_ym", kind="yyyyMM")
    year, number = int(month[:4]), int(month[4:])
    if (year, number) > (today.year, today.month):
        raise Refused("time_later", field="data.cum_ym")
    return min(last_of(datetime.date(year, number, 1)), today)
