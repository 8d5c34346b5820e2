"""The money of a closed account: out to its payees, at once when it is closed and again whenever more comes in.

What the wallet of a dead member holds goes with it, or alone where there is no account; of whoever leaves alive the wallet
stays his (decision 0048).
"""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction

from accounts.actions import audit
from accounts.clock import now
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import User
from accounts.money import ZERO, plain
from settlements import ledger
from settlements.actions.opening import open_account
from settlements.domain.withdrawal import INHERITANCE, Leaving, leaving, split
from settlements.enums import AccountStatus, Contra, EntryKind, PayeeWay, WalletEntryKind
from settlements.ledger import wallets
from settlements.models import Payee, Payout, PersonalAccount, WithdrawalApplication
from settlements.queries.member import account_of
from settlements.queries.wallet import wallet_of
from settlements.queries.withdrawal import late_applications

NOTHING = leaving(ZERO, ZERO, ZERO)


def close(*, application: WithdrawalApplication, on: datetime.date, by: User | None) -> Decimal:
    """Pay out all that an account holds, after its debt, and close it; gives the yuan paid. Call it in a transaction.

    Of a dead member's the wallet is counted in, or is all there is.

    Raises Refused: closed (somebody was faster), nothing_to_pay (an empty wallet), payee_without_account.
    """
    return _pay(application, application.case.number, AccountStatus.OPEN, on, by)


@transaction.atomic
def pay_on(*, application: WithdrawalApplication, on: datetime.date, by: User | None = None) -> Decimal:
    """What has come to a closed account since goes to those who got the rest, by the same shares; gives the yuan.

    So does what has come to the wallet of a dead member.

    Raises Refused: closed (nothing has come, or somebody was faster), payee_without_account.
    """
    versions = WithdrawalApplication.objects.values_list("account__version", "case__applicant__wallet__version")
    paid = _pay(application, "late:{}:{}".format(*versions.get(pk=application.pk)), AccountStatus.LATE, on, by)
    if not paid:
        return paid  # it came and went again (a bill settled anew), or repaid the debt
    audit.record(
        action="late_money_paid",
        by=by,
        at=now(),
        member=application.member,
        target=f"case {application.case.number}",
        details={"amount": plain(paid)},
        channel=Channel.SYSTEM,
    )
    return paid


def accounts_of(application: WithdrawalApplication, on: datetime.date) -> set[int]:
    """The accounts (ids) that there are and that a payment of the application moves."""
    into = (_account_of(payee, on) for payee in application.payees.all())
    mine = {application.account_id} if application.account_id else set()
    return mine | {account.pk for account in into if account}


def pay_on_all(*, on: datetime.date) -> tuple[int, list[str]]:
    """`pay_on` wherever money waits for it, each by itself: how often it was, and the cases of those it cannot be."""
    paid, stuck = 0, []
    for application in late_applications():
        try:
            pay_on(application=application, on=on)
            paid += 1
        except Refused:
            stuck.append(application.case.number)
    return paid, stuck


def _pay(
    application: WithdrawalApplication, key: str, status: AccountStatus, on: datetime.date, by: User | None
) -> Decimal:
    account_id = application.account_id
    answer = ledger.once(
        scope=f"withdrawal:{account_id}" if account_id else f"inheritance:{application.member.pk}",
        key=key,
        request={"case": application.case.number},
        kind=EntryKind.WITHDRAWAL,
        on=on,
        region_id=application.region.pk,
        by_id=by.pk if by else None,
        work=partial(_empty, application, status, on, by),
    )
    return Decimal(answer["paid"])


def _empty(
    application: WithdrawalApplication, status: AccountStatus, on: datetime.date, by: User | None, transaction_id: int
) -> dict[str, Any]:
    account, payees = application.account, list(application.payees.order_by("position"))
    late = status == AccountStatus.LATE
    targets = {payee.pk: _target(payee, on, by, late) for payee in payees}
    into = {target.pk for target in targets.values() if target}
    books = ledger.open(
        patient_id=application.member.pk, years=[], account_ids=[*([account.pk] if account else []), *into], on=on
    )
    purse = _purse(application, on)
    inherited = purse.balance if purse else ZERO
    _refuse_done(account, status, inherited)
    held = books.accounts[account.pk] if account else None
    going = leaving(held.current, held.historical, held.debt) if held else NOTHING
    paid = going.paid + inherited
    parts = split(paid, [payee.percent for payee in payees])
    movements = [*_out(application, going), *_into(application, payees, parts, targets)]
    if movements:
        books.post(transaction_id, movements)
    if purse and inherited:
        wallets.move(purse, -inherited, transaction_id=transaction_id, kind=WalletEntryKind.INHERITED, on=on)
    PersonalAccount.objects.filter(pk=application.account_id).update(status=AccountStatus.CLOSED)
    Payout.objects.bulk_create(
        Payout(
            payee=payee,
            transaction_id=transaction_id,
            from_account=account,
            to_account=targets[payee.pk],
            amount=part,
        )
        for payee, part in zip(payees, parts, strict=True)
        if part
    )
    return {"paid": plain(paid), "debt": plain(held.debt if held else ZERO)}


def _refuse_done(account: PersonalAccount | None, status: AccountStatus, inherited: Decimal) -> None:
    """Asked only under the lock: of two who close it, one is second."""
    late = status == AccountStatus.LATE
    if account is None:
        if not inherited:
            raise Refused("closed", why="wallet") if late else Refused("nothing_to_pay")
        return
    found = PersonalAccount.objects.values_list("status", flat=True).get(pk=account.pk)
    if found != status and not (late and inherited and found == AccountStatus.CLOSED):
        raise Refused("closed", why="account")


def _purse(application: WithdrawalApplication, on: datetime.date) -> wallets.OpenWallet | None:
    """The wallet that is inherited, locked after all accounts; None where there is none."""
    if application.case.kind != INHERITANCE:
        return None
    wallet = wallet_of(application.member)
    return wallets.lock(wallet.pk, wallets.moment(on)) if wallet else None


def _out(application: WithdrawalApplication, going: Leaving) -> list[ledger.Movement]:
    """What leaves the account itself; nothing where it is empty."""
    if not (going.current or going.historical):
        return []
    return [
        ledger.Movement(
            account_id=application.account_id,
            kind=EntryKind.WITHDRAWAL,
            contra=Contra.WITHDRAWAL,
            contra_id=application.pk,
            current=-going.current,
            historical=-going.historical,
            debt=-going.repaid,
        )
    ]


def _into(
    application: WithdrawalApplication,
    payees: Sequence[Payee],
    parts: Sequence[Decimal],
    targets: Mapping[int, PersonalAccount | None],
) -> list[ledger.Movement]:
    """The parts that go into accounts of the portal: one's own money of earlier years from there on."""
    amounts: dict[int, Decimal] = {}
    for payee, part in zip(payees, parts, strict=True):
        if (target := targets[payee.pk]) is not None and part:
            amounts[target.pk] = amounts.get(target.pk, ZERO) + part
    return [
        ledger.Movement(
            account_id=account_id,
            kind=EntryKind.WITHDRAWAL,
            contra=Contra.WITHDRAWAL,
            contra_id=application.pk,
            historical=amount,
        )
        for account_id, amount in amounts.items()
    ]


def _account_of(payee: Payee, on: datetime.date) -> PersonalAccount | None:
    """The account of the portal that a payee's part goes into, if there is one by now."""
    if payee.member is None:
        return None
    if payee.way == PayeeWay.ACCOUNT:
        return account_of(payee.member, on)
    if payee.way == PayeeWay.REGION:
        return PersonalAccount.objects.filter(member=payee.member, region=payee.region_id).first()
    return None


def _target(payee: Payee, on: datetime.date, by: User | None, late: bool) -> PersonalAccount | None:
    """The account a payee's part goes into, None where it leaves the portal."""
    account = _account_of(payee, on)
    if payee.way == PayeeWay.ACCOUNT and payee.member is not None:
        if account is None or account.status != AccountStatus.OPEN:
            raise Refused("payee_without_account", name=mask_name(payee.name))
        return account
    if payee.way == PayeeWay.REGION and payee.region_id and payee.member is not None:
        return _in_region(payee, account, on, by, late)
    return None


def _in_region(
    payee: Payee, account: PersonalAccount | None, on: datetime.date, by: User | None, late: bool
) -> PersonalAccount:
    """The member's account where he is insured now: opened for the transfer if there is none, again if it was closed.

    Late money opens nothing: he has moved on since, and from a closed account it follows him as late money.
    """
    member, region_id = payee.member, payee.region_id
    assert member is not None and region_id is not None
    if account is None:
        return open_account(member=member, region_id=region_id, on=on, by=by)
    if late:
        return account
    if account.status == AccountStatus.LATE:
        raise Refused("payee_without_account", name=mask_name(payee.name))
    PersonalAccount.objects.filter(pk=account.pk, status=AccountStatus.CLOSED).update(status=AccountStatus.OPEN)
    return account
