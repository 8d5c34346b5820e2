"""Papers of closing an account: the receipt, and the proof of what was paid or carried over. Always in Chinese."""

import datetime
from typing import Any

from django.utils import translation

from accounts import dates
from accounts.errors import Refused
from accounts.models import User
from casework import kinds
from casework.enums import CaseState
from counter.papers.receipts import accepted, print_receipt_of, printed
from documents.actions import issue
from settlements.domain.withdrawal import TRANSFER_OUT
from settlements.models import WithdrawalApplication
from settlements.queries.withdrawal import out_of_wallet
from settlements.telling import closing as telling

PROOF = "closing_proof"


def print_receipt(*, application: WithdrawalApplication, paper: str, by: User, at: datetime.datetime) -> bytes:
    """The receipt on the 80 mm roll or A4. Raises PermissionDenied, and Refused: not_in_this_state, not_printable."""
    return print_receipt_of(application.case, lambda: receipt(application, paper), paper, by, at)


def print_proof(*, application: WithdrawalApplication, by: User, at: datetime.datetime) -> bytes:
    """What was paid out or carried over, once the account is closed. Refusals as `print_receipt`."""
    case = application.case
    if case.state != CaseState.GRANTED:
        raise Refused("not_in_this_state", state=case.state, verb="print")
    return printed(PROOF, case.applicant, f"{case.number} proof", proof(application), by, at)


@translation.override(issue.LANGUAGE)
def receipt(application: WithdrawalApplication, paper: str) -> dict[str, Any]:
    """What documents/typst/receipt.typ sets; only what stays as it is, so that a copy is the same paper."""
    case = application.case
    facts = [
        ["经办编号", case.number],
        ["事项", str(kinds.get(case.kind).title)],
        *([row["label"], row["value"]] for row in telling.answers(application)),
    ]
    data = accepted(case, facts, paper)
    if paper == "A4":
        lines = [f"{row.name}　{row.percent}%　{row.where}" for row in telling.payee_rows(application)]
        data |= {"sections": [{"title": "领取人", "lines": lines}], "sign": ["申请人签名", "日期"]}
    return data


@translation.override(issue.LANGUAGE)
def proof(application: WithdrawalApplication) -> dict[str, Any]:
    """The account, what left it, and for whom."""
    case = application.case
    rows = telling.payee_rows(application)
    wallet = out_of_wallet(application)
    moved, alone = case.kind == TRANSFER_OUT, application.account_id is None
    title = "医保钱包继承支付凭证" if alone else "个人账户转移凭证" if moved else "个人账户注销及支付凭证"
    facts = [
        ["经办编号", case.number],
        *([row["label"], row["value"]] for row in telling.answers(application)),
        ["办结时间", dates.moment(case.closed_at)],
        ["转出合计（元）" if moved else "支付合计（元）", f"{sum(row.amount or 0 for row in rows):,.2f}"],
        *([["其中：医保钱包余额（元）", f"{wallet:,.2f}"]] if wallet and not alone else []),
        *([] if alone else [["账户状态", "已注销"]]),
    ]
    lines = [f"{row.name}　{row.percent}%　{row.amount:,.2f} 元　{row.where}" for row in rows]
    return {
        "title": title,
        "paper": "A4",
        "facts": facts,
        "sections": [{"title": "去向", "lines": lines}],
        "notes": [
            f"{'' if alone else '账户注销'}以后到账的{'款项' if alone else '退费、利息'}，按同样的份额付给上列领取人。"
        ],
        "sign": ["经办机构（章）", "日期"],
    }
