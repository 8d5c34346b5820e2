"""Proofs of premiums and wallet transfers, printed at the window. Always in Chinese; names are masked as on every paper."""

import datetime
from typing import Any

from django.utils import translation

from accounts import dates, masks
from accounts.models import Member, User
from counter.papers.receipts import printed
from documents.actions import issue
from settlements.models import PremiumPayment, WalletTransfer
from settlements.queries.wallet import state_at

PREMIUM, TRANSFER = "premium_proof", "transfer_proof"


def print_premium(*, payment: PremiumPayment, member: Member, paper: str, by: User, at: datetime.datetime) -> bytes:
    """The proof of a premium for the payer or the insured person. Raises PermissionDenied, Refused("not_printable")."""
    data = premium(payment, own=payment.payer_id == member.pk) | {"paper": paper}
    return printed(PREMIUM, member, f"{payment.number} {paper}", data, by, at)


def print_transfer(*, transfer: WalletTransfer, member: Member, paper: str, by: User, at: datetime.datetime) -> bytes:
    """The proof of a transfer for one of the two. Raises PermissionDenied, Refused("not_printable")."""
    data = wallet_transfer(transfer, at, own=transfer.sender_id == member.pk) | {"paper": paper}
    return printed(TRANSFER, member, f"{transfer.number} {paper}", data, by, at)


@translation.override(issue.LANGUAGE)
def premium(payment: PremiumPayment, *, own: bool) -> dict[str, Any]:
    """What documents/typst/receipt.typ sets. Only the payer reads out of which balance it was paid."""
    facts = [
        ["缴费编号", payment.number],
        ["险种", f"城乡居民医保　{payment.year} 年度"],
        ["参保地", payment.region.name],
        ["参保人", masks.mask_name(payment.insured.name)],
        ["付款人", masks.mask_name(payment.payer.name)],
        ["缴费类别", payment.group_names.get("zh", "") or "—"],
        ["金额（元）", f"{payment.amount:,.2f}"],
        ["缴费日期", dates.day(payment.paid_on)],
        ["待遇开始", dates.day(payment.benefit_from)],
    ]
    if own and payment.account is None:
        facts.append(["资金来源", f"医保钱包 {payment.amount:,.2f} 元"])
    elif own:
        where = [
            ("当年余额", payment.current),
            ("历年余额" if payment.account.region.two_buckets else "余额", payment.historical),
        ]
        facts.append(
            ["资金来源", "个人账户" + "、".join(f"{name} {amount:,.2f} 元" for name, amount in where if amount)]
        )
    paid_by = "原付款账户" if payment.account_id else "原付款钱包"
    notes = [f"待遇开始以前可以全额退回{paid_by}。凭缴费编号查询，或拨打 12393。"]
    if payment.refunded_on:
        facts.append(["退回日期", dates.day(payment.refunded_on)])
        notes = [f"已全额退回{paid_by}，本年度居民医保没有因本笔缴费生效。"]
    return {"title": "代缴居民医保费凭证", "facts": facts, "notes": notes}


@translation.override(issue.LANGUAGE)
def wallet_transfer(transfer: WalletTransfer, at: datetime.datetime, *, own: bool) -> dict[str, Any]:
    """What documents/typst/receipt.typ sets, as the transfer stands at a moment."""
    state = state_at(transfer, at)
    words = {"pending": "等待接收", "accepted": "已接收", "returned": "已退回"}
    facts = [
        ["转账编号", transfer.number],
        ["转出人", masks.mask_name(transfer.sender.name)],
        ["接收人", masks.mask_name(transfer.receiver.name)],
        ["金额（元）", f"{transfer.amount:,.2f}"],
        ["转出时间", dates.moment(transfer.sent_at)],
        ["状态", words[state.code]],
    ]
    if own:
        facts.insert(4, ["资金来源", str(transfer.get_source_display())])
    if state.since:
        facts.append(["完成时间", dates.moment(state.since)])
    notes = ["转账把钱转走：接收以后归接收人所有，不能撤回。"]
    if state.code == "pending":
        notes = [f"请在{dates.moment(transfer.expires_at)}以前接收，过时自动退回转出人。", *notes]
    elif state.code == "returned":
        notes = ["对方没有按时接收，全额已退回转出人。"]
    return {"title": "医保钱包转账凭证", "facts": facts, "notes": notes}
