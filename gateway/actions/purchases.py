"""2101, 2102 and 2103: a purchase at a pharmacy in one step, lines and all; a visit is made of it."""

import datetime
from typing import Any

from accounts.calls import Call
from accounts.enums import InstitutionKind
from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from accounts.money import ZERO
from gateway import answers
from gateway.actions import bills
from gateway.actions.visits import charging, classified, insured, must_be_unique, new_number
from gateway.domain import stating
from gateway.fields import tables
from gateway.models import FeeLine, Visit, VisitSettlement
from gateway.queries.people import account_id_of
from gateway.queries.visits import BatchFacts, visit_of, visit_settlement
from settlements.enums import CareKind

# The one charge batch of a purchase.
BATCH = "1"
NOT_OF_PHARMACIES = {"lmt_used_flag"}


def quote(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2101; nothing is written, and the visit number it must hold is not used for anything.

    Raises Refused as `settle` does.
    """
    batch, lines = _purchase(institution, given, at)
    output = bills.quoted(batch, given["druginfo"], msgid=msgid, at=at)
    # Unlike 2206, of which real answers leave it out: here there is only the text, which wants it.
    return _with_lines(output | {"setlinfo": output["setlinfo"] | {"setl_time": at}}, lines)


def settle(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 2102: visit, lines and settlement, all or nothing.

    Raises Refused: not_a_pharmacy, what registering (2201) and uploading (2204) a visit raise, total_other,
    med_type_unsupported, and what `care.settle` raises.
    """
    batch, lines = _purchase(institution, given, at)
    batch.visit.save(force_insert=True)
    unsent.append(charging(lines))
    return _with_lines(bills.paid(batch, given["druginfo"], msgid=msgid, at=at, unsent=unsent), lines)


def reverse(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2103: the whole purchase back, its lines too. Raises Refused as 2208 does."""
    data = given["data"]
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    known = visit_settlement(visit, data["setl_id"])
    output = bills.taken_back(visit, known, msgid=msgid, at=at)
    cancel_lines(known, at)
    wanted = [field.name for field in tables("2103").output[0].fields]
    return output | {"setlinfo": {name: output["setlinfo"].get(name) for name in wanted}}


def cancel_lines(known: VisitSettlement, at: datetime.datetime) -> None:
    """The lines of a purchase that went back."""
    FeeLine.objects.filter(visit=known.visit_id, batch=known.batch, cancelled_at=None).update(cancelled_at=at)


def _purchase(
    institution: Institution, given: dict[str, Any], at: datetime.datetime
) -> tuple[bills.Batch, list[FeeLine]]:
    data = given["druginfo"]
    if institution.kind != InstitutionKind.PHARMACY:
        raise Refused("not_a_pharmacy")
    member, enrolment = insured(given, data, at)
    visit = Visit(
        mdtrt_id=new_number(enrolment.region_id, at),
        institution=institution,
        member=member,
        region_id=enrolment.region_id,
        insurance=enrolment.insurance,
        kind=CareKind.PHARMACY,
        ipt_otp_no="",
        begun_at=data["begntime"],
        registered_at=at,
        med_type=data["med_type"],
        illness=stating.illness(data),
    )
    rows = [row | {"chrg_bchno": BATCH, "hosp_appr_flag": "0"} for row in given["drugdetail"]]
    must_be_unique(rows)
    lines = classified(visit, rows, institution, at)
    return bills.batch_for(visit, _facts(visit, enrolment, lines), given, data, BATCH), lines


def _facts(visit: Visit, enrolment: Enrolment, lines: list[FeeLine]) -> BatchFacts:
    return BatchFacts(
        lines=len(lines),
        amount=sum((line.amount for line in lines), ZERO),
        in_scope=sum((line.in_scope for line in lines), ZERO),
        pre_self_pay=sum((line.pre_self_pay for line in lines), ZERO),
        over_limit=sum((line.over_limit for line in lines), ZERO),
        off_catalogue=sum((line.off_catalogue for line in lines), ZERO),
        settled=False,
        enrolment=enrolment,
        account_id=account_id_of(visit.member, visit.region_id),
    )


def _with_lines(output: dict[str, Any], lines: list[FeeLine]) -> dict[str, Any]:
    rows = [answers.line(line) for line in lines]
    return output | {
        "detlcutinfo": [{name: said for name, said in row.items() if name not in NOT_OF_PHARMACIES} for row in rows]
    }
