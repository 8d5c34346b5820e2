"""The medical insurance wallet (医保钱包): open, transfer, accept, and the return of what nobody accepted.

A transfer moves the money for good; family sharing moves none. Rules: domain.md 1.3 (N9, N10), in `domain/wallet.py`.
"""

import datetime
import uuid
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import audit, messages
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import Enrolment, Member, User
from accounts.money import is_fen, plain
from family.queries import relation_findings
from settlements import ledger
from settlements.domain import wallet as rules
from settlements.enums import Contra, EntryKind, TransferState, WalletEntryKind, WalletSource
from settlements.ledger import wallets
from settlements.models import PersonalAccount, Wallet, WalletTransfer
from settlements.policies import may_act_for
from settlements.queries import wallet as read


@transaction.atomic
def open_wallet(*, member: Member, by: User | None, at: datetime.datetime) -> Wallet:
    """Open a member's wallet in the region where he is insured; an open one is given again.

    Raises Refused: not_insured, closed, not_permitted (his region does not take part); and PermissionDenied.
    """
    enrolment = read.enrolled(member, timezone.localdate(at))
    if not may_act_for(by, member, enrolment.region_id):
        raise PermissionDenied
    wallet, made = Wallet.objects.get_or_create(member=member, defaults={"region": enrolment.region, "opened_at": at})
    if made:
        audit.record(action="wallet_opened", by=by, at=at, member=member, details={"region": enrolment.region_id})
    return wallet


@transaction.atomic
def let_pay(*, member: Member, pays: bool, by: User | None, at: datetime.datetime) -> Wallet:
    """Let a member's wallet pay his bills, or no longer; bills settled before stay as they are.

    Raises Refused("wallet_not_open"), and PermissionDenied.
    """
    wallet = Wallet.objects.select_for_update(no_key=True).filter(member=member).first()
    if wallet is None:
        raise Refused("wallet_not_open")
    if not may_act_for(by, member, wallet.region_id):
        raise PermissionDenied
    if wallet.pays_care != pays:
        wallet.pays_care = pays
        wallet.save(update_fields=["pays_care"])
        audit.record(action="wallet_pays" if pays else "wallet_pays_not", by=by, at=at, member=member)
    return wallet


def transfer(
    *,
    sender: Member,
    receiver: Member,
    amount: Decimal,
    at: datetime.datetime,
    key: str,
    by: User | None = None,
    source: str = WalletSource.ACCOUNT,
    relation: str = "",
) -> WalletTransfer:
    """Send yuan to another member; it has left the sender from here on, and waits to be accepted.

    `source`: the sender's personal account (its historical balance) or his wallet. `relation`: what the receiver is to
    the sender. Raises Refused: not_insured, closed, not_permitted, ages_do_not_fit, suspended, frozen, wallet_not_open,
    outside_hours, transfer_pending, over_transfer_limit, amount_too_small, insufficient_balance; and PermissionDenied. The
    same key gives the first transfer again.
    """
    if not is_fen(amount):
        raise ValueError(f"not a whole number of fen: {amount}")
    on = timezone.localdate(at)
    try:
        enrolment = read.enrolled(sender, on)
    except Refused:
        # Whose answer was lost hears of what is on its way, though today he could not send it.
        first = read.sent_with(sender, key, receiver=receiver, amount=amount, source=source)
        if first and may_act_for(by, sender, first.wallet.region_id):
            return first
        raise
    if not may_act_for(by, sender, enrolment.region_id):
        raise PermissionDenied
    answer = ledger.once(
        scope=f"wallet:{sender.pk}",
        key=key,
        request={"to": receiver.pk, "amount": plain(amount), "source": source},
        kind=EntryKind.WALLET,
        on=on,
        region_id=enrolment.region_id,
        by_id=by.pk if by else None,
        work=partial(_transfer, sender, receiver, enrolment, amount, at, source, relation),
    )
    return WalletTransfer.objects.select_related("sender", "receiver").get(pk=answer["transfer"])


def _transfer(
    sender: Member,
    receiver: Member,
    enrolment: Enrolment,
    amount: Decimal,
    at: datetime.datetime,
    source: str,
    relation: str,
    transaction_id: int,
) -> dict[str, Any]:
    on = timezone.localdate(at)
    if sender.pk == receiver.pk:
        raise Refused("not_permitted", why="wallet_self")
    for finding in relation_findings(sender, receiver, relation, on):
        raise Refused(finding.code, **finding.params)
    read.enrolled(receiver, on)
    wallet = read.wallet_of(sender)
    if wallet is None:
        raise Refused("wallet_not_open")
    account = read.account_to_send_from(sender, enrolment) if source == WalletSource.ACCOUNT else None
    # An earlier transfer that is overdue comes back first, also where it had left another purse than this one leaves.
    earlier = wallet.sent.filter(state=TransferState.PENDING, account__isnull=False).values_list("account", flat=True)
    account_ids = {*earlier, *([account.pk] if account else [])}
    books = ledger.open(patient_id=sender.pk, years=[], account_ids=account_ids, on=on)
    held = wallets.lock(wallet.pk, at)
    available = books.accounts[account.pk].historical if account else held.balance
    _check(wallet, amount, at, available)
    sent = WalletTransfer.objects.create(
        sender=sender,
        receiver=receiver,
        relation=relation,
        source=source,
        account=account,
        wallet=wallet,
        amount=amount,
        sent_at=at,
        expires_at=rules.expires_at(at),
        sending_id=transaction_id,
    )
    _take(books, held, account, sent, on)
    _tell(sent, receiver, "wallet_sent", at)
    return {"transfer": sent.pk}


def _check(wallet: Wallet, amount: Decimal, at: datetime.datetime, available: Decimal) -> None:
    """Decided under the wallet's lock, so that two transfers at once do not both see the other absent."""
    purse = rules.Purse(
        available=available,
        sent_today=read.sent_on(wallet, at),
        pending=wallet.sent.filter(state=TransferState.PENDING, expires_at__gt=at).exists(),
    )
    code = rules.refusal(amount, at, purse)
    if code == "over_transfer_limit":
        why = "number" if purse.sent_today >= rules.TRANSFERS_A_DAY else "amount"
        raise Refused(code, why=why, most=plain(rules.MOST), times=rules.TRANSFERS_A_DAY)
    if code == "outside_hours":
        raise Refused(code, why="wallet")
    if code:
        raise Refused(code, available=plain(available), amount=plain(amount))


def _take(
    books: ledger.Books,
    held: wallets.OpenWallet,
    account: PersonalAccount | None,
    sent: WalletTransfer,
    on: datetime.date,
) -> None:
    if account is None:
        wallets.move(
            held,
            -sent.amount,
            transaction_id=sent.sending_id,
            kind=WalletEntryKind.SENT,
            on=on,
            transfer_id=sent.pk,
        )
        return
    movement = ledger.Movement(
        account_id=account.pk,
        kind=EntryKind.WALLET,
        contra=Contra.WALLET,
        contra_id=sent.pk,
        historical=-sent.amount,
    )
    books.post(sent.sending_id, [movement])


def accept(*, transfer: WalletTransfer, at: datetime.datetime, by: User | None = None, key: str = "") -> WalletTransfer:
    """Take a transfer into the receiver's wallet: from here on the money is his.

    The same key gets the first answer again; without one each call is an attempt of its own. Raises Refused:
    wallet_not_open, duplicate (accepted already), not_permitted (it has gone back), closed (the receiver has died);
    and PermissionDenied.
    """
    receiver = transfer.receiver
    wallet = read.wallet_of(receiver)
    if wallet is None:
        raise Refused("wallet_not_open")
    if not may_act_for(by, receiver, wallet.region_id):
        raise PermissionDenied
    ledger.once(
        scope=f"wallet-transfer:{transfer.pk}",
        # An attempt that came too late is an answer, but no reason to refuse one that was in time and came after it.
        key=f"accept:{key or uuid.uuid4()}",
        request={},
        kind=EntryKind.WALLET,
        on=timezone.localdate(at),
        region_id=wallet.region_id,
        by_id=by.pk if by else None,
        work=partial(_accept, transfer.pk, wallet.pk, at),
    )
    return WalletTransfer.objects.select_related("sender", "receiver").get(pk=transfer.pk)


def _accept(transfer_id: int, wallet_id: int, at: datetime.datetime, transaction_id: int) -> dict[str, Any]:
    transfers = WalletTransfer.objects.select_related("receiver", "sender")
    # Too late is refused before anything is held: who brings the money back holds the transfer, and may want the wallet.
    _refuse_ended(transfers.get(pk=transfer_id), at)
    held = wallets.lock(wallet_id, at)
    sent = transfers.select_for_update(of=("self",)).get(pk=transfer_id)
    _refuse_ended(sent, at)
    # Read under the wallet's lock, which whoever shares it among the heirs holds: from then on nothing comes into it.
    if sent.receiver.died_on is not None and sent.receiver.died_on <= timezone.localdate(at):
        raise Refused("closed", why="receiver_died")
    sent.state, sent.ended_at, sent.ending_id = TransferState.ACCEPTED, at, transaction_id
    sent.save(update_fields=["state", "ended_at", "ending"])
    wallets.move(
        held,
        sent.amount,
        transaction_id=transaction_id,
        kind=WalletEntryKind.RECEIVED,
        on=timezone.localdate(at),
        transfer_id=sent.pk,
    )
    _tell(sent, sent.sender, "wallet_accepted", at)
    return {"transfer": sent.pk}


def _refuse_ended(sent: WalletTransfer, at: datetime.datetime) -> None:
    if sent.state != TransferState.PENDING or sent.expires_at <= at:
        code = "duplicate" if sent.state == TransferState.ACCEPTED else "not_permitted"
        raise Refused(code, why="transfer")


def return_overdue(*, at: datetime.datetime, only: int | None = None) -> list[WalletTransfer]:
    """Bring back every transfer that was not accepted in time (or the one with this id), and tell the senders.

    Balances show it back from the moment itself; this writes it down. One transaction each, so one that fails holds up
    no other. Gives those of which a sender was told now.
    """
    found = WalletTransfer.objects.filter(expires_at__lte=at).exclude(state=TransferState.ACCEPTED).filter(told_at=None)
    if only is not None:
        found = found.filter(pk=only)
    told = []
    for pk in list(found.order_by("id").values_list("pk", flat=True)):
        with transaction.atomic():
            if back := _return(pk, at):
                told.append(back)
    return told


def _return(transfer_id: int, at: datetime.datetime) -> WalletTransfer | None:
    sent = WalletTransfer.objects.get(pk=transfer_id)
    if sent.account_id:
        ledger.open(patient_id=sent.sender_id, years=[], account_ids=[sent.account_id], on=timezone.localdate(at))
    else:
        wallets.lock(sent.wallet_id, at)
    sent = (
        WalletTransfer.objects.select_for_update(of=("self",)).select_related("sender", "receiver").get(pk=transfer_id)
    )
    if sent.state != TransferState.RETURNED or sent.told_at is not None:
        return None
    sent.told_at = at
    sent.save(update_fields=["told_at"])
    _tell(sent, sent.sender, "wallet_returned", at)
    return sent


def _tell(sent: WalletTransfer, member: Member, kind: str, at: datetime.datetime) -> None:
    facts = {
        "sender": mask_name(sent.sender.name),
        "receiver": mask_name(sent.receiver.name),
        "amount": plain(sent.amount),
        "until_at": sent.expires_at.isoformat(),
    }
    messages.notify(member=member, kind=kind, params=facts, at=at)
