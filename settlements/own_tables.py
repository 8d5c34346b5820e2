"""A member's accounts, bills, wallet and premiums, as tables of the file that he can take with him."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import kinship, language, masks
from accounts.models import User
from accounts.own_data import CHUNK, Table, in_chunks
from settlements.enums import FileState, TransferState
from settlements.models import Contribution, PersonalAccount, Reimbursement, SettlementPayer
from settlements.queries import claims as claims_read
from settlements.queries import member as read
from settlements.queries import premiums as premiums_read
from settlements.queries import wallet as wallet_read
from settlements.queries.statement import due_lines
from settlements.queries.withdrawal import applications_visible_to
from settlements.telling import closing
from settlements.telling import movements as telling

Rows = Iterator[list[Any]]


def accounts(user: User, at: datetime.datetime) -> Rows:
    """As they stand on the day."""
    for account in _accounts(user):
        held = read.balance_of(account, timezone.localdate(at))
        yield [
            account.region.local_name,
            account.get_status_display(),
            account.opened_on,
            held.benefit_year,
            held.current,
            held.historical,
            held.debt,
        ]


def entries(user: User, at: datetime.datetime) -> Rows:
    """Every movement of every account, and what the balances show that is not written yet."""
    for account in _accounts(user):
        found = read.movements(user, account).order_by("version")
        for chunk in in_chunks(found.iterator(CHUNK)):
            yield from (_entry(account, line) for line in read.lines(account, chunk))
        yield from (_entry(account, line) for line in due_lines(account, timezone.localdate(at)))


def _accounts(user: User) -> list[PersonalAccount]:
    return list(read.accounts_visible_to(user).order_by("opened_on", "pk"))


def _entry(account: PersonalAccount, line: read.Line) -> list[Any]:
    return [
        account.region.local_name,
        line.benefit_year,
        line.on,
        telling.what(line),
        telling.place(line),
        line.current,
        line.historical,
        line.debt,
        line.current_after,
        line.historical_after,
        line.debt_after,
        line.settlement.number if line.settlement else None,
    ]


def contributions(user: User, at: datetime.datetime) -> Rows:
    """What came in files that count."""
    found = Contribution.objects.filter(member=user.member, file__state=FileState.RELEASED)
    for row in found.order_by("month", "file_id").iterator(CHUNK):
        yield [f"{row.month:%Y-%m}", row.base]


def bills(user: User, at: datetime.datetime) -> Rows:
    """His own."""
    found = read.settlements_visible_to(user).filter(patient=user.member_id).select_related("institution", "region")
    for bill in found.order_by("settled_on", "pk").iterator(CHUNK):
        yield [
            bill.number,
            bill.settled_on,
            bill.service_on,
            bill.institution and bill.institution.name,
            bill.get_kind_display(),
            bill.get_level_display(),
            bill.region.local_name,
            bill.get_insurance_display(),
            bill.counted_year,
            bill.total,
            bill.in_scope,
            bill.pre_self_pay,
            bill.self_paid,
            bill.deductible,
            bill.fund,
            bill.supplement,
            bill.own_current,
            bill.own_historical,
            bill.wallet,
            bill.shared,
            bill.cash,
            bill.reversed_on,
        ]


def relatives_who_paid(user: User, at: datetime.datetime) -> Rows:
    """Of his own bills, as their pages say it: who and how much, not out of which balance."""
    found = SettlementPayer.objects.filter(settlement__patient=user.member_id, grant__isnull=False)
    found = found.select_related("settlement", "member", "grant").order_by("settlement_id", "position")
    for leg in found.iterator(CHUNK):
        relation = kinship.inverse(leg.grant.relation) if leg.grant else ""
        yield [leg.settlement.number, telling.named(leg.member, relation), leg.current + leg.historical]


def paid_for_relatives(user: User, at: datetime.datetime) -> Rows:
    """Where, when and how much; what for is the relative's alone."""
    found = SettlementPayer.objects.filter(member=user.member_id, grant__isnull=False)
    found = found.select_related("settlement__institution", "settlement__patient", "grant")
    for leg in found.order_by("settlement_id", "position").iterator(CHUNK):
        bill = leg.settlement
        yield [
            bill.settled_on,
            telling.named(bill.patient, leg.grant.relation if leg.grant else ""),
            bill.institution and bill.institution.name,
            leg.current + leg.historical,
            bill.reversed_on,
        ]


def claims(user: User, at: datetime.datetime) -> Rows:
    """Bills paid in cash. The bank account in full: it is his own."""
    found = claims_read.claims_visible_to(user).filter(patient=user.member_id).order_by("case__opened_at", "pk")
    for claim in found.iterator(CHUNK):
        yield [
            claim.case.number,
            claim.case.get_state_display(),
            claim.service_on,
            claim.institution.name,
            claim.get_kind_display(),
            claim.invoice_number,
            claim.in_scope,
            claim.pre_self_pay,
            claim.self_paid,
            claim.bank,
            claim.bank_account,
            claim.settlement.number if claim.settlement else None,
        ]


def reimbursements(user: User, at: datetime.datetime) -> Rows:
    """What the office paid him, or (negative) asked back, outside the accounts."""
    found = Reimbursement.objects.filter(member=user.member_id).select_related("case")
    for row in found.order_by("decided_on", "pk").iterator(CHUNK):
        yield [row.case.number, row.decided_on, row.amount, row.bank, row.bank_account, row.done_on, row.reference]


def closings(user: User, at: datetime.datetime) -> Rows:
    """Accounts closed or to be closed, and who gets what, as the page of each tells: of an inheritance his own part."""
    for asked in applications_visible_to(user).order_by("case__opened_at", "pk"):
        own = asked.case.applicant_id == user.member_id
        for payee in closing.payee_rows(asked, only=None if own else user.member):
            yield [
                asked.case.number,
                asked.region.local_name,
                masks.mask_name(asked.member.name),
                asked.get_reason_display(),
                asked.since,
                payee.name,
                payee.percent,
                payee.where,
                payee.amount,
            ]


def wallet(user: User, at: datetime.datetime) -> Rows:
    """Every movement, from the day it was opened."""
    held = wallet_read.wallet_of(user.member)
    period = held and wallet_read.period(user.member, timezone.localdate(held.opened_at), timezone.localdate(at))
    for line in period.lines if period else ():
        yield [line.on, telling.wallet_what(line), line.amount, line.after]


def transfers(user: User, at: datetime.datetime) -> Rows:
    """Sent and received, as they stand at the moment."""
    for transfer in wallet_read.transfers_visible_to(user).order_by("sent_at", "pk").iterator(CHUNK):
        state = wallet_read.state_at(transfer, at)
        sent = transfer.sender_id == user.member_id
        yield [
            transfer.number,
            transfer.sent_at,
            _("sent to") if sent else _("received from"),
            masks.mask_name((transfer.receiver if sent else transfer.sender).name),
            transfer.get_source_display() if sent else None,
            transfer.amount,
            TransferState(state.code).label,
            state.since,
        ]


def premiums(user: User, at: datetime.datetime) -> Rows:
    """What he paid, and what was paid for him."""
    for paid in premiums_read.payments_visible_to(user).order_by("paid_on", "pk").iterator(CHUNK):
        mine = paid.payer_id == user.member_id
        payer, insured = _("Yourself"), _("Yourself")
        if paid.grant:
            relation = paid.grant.relation
            insured = telling.named(paid.insured, relation) if mine else insured
            payer = payer if mine else telling.named(paid.payer, kinship.inverse(relation))
        yield [
            paid.number,
            paid.paid_on,
            paid.year,
            payer,
            insured,
            paid.region.local_name,
            language.name_of(paid.group_names),
            paid.amount,
            _("Wallet") if paid.wallet_id else _("Personal account"),
            paid.refunded_on,
        ]


def orders(user: User, at: datetime.datetime) -> Rows:
    """Premiums that were to be debited at a month's end."""
    for order in premiums_read.orders_visible_to(user).order_by("ordered_at", "pk").iterator(CHUNK):
        relation = order.grant.relation if order.grant else ""
        insured = telling.named(order.insured, relation) if relation else _("Yourself")
        yield [
            order.number,
            order.ordered_at,
            order.year,
            insured,
            order.amount,
            order.due_on,
            order.get_state_display(),
        ]


TABLES = [
    Table(
        order=100,
        title=gettext_lazy("Accounts"),
        heads=[
            gettext_lazy("Region"),
            gettext_lazy("State"),
            gettext_lazy("Opened on"),
            gettext_lazy("Benefit year"),
            gettext_lazy("This year's balance"),
            gettext_lazy("Earlier years' balance"),
            gettext_lazy("Debt"),
        ],
        rows=accounts,
    ),
    Table(
        order=110,
        title=gettext_lazy("Movements of the accounts"),
        heads=[
            gettext_lazy("Region"),
            gettext_lazy("Benefit year"),
            gettext_lazy("Date"),
            gettext_lazy("What"),
            gettext_lazy("Where"),
            gettext_lazy("This year's balance, change"),
            gettext_lazy("Earlier years' balance, change"),
            gettext_lazy("Debt, change"),
            gettext_lazy("This year's balance after"),
            gettext_lazy("Earlier years' balance after"),
            gettext_lazy("Debt after"),
            gettext_lazy("Number of the bill"),
        ],
        rows=entries,
    ),
    Table(
        order=120,
        title=gettext_lazy("Contributions received"),
        heads=[gettext_lazy("Month of contribution"), gettext_lazy("Monthly contribution base")],
        rows=contributions,
    ),
    Table(
        order=200,
        title=gettext_lazy("Your bills"),
        heads=[
            gettext_lazy("Number of the bill"),
            gettext_lazy("Settled on"),
            gettext_lazy("Day of care"),
            gettext_lazy("Institution"),
            gettext_lazy("Kind of care"),
            gettext_lazy("Level"),
            gettext_lazy("Region"),
            gettext_lazy("Insurance"),
            gettext_lazy("Benefit year"),
            gettext_lazy("Whole bill"),
            gettext_lazy("In the catalogue"),
            gettext_lazy("Pre-self-pay"),
            gettext_lazy("Outside the catalogue"),
            gettext_lazy("Borne as deductible"),
            gettext_lazy("Pooled fund"),
            gettext_lazy("Supplementary fund"),
            gettext_lazy("This year's balance"),
            gettext_lazy("Earlier years' balance"),
            gettext_lazy("Wallet"),
            gettext_lazy("Relatives' accounts"),
            gettext_lazy("Cash"),
            gettext_lazy("Reversed on"),
        ],
        rows=bills,
    ),
    Table(
        order=220,
        title=gettext_lazy("Relatives who paid for you"),
        heads=[gettext_lazy("Number of the bill"), gettext_lazy("Relative"), gettext_lazy("Amount")],
        rows=relatives_who_paid,
    ),
    Table(
        order=230,
        title=gettext_lazy("Paid for relatives"),
        heads=[
            gettext_lazy("Settled on"),
            gettext_lazy("Relative"),
            gettext_lazy("Institution"),
            gettext_lazy("Your part"),
            gettext_lazy("Reversed on"),
        ],
        rows=paid_for_relatives,
    ),
    Table(
        order=240,
        title=gettext_lazy("Bills paid in cash"),
        heads=[
            gettext_lazy("Case number"),
            gettext_lazy("State"),
            gettext_lazy("Day of care"),
            gettext_lazy("Institution"),
            gettext_lazy("Kind of care"),
            gettext_lazy("Number of the invoice"),
            gettext_lazy("In the catalogue"),
            gettext_lazy("Pre-self-pay"),
            gettext_lazy("Outside the catalogue"),
            gettext_lazy("Bank"),
            gettext_lazy("Bank account"),
            gettext_lazy("Number of the bill"),
        ],
        rows=claims,
    ),
    Table(
        order=250,
        title=gettext_lazy("Paid to your bank account"),
        heads=[
            gettext_lazy("Case number"),
            gettext_lazy("Decided on"),
            gettext_lazy("Amount"),
            gettext_lazy("Bank"),
            gettext_lazy("Bank account"),
            gettext_lazy("Payment date"),
            gettext_lazy("Number of the bank order"),
        ],
        rows=reimbursements,
    ),
    Table(
        order=260,
        title=gettext_lazy("Closed accounts"),
        heads=[
            gettext_lazy("Case number"),
            gettext_lazy("Region"),
            gettext_lazy("Account of"),
            gettext_lazy("Reason"),
            gettext_lazy("Since"),
            gettext_lazy("Who"),
            gettext_lazy("Share, percent"),
            gettext_lazy("Paid to"),
            gettext_lazy("Amount"),
        ],
        rows=closings,
    ),
    Table(
        order=300,
        title=gettext_lazy("Movements of the wallet"),
        heads=[gettext_lazy("Date"), gettext_lazy("What"), gettext_lazy("Amount"), gettext_lazy("Balance after")],
        rows=wallet,
    ),
    Table(
        order=310,
        title=gettext_lazy("Wallet transfers"),
        heads=[
            gettext_lazy("Number"),
            gettext_lazy("Sent on"),
            gettext_lazy("Which way"),
            gettext_lazy("Relative"),
            gettext_lazy("Out of"),
            gettext_lazy("Amount"),
            gettext_lazy("State"),
            gettext_lazy("Since"),
        ],
        rows=transfers,
    ),
    Table(
        order=400,
        title=gettext_lazy("Premiums"),
        heads=[
            gettext_lazy("Number"),
            gettext_lazy("Paid on"),
            gettext_lazy("Year of insurance"),
            gettext_lazy("Paid by"),
            gettext_lazy("For whom"),
            gettext_lazy("Region"),
            gettext_lazy("Group"),
            gettext_lazy("Amount"),
            gettext_lazy("Out of"),
            gettext_lazy("Given back on"),
        ],
        rows=premiums,
    ),
    Table(
        order=410,
        title=gettext_lazy("Premiums ordered for a month's end"),
        heads=[
            gettext_lazy("Number"),
            gettext_lazy("Ordered on"),
            gettext_lazy("Year of insurance"),
            gettext_lazy("For whom"),
            gettext_lazy("Amount"),
            gettext_lazy("Debited on"),
            gettext_lazy("State"),
        ],
        rows=orders,
    ),
]
