"""1101: who somebody is, how he is insured, and what his account holds."""

import datetime
from typing import Any

from django.utils import timezone

from accounts.actions import audit
from accounts.calls import Call
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Institution, Member
from accounts.money import ZERO
from gateway import answers
from gateway.errors import Rejected
from gateway.queries.people import ID_CARD, person_by_credential


def look_up(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 1101 by ID number or card number; the member can see later that this institution asked.

    Raises Refused: credential_unsupported, person_unknown (also when name or number do not belong together, and for
    somebody insured nowhere: an institution must not be able to search the register).
    """
    data, on = given["data"], timezone.localdate(at)
    since = timezone.localdate(data["begntime"]) if data["begntime"] else on
    member, insured = person_by_credential(*_shown(data), min(since, on), on)
    stated = [(data["certno"], member.id_number), (data["psn_name"], member.name)]
    if any(said and said.upper() != held for said, held in stated):
        raise Refused("person_unknown")
    unsent.append(seen(member, institution, msgid, at))
    _, latest = insured[0]
    return {
        "baseinfo": answers.person(member, on)
        | {"exp_content": latest and answers.buckets(latest.current, latest.historical)},
        "insuinfo": [
            answers.insurance(enrolment, on, balance.total if balance else ZERO) for enrolment, balance in insured
        ],
        "idetinfo": [],
    }


def _shown(data: dict[str, Any]) -> tuple[str, str]:
    """The credential; the sample of the text itself has none but the ID number. Raises Rejected("field_missing")."""
    if data["mdtrt_cert_type"] and data["mdtrt_cert_no"]:
        return data["mdtrt_cert_type"], data["mdtrt_cert_no"]
    if data["mdtrt_cert_type"] in (None, ID_CARD) and data["certno"]:
        return ID_CARD, data["certno"]
    missing = "mdtrt_cert_no" if data["mdtrt_cert_type"] else "mdtrt_cert_type"
    raise Rejected("field_missing", field=f"data.{missing}")


def seen(member: Member, institution: Institution, msgid: str, at: datetime.datetime) -> Call:
    """To be sent with the answer: the member can see later that this institution asked about him."""
    return audit.noting(
        action="institution_look_up",
        at=at,
        member=member,
        target=f"institution:{institution.code}",
        details={"institution": institution.name, "msgid": msgid},
        channel=Channel.GATEWAY,
    )
