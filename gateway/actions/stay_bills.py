"""2303, 2304 and 2305: quote, settle and reverse a stay, or a part of one in its middle."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from accounts.money import MAX_AMOUNT, plain
from gateway import answers, fields
from gateway.actions.bills import accounts_used, left_over, own_money
from gateway.actions.stays import must_follow, shown
from gateway.actions.visits import new_number
from gateway.answers import Occasion
from gateway.domain import staying
from gateway.domain.staying import Step, Where
from gateway.models import Stay, VisitSettlement
from gateway.queries.people import is_credential_of
from gateway.queries.stays import service_day, settled_of, stay_of
from gateway.queries.visits import BatchFacts, batch_facts, visit_settlement
from settlements.actions import care
from settlements.enums import CareKind
from settlements.queries.parameters import scheme_on

MID_STAY = "1"
# What a pre-settlement that does not say uses: what the person has at hand. A settlement has to say.
USUAL_ACCOUNTS = "1"


@dataclass(frozen=True)
class Part:
    """What is open of a stay, and how it is to be settled."""

    stay: Stay
    batch: str
    facts: BatchFacts
    enrolment: Enrolment
    bill: care.Bill
    use_account: bool
    use_family: bool

    def shared_out(self, on: datetime.date) -> dict[str, Any]:
        """The arguments that quote and settlement on a day have in common."""
        # An institution's clock may run ahead: what it dates after midnight is no care of tomorrow.
        bill = replace(self.bill, service_on=min(self.bill.service_on or on, on))
        return {
            "patient": self.stay.visit.member,
            "institution": self.stay.visit.institution,
            "bill": bill,
            "on": on,
            "use_account": self.use_account,
            "use_family": self.use_family,
        }

    def answer(self, shares: answers.Shares, occasion: Occasion) -> dict[str, Any]:
        """Both nodes of 2303 and 2304."""
        visit = self.stay.visit
        money = answers.amounts(shares, self.facts, visit.insurance)
        return {
            "setlinfo": answers.setlinfo(visit, self.enrolment, money, occasion),
            "setldetail": answers.setldetail(money, visit.insurance, shares.steps),
        }


def quote(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2303; nothing is written. Before the discharge the stay is taken to end on dscgTime, if that is not in the
    future, else today.

    Raises Refused as `settle` does, but not_discharged and mid_after_discharge.
    """
    data, on = given["data"], timezone.localdate(at)
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"])
    must_follow(stay, Step.QUOTE)
    part = _part(stay, given, data, _quoted_day(stay, data, on))
    quoted = care.quote(**part.shared_out(on))
    held = own_money(part.facts, on)
    left = held and (held[0] - quoted.own_current, held[1] - quoted.own_historical)
    return part.answer(quoted, _occasion(stay, data, msgid, on, left))


def settle(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2304. The year and the rules are those of the day of discharge; of a part settled in the middle of the
    stay (mid_setl_flag 1) those of today. dscgTime and the four split amounts are not looked at: 2402 and 2301 decide.

    Raises Refused: visit_unknown, not_a_stay, not_discharged, mid_after_discharge, stay_settled, stay_cancelled,
    mid_unsupported, person_unknown, insutype_other, batch_empty, total_other, amount_too_large, and what `care.settle`
    raises.
    """
    data, on = given["data"], timezone.localdate(at)
    stay = stay_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    in_the_middle = data["mid_setl_flag"] == MID_STAY
    must_follow(stay, Step.SETTLE_PART if in_the_middle else Step.SETTLE)
    part = _part(stay, given, data, service_day(stay, on))
    settled = care.settle(**part.shared_out(on), key=msgid)
    known = VisitSettlement.objects.create(
        setl_id=new_number(stay.visit.region_id, at),
        visit=stay.visit,
        batch=part.batch,
        settlement=settled,
        msgid=msgid,
        med_type=stay.visit.med_type,
        mdtrt_cert_type=data["mdtrt_cert_type"],
        settled_at=at,
    )
    if not in_the_middle:
        Stay.objects.filter(pk=stay.pk).update(state=Where.SETTLED)
    occasion = _occasion(stay, data, msgid, on, own_money(part.facts, on), setl_id=known.setl_id, settled_at=at)
    return part.answer(settled, occasion)


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
    must_follow(stay, Step.REVERSE)
    visit, on = stay.visit, timezone.localdate(at)
    settled = settled_of(visit)
    if known.reversed_at is None and known != settled.last:
        raise Refused("later_settlement")
    care.reverse(settlement=known.settlement, on=on, key=msgid)
    facts = batch_facts(visit, known.batch, known.settlement.service_on)
    known.reversal_setl_id = new_number(visit.region_id, at)
    known.reversal_msgid, known.reversed_at = msgid, at
    known.save(update_fields=["reversal_setl_id", "reversal_msgid", "reversed_at"])
    # What came in since then is of the same, open batch again.
    visit.lines.filter(batch=settled.open_batch).update(batch=known.batch)
    Stay.objects.filter(pk=stay.pk).update(state=staying.FOLLOWS[Where(stay.state)][Step.REVERSE])
    money = answers.negated(answers.amounts(known.settlement, facts, visit.insurance))
    occasion = Occasion(
        msgid=msgid,
        med_type=known.med_type,
        mdtrt_cert_type=known.mdtrt_cert_type,
        on=on,
        **left_over(own_money(facts, on)),
        setl_id=known.reversal_setl_id,
        settled_at=at,
    )
    first, last = stay.days
    info = answers.setlinfo(visit, _insured(facts), money, occasion) | {
        "insu_admdvs": visit.region_id,
        "begndate": first,
        "enddate": last or known.settlement.service_on,
    }
    named = {field.name for field in fields.tables("2305").output[0].fields}
    return {
        "setlinfo": {name: value for name, value in info.items() if name in named},
        "setldetail": answers.setldetail(money, visit.insurance, []),
    }


def _part(stay: Stay, given: dict[str, Any], data: Mapping[str, Any], day: datetime.date) -> Part:
    """What is open of the stay, settled by the rules of a day."""
    visit = stay.visit
    if data["mdtrt_cert_no"] or data["certno"]:
        seen = shown(data, "data")
        if not is_credential_of(visit.member, seen["mdtrt_cert_type"], seen["mdtrt_cert_no"]):
            raise Refused("person_unknown")
    batch = settled_of(visit).open_batch
    facts = batch_facts(visit, batch, day)
    enrolment = _insured(facts)
    if not (data["insutype"] == answers.INSUTYPE[visit.insurance] == answers.INSUTYPE[enrolment.insurance]):
        raise Refused("insutype_other")
    if data["mid_setl_flag"] == MID_STAY or batch != "1":
        scheme = scheme_on(visit.region_id, visit.insurance, CareKind.INPATIENT, day).scheme
        if not staying.goes_in_parts(scheme):
            raise Refused("mid_unsupported")
    _must_be_payable(facts, data["medfee_sumamt"])
    use_account, use_family = accounts_used(given, data["acct_used_flag"] or USUAL_ACCOUNTS)
    bill = care.Bill(
        kind=CareKind.INPATIENT,
        level=visit.institution.level,
        in_scope=facts.in_scope,
        pre_self_pay=facts.pre_self_pay,
        self_paid=facts.over_limit + facts.off_catalogue,
        service_on=day,
    )
    return Part(stay, batch, facts, enrolment, bill, use_account, use_family)


def _must_be_payable(facts: BatchFacts, asked: Decimal) -> None:
    if not facts.lines:
        raise Refused("stay_empty")
    if asked != facts.amount:
        raise Refused("total_other", amount=plain(asked), expected=plain(facts.amount))
    if facts.amount > MAX_AMOUNT:
        raise Refused("amount_too_large")


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
    left: tuple[Decimal, Decimal] | None,
    **settled: Any,
) -> Occasion:
    cert_type, more = data["mdtrt_cert_type"], left_over(left) | settled
    return Occasion(msgid=msgid, med_type=stay.visit.med_type, mdtrt_cert_type=cert_type, on=on, **more)


def _insured(facts: BatchFacts) -> Enrolment:
    if facts.enrolment is None:
        raise Refused("not_insured")
    return facts.enrolment
