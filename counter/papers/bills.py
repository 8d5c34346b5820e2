"""Papers of cases about bills: the receipt, and how a claim was decided. Always in Chinese."""

import datetime
from typing import Any

from django.utils import translation

from accounts import dates, masks
from accounts.errors import Refused
from accounts.models import User
from casework import kinds
from casework.enums import CaseState
from casework.models import Case
from counter.papers.receipts import accepted, agent_of, print_receipt_of, printed
from documents.actions import issue
from settlements.actions.claims import paid_back
from settlements.models import BillReversal, Claim, Recalculation, Settlement
from settlements.telling import bills as bill_telling
from settlements.telling.explaining import Explanation

DECISION = "claim_decision"
Payload = Claim | Recalculation | BillReversal


def is_decided(found: Payload) -> bool:
    """Whether there is a decision to print: of a claim that was settled or refused."""
    return isinstance(found, Claim) and (found.settlement_id is not None or found.case.state == CaseState.REFUSED)


def print_receipt(*, found: Payload, paper: str, by: User, at: datetime.datetime) -> bytes:
    """The receipt on the 80 mm roll or A4. Raises PermissionDenied, and Refused: not_in_this_state, not_printable."""
    return print_receipt_of(found.case, lambda: receipt(found, paper), paper, by, at)


def print_decision(*, claim: Claim, by: User, at: datetime.datetime) -> bytes:
    """How a claim came out, on A4. Refusals as `print_receipt`."""
    if not is_decided(claim):
        raise Refused("not_in_this_state", state=claim.case.state, verb="print")
    return printed(DECISION, claim.patient, f"{claim.case.number} decision", decision(claim), by, at)


@translation.override(issue.LANGUAGE)
def receipt(found: Payload, paper: str) -> dict[str, Any]:
    """What documents/typst/receipt.typ sets; only what stays as it is, so that a copy is the same paper."""
    case = found.case
    facts = [["经办编号", case.number], ["事项", str(kinds.get(case.kind).title)], ["参保人", _who(case)]]
    if isinstance(found, Claim):
        facts += _bill(found)
    elif isinstance(found, BillReversal):
        facts += [["原经办编号", found.claim.case.number]] if found.claim else _settled(found.bill)
        facts.append(["冲正原因", found.reason])
    else:
        facts.append(["医保年度", str(found.benefit_year)])
    return accepted(case, [*facts, *agent_of(case)], paper) | (
        {"sign": ["参保人签名", "日期"]} if paper == "A4" else {}
    )


@translation.override(issue.LANGUAGE)
def decision(claim: Claim) -> dict[str, Any]:
    """The bill, who pays what, and the working; or why nothing is paid back."""
    case, settled = claim.case, claim.settlement
    facts = [["经办编号", case.number], ["参保人", _who(case)], *_bill(claim)]
    data: dict[str, Any] = {"paper": "A4", "sign": ["经办机构（章）", "日期"]}
    if settled is None:
        facts += [["结果", "不予报销"], ["原因", case.reason], ["办结时间", dates.moment(case.closed_at)]]
        notes = ["费用由本人负担。票据有误的，可以补正后重新提交；有疑问请到经办窗口，或拨打 12393。"]
        return data | {"title": "零星报销不予报销告知书", "facts": facts, "notes": notes}
    told = Explanation(settled, {}, mine=False, two_buckets=settled.region.two_buckets)
    facts += [
        ["结算编号", settled.number],
        ["总费用（元）", f"{settled.total:,.2f}"],
        *([f"{part['label']}（元）", f"{part['amount']:,.2f}"] for part in told.payers),
        ["报销金额（元）", f"{paid_back(settled):,.2f}"],
        ["办结时间", dates.moment(case.closed_at)],
    ]
    notes = ["报销款由银行付到上列账户，付款后发消息告知。有疑问请到经办窗口，或拨打 12393。"]
    if settled.reversed_on:
        facts.append(["冲正日期", dates.day(settled.reversed_on)])
        notes = ["本次结算已冲正，不再作为报销依据；票据可以重新提交。"]
    lines = [f"{step['name']}　{step['amount']:,.2f}　{step['sentence']}" for step in told.steps]
    sections = [{"title": "计算过程", "lines": lines}]
    return data | {"title": "零星报销结算单", "facts": facts, "sections": sections, "notes": notes}


def _who(case: Case) -> str:
    return f"{masks.mask_name(case.applicant.name)}　{masks.mask_id(case.applicant.id_number)}"


def _settled(bill: Settlement) -> list[list[str]]:
    where = [["定点医药机构", bill.institution.name], ["就诊日期", dates.day(bill.service_on)]]
    return [*where, ["结算编号", bill.number]]


def _bill(claim: Claim) -> list[list[str]]:
    return [[row["label"], row["value"]] for row in bill_telling.answers(claim, claim.masked_bank_account)]
