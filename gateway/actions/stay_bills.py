"""2303, 2304 and 2305: quote, settle and reverse a stay, or a part of one in its middle."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Institution
from gateway import answers, fields
from gateway.actions.bills import (
    Batch,
    Held,
    accounts_used,
    bill_of,
    give_back,
    how_insured,
    left_over,
    must_come_to,
    must_not_be_back,
    own_money,
    told_back,
)
from gateway.actions.stays import must_follow, shown
from gateway.actions.visits import new_number
from gateway.answers import Occasion
from gateway.domain import staying
from gateway.domain.staying import Step, Where
from gateway.models import Stay, VisitSettlement
from gateway.queries.people import is_credential_of
from gateway.queries.stays import service_day, settled_of, stay_of
from gateway.queries.visits import batch_facts, visit_settlement
from settlements.actions import care
from settlements.enums import CareKind
from settlements.queries.parameters import scheme_on

MID_STAY = "1"
# What a pre-settlement that does not say uses: what the person has at hand. A settlement has to say.
USUAL_ACCOUNTS = "1"


def quote(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2303; nothing is written. Before the discharge the stay is taken to end on dscgTime, if that is not in the
    future, else today.

    Raises Refused as `settle` does, but not_discharged and mid_after_discharge.
    """
    data, on = given["data"], timezone.localdate(at)
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"])
    must_follow(stay, Step.QUOTE)
    batch = _batch(stay, given, data, _quoted_day(stay, data, on))
    quoted = care.quote(**batch.shared_out(on))
    return batch.answer(quoted, _occasion(stay, data, msgid, on, batch.left_after(quoted, on)))


def settle(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2304. The year and the rules are those of the day of discharge; of a part settled in the middle of the
    stay (mid_setl_flag 1) those of today. dscgTime and the four split amounts are not looked at: 2402 and 2301 decide.

    Raises Refused: visit_unknown, not_a_stay, not_discharged, mid_after_discharge, stay_settled, stay_cancelled,
    mid_unsupported, person_unknown, insutype_other, stay_empty, total_other, amount_too_large, and what `care.settle`
    raises.
    """
    data, on = given["data"], timezone.localdate(at)
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    in_the_middle = data["mid_setl_flag"] == MID_STAY
    must_follow(stay, Step.SETTLE_PART if in_the_middle else Step.SETTLE)
    batch = _batch(stay, given, data, service_day(stay, on))
    settled = care.settle(**batch.shared_out(on), key=msgid)
    known = VisitSettlement.objects.create(
        setl_id=new_number(stay.visit.region_id, at),
        visit=stay.visit,
        batch=batch.name,
        settlement=settled,
        msgid=msgid,
        med_type=stay.visit.med_type,
        mdtrt_cert_type=data["mdtrt_cert_type"],
        settled_at=at,
    )
    if not in_the_middle:
        Stay.objects.filter(pk=stay.pk).update(state=Where.SETTLED)
    occasion = _occasion(stay, data, msgid, on, own_money(batch.facts, on), setl_id=known.setl_id, settled_at=at)
    return batch.answer(settled, occasion)


def reverse(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2305: the settlement back, whole, under a number of its own; the lines are open again.

    Of a stay that was settled in parts the last one goes back first. Raises Refused: visit_unknown, not_a_stay,
    stay_cancelled, settlement_unknown, later_settlement, duplicate (already reversed).
    """
    data = given["data"]
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    return take_back(stay, visit_settlement(stay.visit, data["setl_id"]), msgid=msgid, at=at)


def take_back(stay: Stay, known: VisitSettlement, *, msgid: str, at: datetime.datetime) -> dict[str, Any]:
    """Reverse a settlement of a stay that the caller has locked. Raises Refused as `reverse` does."""
    visit = stay.visit
    must_not_be_back(known)
    must_go_back(stay, known)
    open_batch = settled_of(visit).open_batch
    give_back(known, msgid=msgid, at=at)
    facts = batch_facts(visit, known.batch, known.settlement.service_on)
    reopen(stay, known, open_batch)
    first, last = stay.days
    told = told_back(visit, known, facts, at)
    info = told["setlinfo"] | {
        "insu_admdvs": visit.region_id,
        "begndate": first,
        "enddate": last or known.settlement.service_on,
    }
    named = {field.name for field in fields.tables("2305").output[0].fields}
    return told | {"setlinfo": {name: value for name, value in info.items() if name in named}}


def must_go_back(stay: Stay, known: VisitSettlement) -> None:
    """Of a stay that was settled in parts the last one goes back first. Raises Refused: stay_cancelled, later_settlement."""
    must_follow(stay, Step.REVERSE)
    if known.reversed_at is None and known != settled_of(stay.visit).last:
        raise Refused("later_settlement")


def reopen(stay: Stay, known: VisitSettlement, open_batch: str) -> None:
    """The lines of a settlement that goes back are open again, with what came in since then, in `open_batch`."""
    stay.visit.lines.filter(batch=open_batch).update(batch=known.batch)
    Stay.objects.filter(pk=stay.pk).update(state=staying.FOLLOWS[Where(stay.state)][Step.REVERSE])


def _batch(stay: Stay, given: dict[str, Any], data: Mapping[str, Any], day: datetime.date) -> Batch:
    """What is open of the stay, settled by the rules of a day."""
    visit = stay.visit
    if data["mdtrt_cert_no"] or data["certno"]:
        seen = shown(data, "data")
        if not is_credential_of(visit.member, seen["mdtrt_cert_type"], seen["mdtrt_cert_no"]):
            raise Refused("person_unknown")
    name = settled_of(visit).open_batch
    facts = batch_facts(visit, name, day)
    enrolment = how_insured(facts)
    if not (data["insutype"] == answers.INSUTYPE[visit.insurance] == answers.INSUTYPE[enrolment.insurance]):
        raise Refused("insutype_other")
    if data["mid_setl_flag"] == MID_STAY or name != "1":
        scheme = scheme_on(visit.region_id, visit.insurance, CareKind.INPATIENT, day).scheme
        if not staying.goes_in_parts(scheme):
            raise Refused("mid_unsupported")
    if not facts.lines:
        raise Refused("stay_empty")
    must_come_to(facts, data["medfee_sumamt"])
    use_account, use_family = accounts_used(given, data["acct_used_flag"] or USUAL_ACCOUNTS)
    return Batch(visit, name, enrolment, facts, bill_of(visit, facts, day), use_account, use_family)


def _quoted_day(stay: Stay, data: Mapping[str, Any], today: datetime.date) -> datetime.date:
    day = service_day(stay, min(data["dscgTime"] or today, today))
    first, _last = stay.days
    if day < first:
        raise Refused("discharge_early", field="data.dscgTime", admitted=f"{first}")
    return day


def _occasion(
    stay: Stay,
    data: Mapping[str, Any],
    msgid: str,
    on: datetime.date,
    left: Held,
    **settled: Any,
) -> Occasion:
    cert_type, more = data["mdtrt_cert_type"], left_over(left) | settled
    return Occasion(msgid=msgid, med_type=stay.visit.med_type, mdtrt_cert_type=cert_type, on=on, **more)
