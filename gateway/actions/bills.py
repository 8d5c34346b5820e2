"""2206, 2207 and 2208: quote, settle and reverse a charge batch."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from accounts.money import MAX_AMOUNT, ZERO, plain
from gateway import answers
from gateway.actions.visits import new_number
from gateway.answers import Occasion
from gateway.models import FeeLine, Visit, VisitSettlement
from gateway.queries import (
    account_id_of,
    batch_lines,
    enrolments_since,
    patient,
    settled_batches,
    visit_of,
    visit_settlement,
)
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


@dataclass(frozen=True)
class Batch:
    """A charge batch and how it is to be settled."""

    visit: Visit
    enrolment: Enrolment
    lines: Sequence[FeeLine]
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
    left = _balance(batch.visit, on) - quoted.own_current - quoted.own_historical
    money = answers.amounts(quoted, batch.lines, batch.visit.insurance)
    occasion = Occasion(
        msgid=msgid, med_type=data["med_type"], mdtrt_cert_type=data["mdtrt_cert_type"], balance=left, on=on
    )
    return {
        "setlinfo": answers.setlinfo(batch.visit, batch.enrolment, money, occasion),
        "setldetail": answers.setldetail(money, batch.visit.insurance, quoted.steps),
    }


def settle(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2207. The four split amounts of the input are not looked at: ours of 2204 decide.

    Raises Refused: visit_unknown, person_unknown, credential_unsupported, insutype_other, med_type_unsupported,
    batch_empty, batch_settled, total_other, amount_too_large, and what `care.settle` raises.
    """
    data, on = given["data"], timezone.localdate(at)
    batch = _batch(institution, data, lock=True)
    settled = care.settle(**batch.shared_out(), on=on, key=msgid)
    known = VisitSettlement.objects.create(
        setl_id=new_number(batch.visit.region_id, at),
        visit=batch.visit,
        batch=data["chrg_bchno"],
        settlement=settled,
        msgid=msgid,
        med_type=data["med_type"],
        mdtrt_cert_type=data["mdtrt_cert_type"],
        settled_at=at,
    )
    money = answers.amounts(settled, batch.lines, batch.visit.insurance)
    occasion = _occasion(known, msgid, on, known.setl_id, at)
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
    settled = answers.amounts(known.settlement, batch_lines(visit, known.batch), visit.insurance)
    money = answers.negated(settled)
    info = answers.setlinfo(visit, _enrolment(visit), money, _occasion(known, msgid, on, known.reversal_setl_id, at))
    return {
        "setlinfo": info | {"pdn_cash_pay": money["psn_cash_pay"]},
        "setldetail": answers.setldetail(money, visit.insurance, []),
    }


def _batch(institution: Institution, data: dict[str, Any], *, lock: bool) -> Batch:
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=lock)
    if patient(data) != visit.member:
        raise Refused("person_unknown")
    if data["insutype"] != answers.INSUTYPE[visit.insurance]:
        raise Refused("insutype_other")
    if MED_TYPES.get(data["med_type"]) != visit.kind:
        raise Refused("med_type_unsupported")
    use_account, use_family = ACCOUNTS_USED[data["acct_used_flag"]]
    lines = _payable(visit, data)
    bill = care.Bill(
        kind=visit.kind,
        level=institution.level,
        in_scope=sum((line.in_scope for line in lines), ZERO),
        pre_self_pay=sum((line.pre_self_pay for line in lines), ZERO),
        self_paid=sum((line.over_limit + line.off_catalogue for line in lines), ZERO),
        service_on=timezone.localdate(visit.begun_at),
    )
    return Batch(visit, _enrolment(visit), lines, bill, use_account, use_family)


def _payable(visit: Visit, data: dict[str, Any]) -> Sequence[FeeLine]:
    """The lines of the batch, if they are the total that the institution asks for and not yet paid."""
    lines = batch_lines(visit, data["chrg_bchno"])
    total = sum((line.amount for line in lines), ZERO)
    if not lines:
        raise Refused("batch_empty", batch=data["chrg_bchno"])
    if data["chrg_bchno"] in settled_batches(visit):
        raise Refused("batch_settled", batch=data["chrg_bchno"])
    if data["medfee_sumamt"] != total:
        raise Refused("total_other", amount=plain(data["medfee_sumamt"]), expected=plain(total))
    if total > MAX_AMOUNT:
        raise Refused("amount_too_large")
    return lines


def _enrolment(visit: Visit) -> Enrolment:
    """How the patient was insured on the day of the visit."""
    day = timezone.localdate(visit.begun_at)
    found = enrolments_since(visit.member, day, day)
    if not found:
        raise Refused("not_insured")
    return found[0]


def _balance(visit: Visit, on: datetime.date):
    """The patient's own balance in yuan; zero without an account."""
    account_id = account_id_of(visit.member, visit.region_id)
    return balances([account_id], on)[account_id].total if account_id else ZERO


def _occasion(known: VisitSettlement, msgid: str, on: datetime.date, setl_id: str, at: datetime.datetime) -> Occasion:
    return Occasion(
        msgid=msgid,
        med_type=known.med_type,
        mdtrt_cert_type=known.mdtrt_cert_type,
        balance=_balance(known.visit, on),
        on=on,
        setl_id=setl_id,
        settled_at=at,
    )
