"""The rules of region.toml once more, in plain Python and day by day: what the portal must come to, whoever rolls what.

Nothing of the portal is used here, its rounding included.
"""

import datetime
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

ZERO, FEN = Decimal(0), Decimal("0.01")
DAY = datetime.timedelta(days=1)
KEEP, DEDUCTIBLE, CAP = Decimal(5), Decimal(100), Decimal(400)
FUND_PERCENT = {"primary": Decimal("66.65"), "tertiary": Decimal("33.35")}
CREDIT_PERCENT = Decimal("2.33")


def year_of(day: datetime.date) -> int:
    """The benefit year, which begins on 1 July."""
    return day.year if day.month >= 7 else day.year - 1


def half_up(amount: Decimal) -> Decimal:
    """To the fen."""
    return amount.quantize(FEN, rounding=ROUND_HALF_UP)


@dataclass
class Account:
    """Yuan, and yuan × days of the year so far; `day` is the last day that was counted up to."""

    day: datetime.date
    current: Decimal
    historical: Decimal
    debt: Decimal
    current_days: Decimal = ZERO
    historical_days: Decimal = ZERO

    def pass_to(self, day: datetime.date, rates: dict[int, tuple[Decimal, Decimal]]) -> None:
        """Let the days go by; at each 1 July the year is closed, with interest if there are rates."""
        while self.day < day:
            self.current_days += self.current
            self.historical_days += self.historical
            self.day += DAY
            if (self.day.month, self.day.day) == (7, 1):
                self._close(rates.get(self.day.year - 1, (ZERO, ZERO)))

    def _close(self, rates: tuple[Decimal, Decimal]) -> None:
        interest = half_up((self.current_days * rates[0] + self.historical_days * rates[1]) / 36000)
        net = self.current + self.historical - self.debt + interest
        self.current, self.historical, self.debt = ZERO, max(net, ZERO), max(-net, ZERO)
        self.current_days = self.historical_days = ZERO


@dataclass
class Grant:
    """That `grantor` lets `beneficiary` use his account."""

    grantor: int
    beneficiary: int
    limit: Decimal | None = None
    used: dict[int, Decimal] = field(default_factory=dict)
    paused: bool = False
    ended: bool = False

    def left(self, balance: Decimal, year: int) -> Decimal:
        """What it can still give."""
        above = balance - KEEP
        return above if self.limit is None else min(above, self.limit - self.used.get(year, ZERO))


@dataclass
class Bill:
    """What a bill took, for taking it back."""

    patient: int
    year: int
    legs: list[tuple[int, Decimal, Decimal]]
    deductible: Decimal
    fund: Decimal
    cash: Decimal
    shared: list[tuple[Grant, Decimal]]
    reversed: bool = False


@dataclass
class Model:
    """People by number, their accounts, counters and grants."""

    today: datetime.date
    rates: dict[int, tuple[Decimal, Decimal]]
    base: Decimal
    accounts: list[Account] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    order: dict[int, list[Grant]] = field(default_factory=dict)
    used: dict[tuple[int, int, str], Decimal] = field(default_factory=dict)
    credited: dict[tuple[int, str], tuple[datetime.date, Decimal]] = field(default_factory=dict)

    def pass_days(self, count: int) -> None:
        """For everybody."""
        self.today += count * DAY
        for account in self.accounts:
            account.pass_to(self.today, self.rates)

    def settle(
        self, patient: int, level: str, in_scope: Decimal, pre_self_pay: Decimal, self_paid: Decimal,
        use_account: bool, use_family: bool,
    ) -> Bill:  # fmt: skip
        """Current first; a deductible of 100; the fund's percentage up to 400 a year; then historical, relatives, cash."""
        year, mine = year_of(self.today), self.accounts[patient]
        current = min(mine.current, in_scope) if use_account else ZERO
        rest = in_scope - current
        deductible = min(rest, max(DEDUCTIBLE - self.used.get((patient, year, "deductible"), ZERO), ZERO))
        entitled = half_up((rest - deductible) * FUND_PERCENT[level] / 100)
        fund = min(entitled, max(CAP - self.used.get((patient, year, "fund"), ZERO), ZERO))
        own, cash = mine.historical if use_account else ZERO, ZERO
        paid_own, shared = ZERO, [(grant, ZERO) for grant in self.sources(patient, year)] if use_family else []
        available = [grant.left(self.accounts[grant.grantor].historical, year) for grant, _ in shared]
        for due, relatives in ((rest - fund, True), (pre_self_pay, True), (self_paid, False)):
            taken = min(due, own)
            own, paid_own, due = own - taken, paid_own + taken, due - taken
            for number, (grant, amount) in enumerate(shared if relatives else []):
                taken = min(due, available[number])
                available[number] -= taken
                shared[number], due = (grant, amount + taken), due - taken
            cash += due
        shared = [(grant, amount) for grant, amount in shared if amount]
        legs = [(patient, current, paid_own), *((grant.grantor, ZERO, amount) for grant, amount in shared)]
        bill = Bill(patient, year, [leg for leg in legs if leg[1] or leg[2]], deductible, fund, cash, shared)
        self._count(bill, 1)
        for number, from_current, from_historical in bill.legs:
            self.accounts[number].current -= from_current
            self.accounts[number].historical -= from_historical
        return bill

    def sources(self, patient: int, year: int) -> list[Grant]:
        """Who can pay, in the filed order, then by binding."""
        filed = self.order.get(patient, [])
        mine = [grant for grant in self.grants if grant.beneficiary == patient and not grant.ended and not grant.paused]
        ranked = [grant for grant in filed if grant in mine] + [grant for grant in mine if grant not in filed]
        return [grant for grant in ranked if grant.left(self.accounts[grant.grantor].historical, year) > 0]

    def reverse(self, bill: Bill) -> None:
        """Back to the payers; what was current before a 1 July is historical now."""
        closed = year_of(self.today) > bill.year
        for number, current, historical in bill.legs:
            self.accounts[number].current += ZERO if closed else current
            self.accounts[number].historical += historical + (current if closed else ZERO)
        self._count(bill, -1)
        bill.reversed = True

    def _count(self, bill: Bill, sign: int) -> None:
        for name, amount in (("deductible", bill.deductible), ("fund", bill.fund)):
            key = bill.patient, bill.year, name
            self.used[key] = self.used.get(key, ZERO) + sign * amount
        for grant, amount in bill.shared:
            grant.used[bill.year] = grant.used.get(bill.year, ZERO) + sign * amount

    def credit(self, number: int) -> Decimal | None:
        """A month's credit to current (a debt waits); the same answer on the same day, None on another day of the month."""
        key = number, f"{self.today:%Y-%m}"
        if key not in self.credited:
            amount, account = half_up(self.base * CREDIT_PERCENT / 100), self.accounts[number]
            account.current += amount
            self.credited[key] = self.today, amount
        day, given = self.credited[key]
        return given if day == self.today else None
