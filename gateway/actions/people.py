"""1101: who somebody is, how he is insured, and what his account holds."""

import datetime
from typing import Any

from django.utils import timezone

from accounts.actions import audit
from accounts.enums import Channel, Insurance
from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member
from accounts.money import ZERO
from gateway import answers
from gateway.queries import account_id_of, enrolments_since, member_by_credential
from settlements.ledger import Balance, balances


def look_up(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 1101 by ID number or card number; the member can see later that this institution asked.

    Raises Refused: credential_unsupported, person_unknown (also when name or number do not belong together, and for
    somebody insured nowhere: an institution must not be able to search the register).
    """
    data, on = given["data"], timezone.localdate(at)
    member = member_by_credential(data["mdtrt_cert_type"], data["mdtrt_cert_no"])
    stated = [(data["certno"], member.id_number), (data["psn_name"], member.name)]
    since = timezone.localdate(data["begntime"]) if data["begntime"] else on
    enrolments = enrolments_since(member, min(since, on), on)
    if any(said and said.upper() != held for said, held in stated) or not enrolments:
        raise Refused("person_unknown")
    seen(member, institution, msgid, at)
    held = {enrolment.pk: _balance(member, enrolment, on) for enrolment in enrolments}
    latest = held[enrolments[0].pk]
    return {
        "baseinfo": answers.person(member, on)
        | {"exp_content": latest and answers.buckets(latest.current, latest.historical)},
        "insuinfo": [
            answers.insurance(enrolment, on, balance.total if (balance := held[enrolment.pk]) else ZERO)
            for enrolment in enrolments
        ],
        "idetinfo": [],
    }


def seen(member: Member, institution: Institution, msgid: str, at: datetime.datetime) -> None:
    """The member can see later that this institution asked about him."""
    audit.record(
        action="institution_look_up",
        by=None,
        at=at,
        member=member,
        target=f"institution:{institution.code}",
        details={"institution": institution.name, "msgid": msgid},
        channel=Channel.GATEWAY,
    )


def _balance(member: Member, enrolment: Enrolment, on: datetime.date) -> Balance | None:
    """The account belongs to the employee insurance in force; a row of the past shows none."""
    if enrolment.insurance != Insurance.EMPLOYEE or (enrolment.valid_to and enrolment.valid_to <= on):
        return None
    account_id = account_id_of(member, enrolment.region_id)
    return balances([account_id], on)[account_id] if account_id else None
