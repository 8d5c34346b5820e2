"""Where a benefit year stands: what is used of deductible and cap, and what relatives have used."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from accounts.errors import Refused
from accounts.models import BenefitYear, Enrolment
from accounts.money import ZERO
from family.models import SharingGrant
from settlements.domain.parameters import Circumstances, NoValue, Parameter, Person
from settlements.domain.scheme import AccountStage, DeductibleStage, RateStage, Scheme, Stage, SupplementStage
from settlements.enums import CareKind, Contra
from settlements.ledger import Balance
from settlements.models import Entry, PersonalAccount, Usage
from settlements.queries.parameters import scheme_on
from settlements.queries.usage import usage_of


@dataclass(frozen=True, kw_only=True)
class Year:
    """A benefit year of a region: its number, first day and last day."""

    number: int
    starts_on: datetime.date
    ends_on: datetime.date

    @property
    def next_day(self) -> datetime.date:
        """The first day of the next one, on which this year's balance becomes that of earlier years."""
        return self.ends_on + datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class StageUse:
    """One stage of a scheme for one member: `used` of `whole` yuan (None: without end).

    `kind`: account, deductible, rate, supplement; `scope` of a deductible; `percents`: level -> the fund's rates
    there, a band each; `wholes`: level -> amount where it depends on the level; `here`: the next bill begins here.
    """

    kind: str
    counter: str = ""
    bucket: str = ""
    scope: str = ""
    used: Decimal = ZERO
    whole: Decimal | None = None
    wholes: dict[str, Decimal]
    percents: dict[str, tuple[Decimal, ...]]
    here: bool = False


def year_on(region_code: str, on: datetime.date) -> Year | None:
    """The benefit year of a region on a day; None for a day before the first one that is kept."""
    rows = list(BenefitYear.objects.filter(region=region_code).order_by("year").values_list("year", "starts_on"))
    past = [at for at, (_, starts_on) in enumerate(rows) if starts_on <= on]
    if not past or past[-1] + 1 == len(rows):
        return None
    (number, starts_on), (_, next_starts) = rows[past[-1]], rows[past[-1] + 1]
    return Year(number=number, starts_on=starts_on, ends_on=next_starts - datetime.timedelta(days=1))


def year_use(
    enrolment: Enrolment,
    year: int,
    on: datetime.date,
    account: PersonalAccount | None = None,
    balance: Balance | None = None,
    kind: str = CareKind.OUTPATIENT,
) -> list[StageUse]:
    """The stages of the member's scheme for one kind of care with what he has used of each; empty without a scheme.

    `year` is the benefit year of the day `on`; `balance` that of his own `account` on that day.
    """
    try:
        scheme = scheme_on(enrolment.region_id, enrolment.insurance, kind, on).scheme
    except Refused:
        return []
    used = usage_of(enrolment.member_id, [year])[year]
    stages = [
        stage
        for row in scheme.stages
        if (stage := _stage(row, enrolment, on, used, _paid_from(row, account, year), balance)) is not None
    ]
    return _mark_here(scheme, stages)


def _stage(
    row: Stage,
    enrolment: Enrolment,
    on: datetime.date,
    used: dict[str, Decimal],
    paid: Decimal,
    balance: Balance | None,
) -> StageUse | None:
    match row:
        case AccountStage():
            if balance is None and not paid:
                return None  # no account, no stage that one could stand in
            held = getattr(balance, row.bucket) if balance else ZERO
            whole = paid + held
            return StageUse(kind="account", bucket=row.bucket, used=paid, whole=whole, wholes={}, percents={})
        case DeductibleStage():
            wholes = _at_levels(row.amount, enrolment, on)
            # A deductible borne anew each time has no state that a year could show.
            spent = used.get(row.counter, ZERO) if row.scope == "year" else ZERO
            return StageUse(
                kind="deductible",
                counter=row.counter,
                scope=row.scope,
                used=spent,
                whole=max(wholes.values(), default=ZERO),
                wholes=wholes if len(set(wholes.values())) > 1 else {},
                percents={},
            )
        case RateStage():
            caps = _at_levels(row.cap, enrolment, on) if row.cap else {}
            rates = [_at_levels(band.rate, enrolment, on) for band in row.bands if band.rate is not None]
            levels = [level for level in rates[0] if all(level in rate for rate in rates)]
            return StageUse(
                kind="rate",
                counter=row.counter,
                used=used.get(row.counter, ZERO),
                whole=max(caps.values()) if caps else None,
                wholes={},
                percents={level: tuple(rate[level] for rate in rates) for level in levels},
            )
        case SupplementStage():
            spent = used.get(row.counter, ZERO)
            limits = _at_levels(row.limit, enrolment, on) if row.limit else {}
            whole = max(limits.values()) if limits else None
            return StageUse(kind="supplement", counter=row.counter, used=spent, whole=whole, wholes={}, percents={})
    return None


def _at_levels(parameter: Parameter, enrolment: Enrolment, on: datetime.date) -> dict[str, Decimal]:
    """The value at each level of the region's institutions."""
    member = enrolment.member
    person = Person(
        birth=member.birth,
        status=enrolment.personal_status,
        retired_on=enrolment.retired_on,
        enrolment=enrolment.status,
    )
    values = {}
    for level in enrolment.region.data.get("levels", ()):
        try:
            values[level] = parameter.at(Circumstances(person=person, on=on, level=level))
        except NoValue:
            continue
    return values


def _paid_from(row: Stage, account: PersonalAccount | None, year: int) -> Decimal:
    """What the bucket of an account stage has paid for the member's own care in the year, net of what came back."""
    if account is None or not isinstance(row, AccountStage):
        return ZERO
    bill = Q(transaction__settlement__patient=account.member_id)
    reversed_bill = Q(transaction__reverses__settlement__patient=account.member_id)
    moved = Entry.objects.filter(account=account, benefit_year=year, contra__in=[Contra.INSTITUTION, Contra.CLAIM])
    own = moved.filter(bill | reversed_bill)
    total = own.aggregate(total=Sum(f"{row.bucket}_delta"))["total"] or ZERO
    return max(ZERO, -total)


def _mark_here(scheme: Scheme, stages: list[StageUse]) -> list[StageUse]:
    """Mark the first stage that is not used up; a second fund is shown once the first one has come to its end."""
    rate = next((stage for stage in stages if stage.kind == "rate"), None)
    cap_reached = rate is not None and rate.whole is not None and rate.used >= rate.whole
    shown = [stage for stage in stages if stage.kind != "supplement" or stage.used or cap_reached]
    for at, stage in enumerate(shown):
        last = at == len(shown) - 1
        if last or stage.whole is None or stage.used < stage.whole:
            return [*shown[:at], StageUse(**{**vars(stage), "here": True}), *shown[at + 1 :]]
    return shown


def grant_use(grants: Iterable[SharingGrant], years: dict[str, int]) -> dict[int, Decimal]:
    """Grant id -> yuan used under it in the benefit year of its region (`years`: region -> year), reversals taken off.

    One statement. The counters also feed the limits, so what is shown is what decides.
    """
    rows = list(grants)
    counters = {(grant.beneficiary_id, years.get(grant.region_id), f"grant:{grant.pk}"): grant.pk for grant in rows}
    found = Usage.objects.filter(
        member__in={grant.beneficiary_id for grant in rows},
        benefit_year__in=set(years.values()),
        counter__in=[f"grant:{grant.pk}" for grant in rows],
    ).values_list("member_id", "benefit_year", "counter", "amount")
    used = {grant.pk: ZERO for grant in rows}
    for member_id, year, counter, amount in found:
        if (member_id, year, counter) in counters:
            used[counters[member_id, year, counter]] = amount
    return used
