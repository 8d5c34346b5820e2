"""Bills of a benefit year settled anew in their order, on request: a preview first, then, after a second check, the posting.

A reversal or a backdated bill changes what the later bills of the year should have been; nobody's later bill is touched
for that by itself. A recalculation is decided with the counters in the order in which the bills count, and with the money
of those who paid: nobody's account pays more than it did, and the difference in cash is between the member and the office.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions import messages
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Member, Region, ServiceCentre, User
from accounts.money import ZERO, plain
from casework.actions import cases
from casework.domain.states import CLERK
from casework.models import Case
from casework.policies import may_serve
from family.actions.locks import lock_members
from settlements import ledger
from settlements.actions import care
from settlements.actions.recording import record
from settlements.domain.allocation import OWN, WALLET
from settlements.domain.assessment import Claim, assess
from settlements.domain.parameters import NoValue
from settlements.domain.replay import Replayed, replay, staged
from settlements.enums import RECALCULATION_CASE, WalletEntryKind
from settlements.ledger import wallets
from settlements.models import (
    Claim as ClaimRow,
)
from settlements.models import (
    RecalculatedBill,
    Recalculation,
    Reimbursement,
    Settlement,
    SettlementPayer,
)
from settlements.queries.care import care_facts
from settlements.queries.parameters import scheme_on
from settlements.queries.usage import usage_of
from settlements.queries.wallet import paid_with

AMOUNTS = ("deductible", "fund", "supplement", "own_current", "own_historical", "shared", "wallet", "cash")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A bill of the year, as it stands and as it comes out anew; amounts in yuan."""

    bill: Settlement
    anew: Replayed

    @property
    def amounts(self) -> dict[str, Decimal]:
        """What the bill comes to anew, by the columns of a settlement."""
        paid, own, wallet = self.anew.paid, self.anew.paid.get(OWN, {}), self.anew.paid.get(WALLET, {})
        return {
            "deductible": self.anew.decision.deductible,
            "fund": self.anew.decision.fund,
            "supplement": self.anew.decision.supplement,
            "own_current": own.get("current", ZERO),
            "own_historical": own.get("historical", ZERO),
            "shared": sum(
                (sum(buckets.values(), ZERO) for who, buckets in paid.items() if who not in (OWN, WALLET)), ZERO
            ),
            "wallet": wallet.get(WALLET, ZERO),
            "cash": self.anew.cash,
        }

    @property
    def differences(self) -> dict[str, Decimal]:
        """Column -> yuan more (or less) than before; only what differs."""
        anew = self.amounts
        # In a closed year the current leg lies in historical, so own money is compared as a whole.
        found = {name: anew[name] - getattr(self.bill, name) for name in AMOUNTS if not name.startswith("own_")}
        own = anew["own_current"] + anew["own_historical"] - self.bill.own_current - self.bill.own_historical
        return {name: amount for name, amount in {**found, "own": own}.items() if amount}

    def as_data(self) -> dict[str, Any]:
        """For storing what was seen."""
        return {"bill": self.bill.pk, "anew": {name: plain(amount) for name, amount in self.amounts.items()}}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """All standing bills of a member's benefit year in order, each as it comes out anew."""

    member: Member
    region_id: str
    year: int
    lines: tuple[Line, ...]

    @property
    def changed(self) -> list[Line]:
        """Those that come out otherwise."""
        return [line for line in self.lines if line.differences]

    @property
    def to_member(self) -> Decimal:
        """Yuan that the office pays the member; negative where he owes them."""
        return -sum((line.differences.get("cash", ZERO) for line in self.lines), ZERO)

    def as_data(self) -> list[dict[str, Any]]:
        """What was seen, bill by bill; the same means that nothing has changed since."""
        return [line.as_data() for line in self.lines]


def preview(*, member: Member, region_id: str, year: int, on: datetime.date) -> Preview:
    """Replay a benefit year in order; writes nothing. Bills in the order of the day by which they count, then as entered.

    Those of another region, where the member was insured in the same year, stay as they are: they fill the counters in
    their places. Raises Refused("not_covered") where a scheme or a rate of one of the bills is no longer known.
    """
    bills = sorted(_standing(member, year), key=_place)
    counters = _before(member, year, bills)
    lines = []
    for bill in bills:
        if bill.region_id == region_id:
            lines.append(line := Line(bill=bill, anew=_again(bill, counters)))
            counted = line.anew.decision.counters
        else:
            counted = _counted(bill, year)
        for counter, amount in counted.items():
            counters[counter] = counters.get(counter, ZERO) + amount
    return Preview(member=member, region_id=region_id, year=year, lines=tuple(lines))


def _standing(member: Member, year: int) -> Iterable[Settlement]:
    return (
        Settlement.objects.filter(patient=member, counted_year=year, reversed_on=None)
        .select_related("institution", "scheme", "transaction", "replaces__old__replaces__old")
        .prefetch_related("payers")
    )


def _place(bill: Settlement) -> tuple[datetime.date, int]:
    """Where the bill stands in the year; one that was settled anew stands where its first settlement did."""
    first = bill.first
    day = first.service_on if bill.scheme.data.get("accumulate_by") == "service" else first.settled_on
    return day, first.pk


def _before(member: Member, year: int, bills: Iterable[Settlement]) -> dict[str, Decimal]:
    """The counters without these bills: what the member brought along."""
    counters = dict(usage_of(member.pk, [year])[year])
    for bill in bills:
        for counter, amount in _counted(bill, year).items():
            counters[counter] = counters.get(counter, ZERO) - amount
    return counters


def _counted(bill: Settlement, year: int) -> dict[str, Decimal]:
    """Counter -> yuan that a bill as it stands has counted in a year."""
    return {counter: Decimal(amount) for counter, amount in bill.counters.get(str(year), {}).items()}


def _again(bill: Settlement, counters: dict[str, Decimal]) -> Replayed:
    day = bill.service_on
    person = care_facts(
        member_id=bill.patient_id, kind=bill.kind, on=bill.settled_on, service_on=day, use_family=False
    ).person
    claim = Claim(
        person=person,
        level=bill.level,
        in_scope=bill.in_scope,
        pre_self_pay=bill.pre_self_pay,
        self_paid=bill.self_paid,
        institution=bill.institution.code if bill.institution else "",
        signed=bill.signed,
    )
    scheme = scheme_on(bill.region_id, bill.insurance, bill.kind, day).scheme
    try:
        return replay(bill.steps, assess(scheme, claim, counters, staged(bill.steps), day))
    except NoValue:
        raise Refused("not_covered", why="no_rate", level=bill.level) from None


# The case


@transaction.atomic
def request_recalculation(
    *,
    member: Member,
    region_id: str,
    year: int,
    seen: list[dict[str, Any]],
    by: User,
    at: datetime.datetime,
    bank: str = "",
    bank_account: str = "",
    centre: ServiceCentre | None = None,
) -> Recalculation:
    """A clerk asks for the posting of a preview he has seen; a second person checks it.

    Raises Refused: stale (it comes out otherwise by now), nothing_changes, bank_missing, already_asked, own_case; and
    PermissionDenied.
    """
    cases.refuse_own(by, member.pk)
    if not may_serve(by, region_id):
        raise PermissionDenied
    lock_members(member.pk)  # two clerks at once: the second waits here and finds the first one's case
    found = preview(member=member, region_id=region_id, year=year, on=timezone.localdate(at))
    if found.as_data() != seen:
        raise Refused("stale")
    if not found.changed:
        raise Refused("nothing_changes", year=year)
    if found.to_member > 0 and not (bank and bank_account):
        raise Refused("bank_missing")
    open_ones = Recalculation.objects.filter(
        member=member, benefit_year=year, case__closed_at=None, case__region=region_id
    )
    if (other := open_ones.select_related("case").first()) is not None:
        raise Refused("already_asked", number=other.case.number)
    case = cases.open_case(
        kind=RECALCULATION_CASE,
        applicant=member,
        region=Region.objects.get(pk=region_id),
        by=by,
        role=CLERK,
        at=at,
        channel=Channel.WINDOW,
        centre=centre,
    )
    asked = Recalculation.objects.create(
        case=case, member=member, benefit_year=year, preview=seen, bank=bank, bank_account=bank_account or None
    )
    asked.case = cases.move(case=case, verb="submit", by=by, role=CLERK, at=at, to="review", channel=Channel.WINDOW)
    return asked


def current(asked: Recalculation, on: datetime.date) -> Preview:
    """The preview of a request as it comes out on a day."""
    return preview(member=asked.member, region_id=asked.case.region_id, year=asked.benefit_year, on=on)


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Raises Refused("recalculation_stale") where it comes out otherwise than the clerk saw."""
    asked: Recalculation = case.recalculation
    if current(asked, timezone.localdate(at)).as_data() != asked.preview:
        raise Refused("recalculation_stale")


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Reverse every bill that comes out otherwise and settle it anew, in one transaction, and list the cash difference."""
    asked = Recalculation.objects.select_for_update(no_key=True).select_related("member").get(case=case)
    on = timezone.localdate(at)
    # In the order of reversals (claim, bill, counters): one that comes at the same moment follows, and neither is broken off.
    _lock(ClaimRow.objects.filter(patient=asked.member, void=False))
    _lock(Settlement.objects.filter(patient=asked.member, counted_year=asked.benefit_year, reversed_on=None))
    # Whoever settles another bill of this patient now waits here, and the preview below is of what then stands.
    ledger.open(patient_id=asked.member_id, years=[asked.benefit_year], account_ids=[], on=on)
    found = current(asked, on)
    if found.as_data() != asked.preview:
        raise Refused("recalculation_stale")
    changed = found.changed
    # All accounts before any wallet: bill after bill would take them in another order than others do.
    account_ids = [payer.account_id for line in changed for payer in line.bill.payers.all()]
    ledger.open(patient_id=asked.member_id, years=[], account_ids=account_ids, on=on)
    for line in changed:
        care.reverse(settlement=line.bill, on=on, key=f"{case.number}:reverse:{line.bill.pk}", by=by)
    for line in changed:
        new = _settle_anew(line, case, on, by)
        RecalculatedBill.objects.create(recalculation=asked, old=line.bill, new=new)
        ClaimRow.objects.filter(settlement=line.bill).update(settlement=new)
    if found.to_member:
        Reimbursement.objects.create(
            case=case,
            member=asked.member,
            amount=found.to_member,
            bank=asked.bank,
            bank_account=asked.bank_account,
            decided_on=on,
        )


def _lock(rows: QuerySet[Any]) -> None:
    """Hold rows in the order of their ids."""
    list(rows.order_by("id").select_for_update(no_key=True, of=("self",)).values_list("pk"))


def after_step(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Tell the member what came of it; the request itself is not his."""
    if case.state != "granted":
        return
    asked: Recalculation = case.recalculation
    if asked.member.died_on is not None:
        return
    row = Reimbursement.objects.filter(case=case).first()
    amount = row.amount if row else ZERO
    kind = "recalculated" if not amount else "recalculated_to_you" if amount > 0 else "recalculated_from_you"
    params = {"case": case.number, "year": asked.benefit_year, "amount": plain(abs(amount))}
    messages.notify(member=asked.member, kind=kind, params=params, at=at)


def _settle_anew(line: Line, case: Case, on: datetime.date, by: User | None) -> Settlement:
    bill = line.bill
    answer = ledger.once(
        scope="recalculation",
        key=f"{case.number}:{bill.pk}",
        request={"recalculate": bill.pk, **line.as_data()},
        kind=bill.transaction.kind,
        on=on,
        region_id=bill.region_id,
        by_id=by.pk if by else None,
        work=partial(_post, line, on),
    )
    return Settlement.objects.get(pk=answer["settlement"])


def _post(line: Line, on: datetime.date, transaction_id: int) -> dict[str, Any]:
    bill = line.bill
    books = ledger.open(
        patient_id=bill.patient_id,
        years={bill.counted_year, *(int(year) for year in bill.counters)},
        account_ids=[payer.account_id for payer in bill.payers.all()],
        on=on,
    )
    wallet = wallets.lock(paid_with(bill).pk, ledger.moment(on)) if bill.wallet else None
    payers = _payers(line, books)
    kind = bill.transaction.kind
    movements = [
        ledger.Movement(
            account_id=payer.account_id,
            kind=kind,
            contra=care.SCOPE[kind],
            contra_id=bill.institution_id,
            current=-payer.current,
            historical=-payer.historical,
        )
        for payer in payers
    ]
    counters = _counters(line, payers)
    books.post(transaction_id, movements, counters)
    if wallet and (spent := line.amounts["wallet"]):
        wallets.move(wallet, -spent, transaction_id=transaction_id, kind=WalletEntryKind.CARE, on=on)
    new = _copy(line, payers, counters, on, transaction_id)
    record(new, payers)
    return {"settlement": new.pk}


def _payers(line: Line, books: ledger.Books) -> list[SettlementPayer]:
    """Those of the old bill who still pay something; current of a closed year lies in historical by now."""
    anew = []
    for old in line.bill.payers.all():
        buckets = line.anew.paid.get(str(old.grant_id) if old.grant_id else OWN, {})
        current, historical = buckets.get("current", ZERO), buckets.get("historical", ZERO)
        year = books.accounts[old.account_id].benefit_year
        # What the working calls current was taken from historical if the year was closed at an earlier recalculation.
        if year > old.benefit_year or not old.current:
            current, historical = ZERO, historical + current
        if current or historical:
            anew.append(
                SettlementPayer(
                    account_id=old.account_id,
                    member_id=old.member_id,
                    grant_id=old.grant_id,
                    benefit_year=year,
                    current=current,
                    historical=historical,
                )
            )
    return anew


def _counters(line: Line, payers: Iterable[SettlementPayer]) -> dict[int, dict[str, Decimal]]:
    """Deductible and fund in the year in which the bill counts; limits of grants in the year in which they were used."""
    bill = line.bill
    counters = {bill.counted_year: {name: amount for name, amount in line.anew.decision.counters.items() if amount}}
    used_in = {name: int(year) for year, names in bill.counters.items() for name in names}
    for payer in payers:
        if payer.grant_id:
            name = f"grant:{payer.grant_id}"
            counters.setdefault(used_in[name], {})[name] = payer.current + payer.historical
    return counters


def _copy(
    line: Line,
    payers: Iterable[SettlementPayer],
    counters: dict[int, dict[str, Decimal]],
    on: datetime.date,
    transaction_id: int,
) -> Settlement:
    bill, own = line.bill, [payer for payer in payers if not payer.grant_id]
    same = (
        "region_id", "patient_id", "institution_id", "insurance", "scheme_id", "kind", "level", "signed", "service_on",
        "counted_year", "in_scope", "pre_self_pay", "self_paid", "order",
    )  # fmt: skip
    return Settlement(
        **{name: getattr(bill, name) for name in same},
        transaction_id=transaction_id,
        settled_on=on,
        deductible=line.anew.decision.deductible,
        fund=line.anew.decision.fund,
        supplement=line.anew.decision.supplement,
        own_current=sum((payer.current for payer in own), ZERO),
        own_historical=sum((payer.historical for payer in own), ZERO),
        shared=line.amounts["shared"],
        wallet=line.amounts["wallet"],
        cash=line.anew.cash,
        counters={year: {name: plain(amount) for name, amount in names.items()} for year, names in counters.items()},
        steps=list(line.anew.steps),
    )
