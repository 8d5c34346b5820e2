"""2206, 2207 and 2208: quote, settle and reverse a charge batch."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.calls import Call
from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from accounts.money import MAX_AMOUNT, ZERO, plain
from gateway import answers
from gateway.actions.visits import new_number
from gateway.answers import Occasion
from gateway.models import Visit
from gateway.queries import BatchFacts, batch_facts, batch_of, is_credential_of, visit_of, visit_settlement
from settlements.actions import care
from settlements.enums import CareKind
from settlements.ledger import balances

# General outpatient care, registration and emergency follow the outpatient scheme; other categories have schemes
# that no region file holds yet, and settling them as general care would be wrong money.
MED_TYPES = {
    "11": CareKind.OUTPATIENT,
    "12": CareKind.OUTPATIENT,
    "13": CareKind.OUTPATIENT,
    "1301": CareKind.OUTPATIENT,
    "41": CareKind.PHARMACY,
}
# acct_used_flag -> own account, relatives' accounts. Value 2 came in 2023; older clients send 1 and mean what the
# person has at hand, the relatives' share included: whose account it is the platform picks from its own bindings.
ACCOUNTS_USED = {"0": (False, False), "1": (True, True), "2": (False, True)}


KNOW = "gateway_know(%s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Batch:
    """A charge batch and how it is to be settled."""

    visit: Visit
    enrolment: Enrolment
    facts: BatchFacts
    bill: care.Bill
    use_account: bool
    use_family: bool

    def shared_out(self) -> dict[str, Any]:
        """The arguments that quote and settlement have in common."""
        return {
            "patient": self.visit.member,
            "institution": self.visit.institution,
            "bill": self.bill,
            "use_account": self.use_account,
            "use_family": self.use_family,
        }


def quote(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2206; nothing is written. `balc` is already the balance after the payment that would be made.

    Raises Refused as `settle` does.
    """
    data, on = given["data"], timezone.localdate(at)
    batch = _batch(institution, data, lock=False)
    quoted = care.quote(**batch.shared_out(), on=on)
    left = _balance(batch.facts, on) - quoted.own_current - quoted.own_historical
    money = answers.amounts(quoted, batch.facts, batch.visit.insurance)
    occasion = Occasion(
        msgid=msgid, med_type=data["med_type"], mdtrt_cert_type=data["mdtrt_cert_type"], balance=left, on=on
    )
    return {
        "setlinfo": answers.setlinfo(batch.visit, batch.enrolment, money, occasion),
        "setldetail": answers.setldetail(money, batch.visit.insurance, quoted.steps),
    }


def settle(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 2207. The four split amounts of the input are not looked at: ours of 2204 decide.

    The calls that write are left in `unsent`, for whoever keeps the answer in the same transaction.

    Raises Refused: visit_unknown, person_unknown, credential_unsupported, insutype_other, med_type_unsupported,
    batch_empty, batch_settled, total_other, amount_too_large, and what `care.settle` raises.
    """
    data, on = given["data"], timezone.localdate(at)
    batch = _batch(institution, data, lock=True)
    settled = care.settle(**batch.shared_out(), on=on, key=msgid, unsent=unsent)
    setl_id = new_number(batch.visit.region_id, at)
    occasion = Occasion(
        msgid=msgid,
        med_type=data["med_type"],
        mdtrt_cert_type=data["mdtrt_cert_type"],
        balance=_balance(batch.facts, on) if settled.own_left is None else settled.own_left,
        on=on,
        setl_id=setl_id,
        settled_at=at,
    )
    numbers = [setl_id, batch.visit.pk, data["chrg_bchno"], settled.pk, msgid]
    unsent.append(Call(KNOW, [*numbers, occasion.med_type, occasion.mdtrt_cert_type, at]))
    money = answers.amounts(settled, batch.facts, batch.visit.insurance)
    return {
        "setlinfo": answers.setlinfo(batch.visit, batch.enrolment, money, occasion),
        "setldetail": answers.setldetail(money, batch.visit.insurance, settled.steps),
    }


def reverse(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2208: the whole settlement back, every amount negative, under a settlement number of its own.

    Raises Refused: visit_unknown, settlement_unknown, duplicate (already reversed).
    """
    data, on = given["data"], timezone.localdate(at)
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    known = visit_settlement(visit, data["setl_id"])
    care.reverse(settlement=known.settlement, on=on, key=msgid)
    known.reversal_setl_id = new_number(visit.region_id, at)
    known.reversal_msgid, known.reversed_at = msgid, at
    known.save(update_fields=["reversal_setl_id", "reversal_msgid", "reversed_at"])
    facts = batch_facts(visit, known.batch)
    money = answers.negated(answers.amounts(known.settlement, facts, visit.insurance))
    occasion = Occasion(
        msgid=msgid,
        med_type=known.med_type,
        mdtrt_cert_type=known.mdtrt_cert_type,
        balance=_balance(facts, on),
        on=on,
        setl_id=known.reversal_setl_id,
        settled_at=at,
    )
    info = answers.setlinfo(visit, _insured(facts), money, occasion)
    return {
        "setlinfo": info | {"pdn_cash_pay": money["psn_cash_pay"]},
        "setldetail": answers.setldetail(money, visit.insurance, []),
    }


def _batch(institution: Institution, data: dict[str, Any], *, lock: bool) -> Batch:
    visit, facts = batch_of(institution, data["mdtrt_id"], data["psn_no"], data["chrg_bchno"], lock=lock)
    if not is_credential_of(visit.member, data["mdtrt_cert_type"], data["mdtrt_cert_no"]):
        raise Refused("person_unknown")
    if data["insutype"] != answers.INSUTYPE[visit.insurance]:
        raise Refused("insutype_other")
    if MED_TYPES.get(data["med_type"]) != visit.kind:
        raise Refused("med_type_unsupported")
    use_account, use_family = ACCOUNTS_USED[data["acct_used_flag"]]
    _must_be_payable(facts, data)
    bill = care.Bill(
        kind=visit.kind,
        level=institution.level,
        in_scope=facts.in_scope,
        pre_self_pay=facts.pre_self_pay,
        self_paid=facts.over_limit + facts.off_catalogue,
        service_on=timezone.localdate(visit.begun_at),
    )
    return Batch(visit, _insured(facts), facts, bill, use_account, use_family)


def _must_be_payable(facts: BatchFacts, data: dict[str, Any]) -> None:
    """The lines of the batch are the total that the institution asks for, and not yet paid."""
    if not facts.lines:
        raise Refused("batch_empty", batch=data["chrg_bchno"])
    if facts.settled:
        raise Refused("batch_settled", batch=data["chrg_bchno"])
    if data["medfee_sumamt"] != facts.amount:
        raise Refused("total_other", amount=plain(data["medfee_sumamt"]), expected=plain(facts.amount))
    if facts.amount > MAX_AMOUNT:
        raise Refused("amount_too_large")


def _insured(facts: BatchFacts) -> Enrolment:
    """How the patient was insured on the day of the visit."""
    if facts.enrolment is None:
        raise Refused("not_insured")
    return facts.enrolment


def _balance(facts: BatchFacts, on: datetime.date) -> Decimal:
    """The patient's own balance in yuan; zero without an account."""
    account_id = facts.account_id
    return balances([account_id], on)[account_id].total if account_id else ZERO
