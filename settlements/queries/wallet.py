"""What the wallet actions and pages must know; nothing here is locked."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member, Region, User
from accounts.money import ZERO
from accounts.policies import is_member
from accounts.queries import enrolment_on
from settlements.domain.wallet import SHANGHAI
from settlements.enums import AccountStatus, TransferState, WalletEntryKind, WalletSource
from settlements.ledger import wallets
from settlements.models import PersonalAccount, PremiumPayment, Settlement, Wallet, WalletEntry, WalletTransfer
from settlements.queries.parameters import region_rule


def takes_part(region: Region, on: datetime.date) -> bool:
    """Whether a region has opened the wallet by a day, as its file says."""
    return region_rule(region, "wallet", on) is not None


def enrolled(member: Member, on: datetime.date) -> Enrolment:
    """The enrolment of somebody who can have a wallet. Raises Refused: not_insured, closed, not_permitted (the region
    does not take part)."""
    return may_have(member, enrolment_on(member, on), on)


def may_have(member: Member, enrolment: Enrolment | None, on: datetime.date) -> Enrolment:
    """`enrolled` for somebody of whom it is known how he is insured."""
    if enrolment is None:
        raise Refused("not_insured")
    if enrolment.status == "closed" or (member.died_on is not None and member.died_on <= on):
        raise Refused("closed")
    if not takes_part(enrolment.region, on):
        raise Refused("not_permitted", why="wallet_region", region=enrolment.region.name)
    return enrolment


def pays_in_region(member: Member, on: datetime.date) -> bool:
    """Whether a wallet can pay the member's bills of a day: where he is insured it can."""
    try:
        enrolled(member, on)
    except Refused:
        return False
    return True


def place_of_use(wallet: Wallet, on: datetime.date) -> Region:
    """Where a wallet pays: where its member is insured on a day, and the place at which it was opened while he is not."""
    enrolment = enrolment_on(wallet.member, on)
    return enrolment.region if enrolment else wallet.region


def places_that_accept(region: Region, name: str = "") -> QuerySet[Institution]:
    """The hospitals and pharmacies of a place of use where a wallet pays: all that may settle; with a part of the name."""
    places = Institution.objects.filter(region=region, is_active=True).order_by("name", "code")
    return places.filter(name__icontains=name) if name else places


def account_to_send_from(member: Member, enrolment: Enrolment) -> PersonalAccount:
    """The sender's personal account. Raises Refused: not_permitted (a resident, or no account), suspended, frozen."""
    account = PersonalAccount.objects.filter(
        member=member, region=enrolment.region_id, status=AccountStatus.OPEN
    ).first()
    if account is None or enrolment.insurance != "employee":
        raise Refused("not_permitted", why="wallet_account")
    if enrolment.status != "normal":
        raise Refused(enrolment.status)
    return account


def wallet_of(member: Member) -> Wallet | None:
    """The member's wallet, if he has opened one."""
    return Wallet.objects.filter(member=member).select_related("region", "member").first()


def balance_of(wallet: Wallet, at: datetime.datetime) -> Decimal:
    """Yuan in a wallet at a moment, with what has come back by then."""
    return wallets.balances([wallet.member_id], at).get(wallet.pk, ZERO)


def transfers_visible_to(user: User) -> QuerySet[WalletTransfer]:
    """The transfers that a citizen sent or was sent."""
    return transfers_of(user.member) if is_member(user) else WalletTransfer.objects.none()


def transfers_of(member: Member) -> QuerySet[WalletTransfer]:
    """The transfers that a member sent or was sent; the caller has asked whether they may be read."""
    mine = Q(sender=member) | Q(receiver=member)
    return WalletTransfer.objects.filter(mine).select_related("sender", "receiver")


def transfer_visible_to(user: User, public_id: UUID) -> WalletTransfer | None:
    """One of them, or None."""
    return transfers_visible_to(user).filter(public_id=public_id).first()


def waiting_for(member: Member, at: datetime.datetime) -> QuerySet[WalletTransfer]:
    """Transfers that the member can still accept at a moment, the first to return first."""
    found = WalletTransfer.objects.filter(receiver=member, state=TransferState.PENDING, expires_at__gt=at)
    return found.select_related("sender", "receiver").order_by("expires_at", "id")


def on_its_way(member: Member, at: datetime.datetime) -> WalletTransfer | None:
    """What the member has sent and nobody has accepted yet."""
    found = WalletTransfer.objects.filter(sender=member, state=TransferState.PENDING, expires_at__gt=at)
    return found.select_related("sender", "receiver").first()


def sent_on(wallet: Wallet, at: datetime.datetime) -> int:
    """How many transfers were sent from a wallet on the calendar day of a moment, returned ones too."""
    start = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return wallet.sent.filter(sent_at__gte=start, sent_at__lt=start + datetime.timedelta(days=1)).count()


def sent_with(sender: Member, key: str, *, receiver: Member, amount: Decimal, source: str) -> WalletTransfer | None:
    """The transfer that was sent with a key and is the same one, if there is one."""
    transfers = WalletTransfer.objects.select_related("sender", "receiver", "wallet")
    return transfers.filter(
        sender=sender,
        receiver=receiver,
        amount=amount,
        source=source,
        sending__scope=f"wallet:{sender.pk}",
        sending__key=key,
    ).first()


def entries_of(wallet: Wallet) -> QuerySet[WalletEntry]:
    """The movements of a wallet, newest first."""
    causes = ("settlement__institution", "premium__insured", "premium__grant")
    told = [f"transaction__{way}{cause}" for way in ("", "reverses__") for cause in causes]
    return wallet.entries.select_related("transfer__sender", "transfer__receiver", *told).order_by("-version")


def bill_of(entry: WalletEntry) -> Settlement | None:
    """The bill that a movement paid, or gave back; None for a transfer."""
    return getattr(entry.transaction.reverses or entry.transaction, "settlement", None)


def premium_of(entry: WalletEntry) -> PremiumPayment | None:
    """The premium that a movement paid, or gave back; None for anything else."""
    return getattr(entry.transaction.reverses or entry.transaction, "premium", None)


@dataclass(frozen=True, kw_only=True)
class WalletLine:
    """One movement of a wallet as its holder reads it, in yuan, with what caused it: one of the three."""

    on: datetime.date
    kind: str
    amount: Decimal
    after: Decimal
    bill: Settlement | None = None
    premium: PremiumPayment | None = None
    transfer: WalletTransfer | None = None


@dataclass(frozen=True, kw_only=True)
class WalletPeriod:
    """A wallet from one day to another, both counted; opening + every line = closing, in yuan."""

    opening: Decimal
    closing: Decimal
    lines: list[WalletLine]


def lines(entries: Iterable[WalletEntry]) -> list[WalletLine]:
    """Entries as lines, in the order given."""
    return [
        WalletLine(
            on=entry.business_date,
            kind=entry.kind,
            amount=entry.delta,
            after=entry.after,
            bill=bill_of(entry),
            premium=premium_of(entry),
            transfer=entry.transfer,
        )
        for entry in entries
    ]


def period(member: Member, start: datetime.date, end: datetime.date) -> WalletPeriod | None:
    """A member's wallet from `start` to `end`, with what has come back by then; None without one on the last day."""
    wallet = wallet_of(member)
    if wallet is None or timezone.localdate(wallet.opened_at) > end:
        return None
    written = lines(entries_of(wallet).filter(business_date__lte=end).order_by("version"))
    found = sorted([*written, *due_lines(wallet, end)], key=lambda line: line.on)
    opening = balance = sum((line.amount for line in found if line.on < start), ZERO)
    listed = []
    for line in found:
        if line.on >= start:
            balance += line.amount
            # Counted on from the opening balance, so that every line of the list leads to the next.
            listed.append(replace(line, after=balance))
    return WalletPeriod(opening=opening, closing=balance, lines=listed)


def due_lines(wallet: Wallet, on: datetime.date) -> list[WalletLine]:
    """What `balance_of` shows back on a day already and nobody has written down: one transfer, for the next one waits."""
    overdue = wallet.sent.filter(
        source=WalletSource.WALLET, state=TransferState.PENDING, expires_at__lte=wallets.moment(on)
    )
    return [
        WalletLine(
            on=timezone.localdate(sent.expires_at),
            kind=WalletEntryKind.RETURNED,
            amount=sent.amount,
            after=wallet.balance + sent.amount,
            transfer=sent,
        )
        for sent in overdue.select_related("sender", "receiver")
    ]


def paid_with(bill: Settlement) -> Wallet:
    """The wallet that paid a part of a bill. DoesNotExist if none did."""
    return Wallet.objects.get(entries__transaction=bill.transaction_id)


@dataclass(frozen=True, kw_only=True)
class State:
    """How a transfer stands at a moment: one that is overdue is back, whoever has written that down."""

    code: str
    since: datetime.datetime | None


def state_at(transfer: WalletTransfer, at: datetime.datetime) -> State:
    """pending, accepted or returned, and since when."""
    if transfer.state == TransferState.PENDING and transfer.expires_at <= at:
        return State(code=TransferState.RETURNED, since=transfer.expires_at)
    return State(code=transfer.state, since=transfer.ended_at)
