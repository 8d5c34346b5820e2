"""What premiums are asked for, from whom, and who may pay them out of which account; nothing here is locked."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Enrolment, Member, User
from accounts.money import ZERO
from accounts.policies import is_member, regions_with_role
from accounts.queries import enrolment_on, enrolments_on
from family.domain.rules import SharingRules
from family.models import SharingGrant
from family.queries import rules_on, whom_shares
from settlements.domain import premiums as rules
from settlements.domain.premiums import PremiumGroup, PremiumPlan
from settlements.enums import AccountStatus, OrderState, WalletSource
from settlements.models import PersonalAccount, PremiumOrder, PremiumPayment, Wallet
from settlements.models import PremiumPlan as PlanRow
from settlements.queries import wallet as wallets

RESIDENT = "resident"
UNDEBITED_TOLD = datetime.timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A plan with its place and days: `opens_on` until before `closed_from`."""

    region_id: str
    insurance: str
    year: int
    opens_on: datetime.date
    closed_from: datetime.date | None
    plan: PremiumPlan

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which it is taken, until `plan.closes_at`."""
        return self.closed_from - datetime.timedelta(days=1) if self.closed_from else None

    def is_open(self, at: datetime.datetime) -> bool:
        """Whether it is taken at a moment (an aware one, in Asia/Shanghai)."""
        day = at.date()
        if day < self.opens_on or (self.closed_from is not None and day >= self.closed_from):
            return False
        return not (day == self.last_day and self.plan.closes_at is not None and at.time() >= self.plan.closes_at)


@dataclass(frozen=True, kw_only=True)
class Payer:
    """What pays, an account or a wallet, where its holder is insured, by what right (None: for himself), and how many
    yuan of it stay untouched."""

    region_id: str
    grant: SharingGrant | None
    keep: Decimal = ZERO
    account: PersonalAccount | None = None
    wallet: Wallet | None = None

    @property
    def purse(self) -> str:
        """As `purse` of the payment."""
        return _purse(self.account and self.account.pk, self.wallet and self.wallet.pk)


def purse(payment: PremiumPayment) -> str:
    """What paid, in one word: keys that were used for it are told apart by that."""
    return _purse(payment.account_id, payment.wallet_id)


def _purse(account_id: int | None, wallet_id: int | None) -> str:
    return str(account_id) if account_id else f"wallet:{wallet_id}"


def windows(region_id: str, insurance: str = RESIDENT) -> list[Window]:
    """Every window a region's file knows, the latest first."""
    rows = PlanRow.objects.filter(region=region_id, insurance=insurance).order_by("-valid_from")
    return [
        Window(
            region_id=region_id,
            insurance=insurance,
            year=row.year,
            opens_on=row.valid_from,
            closed_from=row.valid_to,
            plan=PremiumPlan.from_data(row.data),
        )
        for row in rows
    ]


def window_at(found: Sequence[Window], at: datetime.datetime) -> Window | None:
    """The window that is open at a moment."""
    return next((window for window in found if window.is_open(at)), None)


def next_window(found: Sequence[Window], on: datetime.date) -> Window | None:
    """The next one that opens after a day."""
    return min((window for window in found if window.opens_on > on), key=lambda window: window.opens_on, default=None)


def year_paid_on(region_id: str, on: datetime.date) -> tuple[int, datetime.date, tuple[str, ...]]:
    """The year that a premium paid on a day is for, when its benefits begin, and the buckets that may pay it.

    By the region's window of that day; without one by the usual season, from 1 January, out of historical.
    """
    for window in windows(region_id):
        if window.opens_on <= on and (window.closed_from is None or on < window.closed_from):
            return window.year, window.plan.benefit_from, window.plan.buckets
    year = rules.usual_year(on)
    return year, datetime.date(year, 1, 1), ("historical",)


class Paying:
    """By what right a member pays premiums on a day. Each fact is read once, for however many people it is asked."""

    def __init__(self, payer: Member, on: datetime.date) -> None:
        self.payer, self.on = payer, on
        self._rules: dict[str, SharingRules | None] = {}

    @cached_property
    def grants(self) -> dict[int, SharingGrant]:
        """Those that he gives, by beneficiary, in the order of binding."""
        return {grant.beneficiary_id: grant for grant in whom_shares(self.payer, self.on)}

    @cached_property
    def enrolments(self) -> dict[int, Enrolment]:
        """How he and those beneficiaries are insured."""
        return enrolments_on([self.payer, *(grant.beneficiary for grant in self.grants.values())], self.on)

    @cached_property
    def wallet(self) -> Wallet | None:
        return wallets.wallet_of(self.payer)

    @cached_property
    def account(self) -> PersonalAccount | None:
        """The open one of an employee, where he is insured."""
        enrolment = self.enrolments.get(self.payer.pk)
        if enrolment is None or enrolment.insurance != "employee":
            return None
        accounts = PersonalAccount.objects.filter(member=self.payer, region=enrolment.region_id)
        return accounts.filter(status=AccountStatus.OPEN).first()

    def out_of(self, source: str, insured: Member) -> Payer:
        """As `payer_of`."""
        return self._out_of_wallet(insured) if source == WalletSource.WALLET else self._out_of_account(insured)

    def _out_of_account(self, insured: Member) -> Payer:
        payer, enrolment = self.payer, self.enrolments.get(self.payer.pk)
        if enrolment is None:
            raise Refused("not_insured")
        if payer.died_on is not None and payer.died_on <= self.on:
            raise Refused("closed")
        account = self.account
        if account is None:
            raise Refused("not_permitted", why="premium_account")
        if payer.pk == insured.pk:
            if enrolment.status not in ("normal", "suspended"):
                raise Refused(enrolment.status)
            return Payer(region_id=account.region_id, account=account, grant=None)
        grant = self.grants.get(insured.pk)
        sharing = self._sharing(grant.region_id) if grant and grant.paused_at is None else None
        if grant is None or sharing is None or not grant.uses_premium or "premium" not in sharing.uses:
            raise Refused("not_permitted", why="premium")
        if enrolment.status != "normal":
            raise Refused(enrolment.status)
        return Payer(region_id=account.region_id, account=account, grant=grant, keep=sharing.keep)

    def _out_of_wallet(self, insured: Member) -> Payer:
        """What lies in a wallet is the payer's own: no threshold, and the grant only shows that the two are near
        relatives, whatever it may be used for (decision 0026)."""
        payer, on = self.payer, self.on
        enrolment = wallets.may_have(payer, self.enrolments.get(payer.pk), on)
        if self.wallet is None:
            raise Refused("wallet_not_open")
        grant = None
        if payer.pk != insured.pk:
            grant = self.grants.get(insured.pk)
            if grant is None:
                raise Refused("not_permitted", why="premium_wallet")
        wallets.may_have(insured, self.enrolments.get(insured.pk), on)
        if enrolment.status not in ("normal", "suspended"):
            raise Refused(enrolment.status)
        return Payer(region_id=enrolment.region_id, wallet=self.wallet, grant=grant)

    def _sharing(self, region_id: str) -> SharingRules | None:
        if region_id not in self._rules:
            self._rules[region_id] = rules_on(region_id, self.on)
        return self._rules[region_id]


def payer_of(payer: Member, insured: Member, on: datetime.date, source: str = WalletSource.ACCOUNT) -> Payer:
    """By what right an account or a wallet may pay somebody's premium on a day; permission comes before the state of
    insurance.

    Raises Refused: not_insured, not_permitted (a resident, no account, no grant for premiums in force; for a wallet no
    grant at all, or a region that does not take part), wallet_not_open, suspended, frozen, closed. Oneself may pay
    while suspended: one's own money stays usable (domain.md 5, number 22).
    """
    return Paying(payer, on).out_of(source, insured)


def standing_payment(insured_id: int, insurance: str, year: int) -> PremiumPayment | None:
    """The payment that counts for a person, insurance and year; refunded ones do not."""
    return PremiumPayment.objects.filter(insured=insured_id, insurance=insurance, year=year, refunded_on=None).first()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Somebody whose premium a member may pay: himself (`grant` None) or a relative, and why not, if not.

    `sources`: what may pay it, the account first; `region_id`: where it is asked for; empty where it is refused.
    """

    member: Member
    grant: SharingGrant | None
    refused: Refused | None
    sources: tuple[str, ...] = ()
    region_id: str = ""


def people_to_pay_for(payer: Member, on: datetime.date) -> list[Choice]:
    """Oneself first, then everybody for whom one has given a grant, each with the reason against it if there is one."""
    paying = Paying(payer, on)
    choices = [_choice(paying, payer, None)]
    choices += [_choice(paying, grant.beneficiary, grant) for grant in paying.grants.values()]
    return choices


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is asked for somebody at a moment: the windows that his region knows, the one that is open, and the payment
    that counts for it already."""

    choice: Choice
    known: list[Window]
    window: Window | None
    paid: PremiumPayment | None


def dues(choices: Sequence[Choice], at: datetime.datetime) -> list[Due]:
    """What is asked for each of them; nothing where it is refused."""
    known = {region_id: windows(region_id) for region_id in {choice.region_id for choice in choices} if region_id}
    rows = PremiumPayment.objects.filter(insured__in=[choice.member.pk for choice in choices], refunded_on=None)
    paid = {(row.insured_id, row.insurance, row.year): row for row in rows}
    found = []
    for choice in choices:
        here = known.get(choice.region_id, [])
        window = window_at(here, at)
        key = (choice.member.pk, window.insurance, window.year) if window else None
        found.append(Due(choice=choice, known=here, window=window, paid=paid.get(key) if key else None))
    return found


def _choice(paying: Paying, insured: Member, grant: SharingGrant | None) -> Choice:
    """Why the account may not pay is what is told where nothing may: the wallet is the second way."""
    sources, against = [], []
    for source in (WalletSource.ACCOUNT, WalletSource.WALLET):
        try:
            paying.out_of(source, insured)
        except Refused as refused:
            against.append(refused)
        else:
            sources.append(source.value)
    try:
        enrolment = _resident(insured, paying.enrolments.get(insured.pk), paying.on)
    except Refused as refused:
        # Whoever has no premium to pay is not told that he lacks the means to.
        told = refused if sources or grant is None else against[0]
        return Choice(member=insured, grant=grant, refused=told)
    if not sources:
        return Choice(member=insured, grant=grant, refused=against[0])
    return Choice(member=insured, grant=grant, refused=None, sources=tuple(sources), region_id=enrolment.region_id)


def resident_enrolment(insured: Member, on: datetime.date) -> Enrolment:
    """How somebody is insured whose resident premium is to be paid. Raises Refused: not_insured, closed,
    not_covered (an employee, who has none to pay)."""
    return _resident(insured, enrolment_on(insured, on), on)


def _resident(insured: Member, enrolment: Enrolment | None, on: datetime.date) -> Enrolment:
    if enrolment is None:
        raise Refused("not_insured")
    if enrolment.status == "closed" or (insured.died_on is not None and insured.died_on <= on):
        raise Refused("closed")
    if enrolment.insurance != RESIDENT:
        raise Refused("not_covered", why="premium_employee")
    return enrolment


def groups_for(window: Window, insured: Member) -> tuple[PremiumGroup, ...]:
    """The groups of a window that somebody may belong to."""
    return window.plan.groups_for(insured.birth)


def payments_visible_to(user: User) -> QuerySet[PremiumPayment]:
    """What a citizen paid, and what was paid for him; clerks see those paid by people insured in their regions."""
    if is_member(user):
        seen = Q(payer=user.member_id) | Q(insured=user.member_id)
    else:
        seen = Q(region__in=regions_with_role(user, Role.CLERK))
    return PremiumPayment.objects.filter(seen).select_related("payer", "insured", "grant", "region", "transaction")


def payment_visible_to(user: User, public_id: UUID) -> PremiumPayment | None:
    """One of them, or None."""
    return payments_visible_to(user).filter(public_id=public_id).first()


def orders_visible_to(user: User) -> QuerySet[PremiumOrder]:
    """The orders a citizen has given for the month's end; clerks see those of their regions."""
    found = PremiumOrder.objects.all()
    if is_member(user):
        found = found.filter(payer=user.member_id)
    else:
        found = found.filter(region__in=regions_with_role(user, Role.CLERK))
    return found.select_related("payer", "insured", "grant", "region", "payment")


def undebited(payer: Member, on: datetime.date) -> QuerySet[PremiumOrder]:
    """A payer's orders whose debit failed of late, and which nothing has replaced since; the latest of each premium.

    After these days the tax office has collected it, which is not told here.
    """
    same = {"insured": OuterRef("insured"), "insurance": OuterRef("insurance"), "year": OuterRef("year")}
    replaced = Exists(PremiumPayment.objects.filter(refunded_on=None, **same)) | Exists(
        PremiumOrder.objects.filter(state=OrderState.WAITING, **same)
    )
    failed = PremiumOrder.objects.filter(payer=payer, state=OrderState.FAILED).exclude(replaced)
    failed = failed.filter(ended_at__date__gte=on - UNDEBITED_TOLD)
    last = failed.order_by("insured_id", "insurance", "year", "-ended_at").distinct("insured_id", "insurance", "year")
    return failed.filter(pk__in=last.values("pk")).select_related("insured", "grant")


def order_visible_to(user: User, public_id: UUID) -> PremiumOrder | None:
    """One of them, or None."""
    return orders_visible_to(user).filter(public_id=public_id).first()
