"""Premiums for oneself and relatives (代缴), out of the personal account or the wallet: pay, give back, and the month's
collection."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import clock
from accounts.actions import audit, messages
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import Member, User
from accounts.money import ZERO, is_fen, plain
from settlements import ledger
from settlements.domain import premiums as rules
from settlements.enums import Contra, EntryKind, OrderState, WalletEntryKind, WalletSource
from settlements.ledger import wallets
from settlements.models import PersonalAccount, PremiumOrder, PremiumPayment, Wallet
from settlements.policies import may_act_for
from settlements.queries import premiums as read
from settlements.queries.premiums import Payer, Window


@dataclass(frozen=True, kw_only=True)
class Premium:
    """What is to be paid: yuan for one insurance and year. `buckets` pay in this order; `group` and its names as the
    region's file calls them (empty where the amount was given and not looked up)."""

    amount: Decimal
    year: int
    benefit_from: datetime.date
    insurance: str = read.RESIDENT
    buckets: tuple[str, ...] = ("historical",)
    group: str = ""
    group_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """The columns that a payment and an order share."""
        names = ("amount", "year", "benefit_from", "insurance", "group")
        return {name: getattr(self, name) for name in names} | {"group_names": dict(self.group_names)}


def premium_of(insured: Member, group: str, at: datetime.datetime) -> tuple[Premium, Window]:
    """What the region asks for somebody in a group at a moment: nobody types an amount.

    Raises Refused: not_insured, closed, not_covered (an employee; no such group for him), window_closed (with
    opens_on, if it opens again), own_route.
    """
    at = timezone.localtime(at)
    enrolment = read.resident_enrolment(insured, at.date())
    known = read.windows(enrolment.region_id)
    window = read.window_at(known, at)
    if window is None:
        coming = read.next_window(known, at.date())
        if coming is None:
            raise Refused("window_closed", why="unknown")
        raise Refused("window_closed", opens_on=coming.opens_on.isoformat(), year=coming.year)
    chosen = next((each for each in read.groups_for(window, insured) if each.key == group), None)
    if chosen is None:
        raise Refused("not_covered", why="premium_group")
    if chosen.own_route:
        raise Refused("own_route")
    premium = Premium(
        amount=chosen.amount,
        year=window.year,
        benefit_from=window.plan.benefit_from,
        insurance=window.insurance,
        buckets=window.plan.buckets,
        group=chosen.key,
        group_names=chosen.names,
    )
    return premium, window


def pay(
    *,
    payer: Member,
    insured: Member,
    premium: Premium,
    on: datetime.date,
    key: str,
    by: User | None = None,
    source: str = WalletSource.ACCOUNT,
) -> PremiumPayment:
    """Pay a premium whole from the payer's account, or from his wallet; the same key gives the first payment again.

    Raises Refused: not_insured, not_permitted, wallet_not_open, suspended, frozen, closed, duplicate (paid for this
    person, insurance and year), below_threshold, insufficient_balance; and PermissionDenied. The ledger transaction is
    the audit line.
    """
    if not is_fen(premium.amount) or premium.amount <= ZERO:
        raise ValueError(f"no amount of a premium: {premium.amount}")
    try:
        paying = read.payer_of(payer, insured, on, source)
    except Refused:
        if first := _answered(payer, insured, premium, source, key, by):
            return first
        raise
    if not may_act_for(by, payer, paying.region_id):
        raise PermissionDenied
    answer = ledger.once(
        scope=f"premium:{paying.purse}",
        key=key,
        request={"insured": insured.pk, "amount": plain(premium.amount), "year": premium.year, "of": premium.insurance},
        kind=EntryKind.PREMIUM,
        on=on,
        region_id=paying.region_id,
        by_id=by.pk if by else None,
        work=partial(_pay, payer, paying, insured, premium, on),
    )
    return PremiumPayment.objects.select_related("payer", "insured").get(pk=answer["payment"])


def _answered(
    payer: Member, insured: Member, premium: Premium, source: str, key: str, by: User | None
) -> PremiumPayment | None:
    """The payment that the key stands for already: whose answer was lost hears of it though today he would be refused."""
    payments = PremiumPayment.objects.select_related("payer", "insured").filter(
        payer=payer,
        wallet__isnull=source != WalletSource.WALLET,
        insured=insured,
        amount=premium.amount,
        year=premium.year,
        insurance=premium.insurance,
        transaction__key=key,
        transaction__scope__startswith="premium:",
    )
    first = payments.first()
    return first if first and may_act_for(by, payer, first.region_id) else None


def _pay(
    payer: Member, paying: Payer, insured: Member, premium: Premium, on: datetime.date, transaction_id: int
) -> dict[str, Any]:
    payment = PremiumPayment(
        payer=payer,
        insured=insured,
        grant=paying.grant,
        region_id=paying.region_id,
        transaction_id=transaction_id,
        paid_on=on,
        **premium.facts,
    )
    if paying.wallet:
        _out_of_wallet(payment, paying.wallet)
    else:
        assert paying.account is not None  # `payer_of` gives one of the two
        _out_of_account(payment, paying.account, premium, paying.keep)
    _tell(payment, "premium_paid")
    return {"payment": payment.pk}


def _out_of_account(payment: PremiumPayment, account: PersonalAccount, premium: Premium, keep: Decimal) -> None:
    books = ledger.open(patient_id=account.member_id, years=[], account_ids=[account.pk], on=payment.paid_on)
    _refuse_twice(payment)
    held = books.accounts[account.pk]
    taken = _taken(premium, held, keep)
    payment.account, payment.benefit_year = account, held.benefit_year
    payment.current, payment.historical = taken.get("current", ZERO), taken.get("historical", ZERO)
    _save_once(payment)
    books.post(payment.transaction_id, [_movement(payment, -payment.current, -payment.historical)])


def _out_of_wallet(payment: PremiumPayment, wallet: Wallet) -> None:
    held = wallets.lock(wallet.pk, ledger.moment(payment.paid_on))
    _refuse_twice(payment)
    if held.balance < payment.amount:
        facts = {"available": plain(held.balance), "amount": plain(payment.amount)}
        raise Refused("insufficient_balance", why="premium_wallet", **facts)
    payment.wallet = wallet
    _save_once(payment)
    kind = WalletEntryKind.PREMIUM
    wallets.move(held, -payment.amount, transaction_id=payment.transaction_id, kind=kind, on=payment.paid_on)


def _refuse_twice(payment: PremiumPayment) -> None:
    """Asked under the lock: whoever waited for it sees what was paid meanwhile."""
    if read.standing_payment(payment.insured_id, payment.insurance, payment.year):
        raise Refused("duplicate", why="premium", year=payment.year)


def _movement(payment: PremiumPayment, current: Decimal, historical: Decimal) -> ledger.Movement:
    assert payment.account_id is not None  # a wallet moves by its own entries
    return ledger.Movement(
        account_id=payment.account_id,
        kind=EntryKind.PREMIUM,
        contra=Contra.PREMIUM,
        contra_id=payment.pk,
        current=current,
        historical=historical,
    )


def _taken(premium: Premium, held: ledger.OpenAccount, keep: Decimal) -> dict[str, Decimal]:
    balances = {"current": held.current, "historical": held.historical}
    taken = rules.take(premium.buckets, balances, premium.amount, keep)
    if taken is None:
        available = max(sum((balances[bucket] for bucket in premium.buckets), ZERO) - keep, ZERO)
        code = "below_threshold" if keep and not available else "insufficient_balance"
        raise Refused(code, why="premium", available=plain(available), amount=plain(premium.amount))
    return taken


def _save_once(payment: PremiumPayment) -> None:
    """Two accounts may pay for the same person at once; their locks do not meet, the unique key does."""
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as error:
        if "premium_once" not in str(error):
            raise
        raise Refused("duplicate", why="premium", year=payment.year) from None


def refund(*, payment: PremiumPayment, on: datetime.date, by: User | None = None, key: str = "") -> PremiumPayment:
    """Give a premium back whole to the account or wallet that paid it, before its benefits begin.

    What came from current of a year that has closed goes to historical. The same key gets the first answer again; without
    one each call is an attempt of its own. Raises Refused: benefits_begun, duplicate (given back already); and
    PermissionDenied.
    """
    if not may_act_for(by, payment.payer, payment.region_id):
        raise PermissionDenied
    ledger.once(
        scope=f"premium:{read.purse(payment)}",
        key=f"refund:{payment.public_id}:{key or uuid.uuid4()}",
        request={"refund": payment.pk},
        kind=EntryKind.PREMIUM,
        on=on,
        region_id=payment.region_id,
        by_id=by.pk if by else None,
        work=partial(_refund, payment, on),
        reverses_id=payment.transaction_id,
    )
    payment.refresh_from_db()
    return payment


def _refund(payment: PremiumPayment, on: datetime.date, transaction_id: int) -> dict[str, Any]:
    if payment.account_id:
        _into_account(payment, payment.account_id, on, transaction_id)
    else:
        _into_wallet(payment, on, transaction_id)
    PremiumPayment.objects.filter(pk=payment.pk).update(refunded_on=on)
    _tell(payment, "premium_refunded" if payment.account_id else "premium_refunded_wallet")
    return {"payment": payment.pk}


def _into_account(payment: PremiumPayment, account_id: int, on: datetime.date, transaction_id: int) -> None:
    books = ledger.open(patient_id=payment.payer_id, years=[], account_ids=[account_id], on=on)
    _refuse_refund(payment, on)
    assert payment.benefit_year is not None  # an account's payment has one
    if books.accounts[account_id].benefit_year > payment.benefit_year:
        back = _movement(payment, ZERO, payment.amount)
    else:
        back = _movement(payment, payment.current, payment.historical)
    books.post(transaction_id, [back])


def _into_wallet(payment: PremiumPayment, on: datetime.date, transaction_id: int) -> None:
    assert payment.wallet_id is not None  # what no account paid a wallet did
    held = wallets.lock(payment.wallet_id, ledger.moment(on))
    _refuse_refund(payment, on)
    wallets.move(held, payment.amount, transaction_id=transaction_id, kind=WalletEntryKind.PREMIUM, on=on)


def _refuse_refund(payment: PremiumPayment, on: datetime.date) -> None:
    """Read under the lock of what paid: a second refund sees the first."""
    payment.refresh_from_db()
    if payment.refunded_on is not None:
        raise Refused("duplicate", why="premium_refund")
    if not rules.may_refund(payment.benefit_from, on):
        raise Refused("benefits_begun", began_on=payment.benefit_from.isoformat())


def _tell(payment: PremiumPayment, kind: str) -> None:
    """Both hear of it: who paid, and for whom."""
    facts = {
        "payer": mask_name(payment.payer.name),
        "insured": mask_name(payment.insured.name),
        "year": payment.year,
        "amount": plain(payment.amount),
    }
    for member in {payment.payer_id: payment.payer, payment.insured_id: payment.insured}.values():
        messages.notify(member=member, kind=kind, params=facts, at=clock.now())


# Where the bureau debits at the month's end


@transaction.atomic
def order(
    *, payer: Member, insured: Member, premium: Premium, at: datetime.datetime, by: User | None = None
) -> PremiumOrder:
    """Have a premium debited on the last day of the month (Beijing: BJ9; `debited_on`). Moves no money yet.

    Raises Refused like `pay` but for money, which counts on the day of the debit; duplicate also for a waiting order.
    """
    on = timezone.localdate(at)
    paying = read.payer_of(payer, insured, on)
    if not may_act_for(by, payer, paying.region_id):
        raise PermissionDenied
    if read.standing_payment(insured.pk, premium.insurance, premium.year):
        raise Refused("duplicate", why="premium", year=premium.year)
    made = PremiumOrder(
        payer=payer,
        insured=insured,
        grant=paying.grant,
        region_id=paying.region_id,
        by=by,
        ordered_at=at,
        due_on=rules.debited_on(clock.local(at)),
        buckets=list(premium.buckets),
        **premium.facts,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "premium_order_once" not in str(error):
            raise
        raise Refused("duplicate", why="premium_order", year=premium.year) from None
    details = {"order": made.number, "amount": plain(made.amount), "due_on": made.due_on.isoformat()}
    audit.record(action="premium_ordered", by=by, at=at, member=payer, details=details)
    return made


@transaction.atomic
def withdraw(*, order: PremiumOrder, at: datetime.datetime, by: User | None = None) -> PremiumOrder:
    """Take an order back before its debit. Raises Refused("changed_meanwhile") once it has ended; PermissionDenied."""
    if not may_act_for(by, order.payer, order.region_id):
        raise PermissionDenied
    order = _locked(order.pk)
    if order.state != OrderState.WAITING:
        raise Refused("changed_meanwhile")
    _end(order, OrderState.WITHDRAWN, at)
    audit.record(action="premium_order_withdrawn", by=by, at=at, member=order.payer, details={"order": order.number})
    return order


def collect(*, at: datetime.datetime) -> tuple[int, int]:
    """The month's debit: every order that is due, one transaction each; (paid, passed on to the tax office).

    May be run again and at once by two workers: an order ends once.
    """
    due = PremiumOrder.objects.filter(state=OrderState.WAITING, due_on__lte=timezone.localdate(at))
    paid = failed = 0
    for pk in list(due.order_by("id").values_list("pk", flat=True)):
        outcome = _collect(pk, at)
        paid += outcome == OrderState.PAID
        failed += outcome == OrderState.FAILED
    return paid, failed


@transaction.atomic
def _collect(order_id: int, at: datetime.datetime) -> str:
    order = _locked(order_id)
    if order.state != OrderState.WAITING:
        return ""
    premium = Premium(
        amount=order.amount,
        year=order.year,
        benefit_from=order.benefit_from,
        insurance=order.insurance,
        buckets=tuple(order.buckets),
        group=order.group,
        group_names=order.group_names,
    )
    on, key = timezone.localdate(at), f"order:{order.public_id}"
    try:
        payment = pay(payer=order.payer, insured=order.insured, premium=premium, on=on, key=key)
    except Refused as refused:
        facts = {"insured": mask_name(order.insured.name), "year": order.year, "amount": plain(order.amount)}
        if refused.code == "duplicate":
            # Paid otherwise since: nobody is to be sent to the tax office for it.
            _end(order, OrderState.WITHDRAWN, at)
            messages.notify(member=order.payer, kind="premium_paid_otherwise", params=facts, at=at)
        else:
            _end(order, OrderState.FAILED, at, refused=refused.code)
            messages.notify(member=order.payer, kind="premium_failed", params=facts, at=at)
    else:
        _end(order, OrderState.PAID, at, payment=payment)
    return order.state


def _locked(order_id: int) -> PremiumOrder:
    rows = PremiumOrder.objects.select_related("payer", "insured").select_for_update(of=("self",))
    return rows.get(pk=order_id)


def _end(
    order: PremiumOrder,
    state: str,
    at: datetime.datetime,
    payment: PremiumPayment | None = None,
    refused: str = "",
) -> None:
    order.state, order.ended_at, order.payment, order.refused = state, at, payment, refused
    order.save(update_fields=["state", "ended_at", "payment", "refused"])
