"""Interest is exact at the year's end even when the account is rolled weeks or years later: against a naive count by days.

An account moves now and then over three years; whoever rolls it, and when, is left to chance: each movement rolls what it
finds behind, the batch takes the rest. What it holds, what each year earned and the products of the year under way are
those of a person who writes down the balance every evening.
"""

import datetime
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlements.ledger import balances
from settlements.ledger.rolling import roll
from settlements.models import Entry, PersonalAccount
from tests.people import make_member, make_region
from tests.settlements.rollover.world import faults, release_run, work_to_the_end
from tests.support.ledger import move, open_account

DAY = datetime.timedelta(days=1)
FIRST, LAST = 2023, 2025
STARTS = {year: datetime.date(year, 7, 1) for year in range(FIRST, LAST + 3)}
# Weeks into the year after the last one that closes.
END = STARTS[LAST + 1] + 70 * DAY
SPAN = (END - STARTS[FIRST]).days

amounts = st.integers(0, 5_000_000).map(lambda fen: Decimal(fen) / 100)
rates = st.integers(0, 90_000).map(lambda rate: Decimal(rate) / 10_000)


@dataclass
class Credit:
    """Money that comes in on a day (counted from the first day of the first year), into both buckets."""

    day: int
    current: Decimal
    historical: Decimal


credits = st.lists(
    st.builds(Credit, day=st.integers(1, SPAN), current=amounts, historical=amounts),
    max_size=6,
    unique_by=lambda credit: credit.day,
).map(lambda found: sorted(found, key=lambda credit: credit.day))
touches = st.lists(st.integers(1, SPAN), max_size=4)


@dataclass
class Evening:
    """What a person who counts by hand has written down at the end of the last day."""

    current: Decimal
    historical: Decimal
    current_products: Decimal
    historical_products: Decimal
    interest: dict[int, Decimal]


def by_hand(opening: Decimal, story: list[Credit], rated: dict[int, tuple[Decimal, Decimal]]) -> Evening:
    """Day by day, with nothing but a list of balances."""
    moves = {STARTS[FIRST] + credit.day * DAY: credit for credit in story}
    current, historical, interest, year = opening, Decimal(0), {}, FIRST
    of_current, of_historical = Decimal(0), Decimal(0)
    day = STARTS[FIRST]
    while day <= END:
        if day == STARTS[year + 1]:
            gain = (of_current * rated[year][0] + of_historical * rated[year][1]) / 36000
            interest[year] = gain.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            current, historical = Decimal(0), historical + current + interest[year]
            of_current, of_historical, year = Decimal(0), Decimal(0), year + 1
        if day in moves:
            current, historical = current + moves[day].current, historical + moves[day].historical
        if day < END:
            of_current, of_historical = of_current + current, of_historical + historical
        day += DAY
    return Evening(current, historical, of_current, of_historical, interest)


def live(account: PersonalAccount, story: list[Credit], touched: list[int]) -> None:
    """The same days for real: a movement first rolls what is behind, and so does whoever only comes by."""
    days = sorted({*(credit.day for credit in story), *touched})
    moves = {credit.day: credit for credit in story}
    for day in days:
        on = STARTS[FIRST] + day * DAY
        if day in moves:
            roll(account.pk, on)
            move(account, on, current=moves[day].current, historical=moves[day].historical)
        elif on in STARTS.values() or day % 2:
            roll(account.pk, on)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opening=amounts,
    story=credits.filter(lambda found: all(credit.current + credit.historical for credit in found)),
    touched=touches,
    rated=st.fixed_dictionaries({year: st.tuples(rates, rates) for year in range(FIRST, LAST + 1)}),
)
def test_whoever_rolls_and_whenever_it_is_what_a_count_by_days_gives(db, opening, story, touched, rated):
    with transaction.atomic():
        region = make_region()
        runs = {year: release_run(region, year, by) for year, by in rated.items()}
        account = open_account(make_member(), region, FIRST, opening)
        wanted = by_hand(opening, story, rated)

        live(account, story, touched)
        shown = balances([account.pk], END)[account.pk]
        assert (shown.current, shown.historical) == (wanted.current, wanted.historical)
        work_to_the_end(runs[LAST])

        account.refresh_from_db()
        assert (account.current, account.historical) == (wanted.current, wanted.historical)
        days = (END - account.products_on).days
        assert account.current_products + account.current * days == wanted.current_products
        assert account.historical_products + account.historical * days == wanted.historical_products
        posted = {
            entry.benefit_year - 1: entry.historical_delta
            for entry in Entry.objects.filter(account=account, kind="interest")
        }
        assert posted == {year: gain for year, gain in wanted.interest.items() if gain}
        assert faults(END) == []
        transaction.set_rollback(True)
