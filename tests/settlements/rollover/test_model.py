"""The rollover against a model in plain Python that adds up balances day by day: lazily, by the batch, and as shown."""

import datetime
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlements.ledger import balances
from settlements.ledger.rolling import roll
from settlements.models import PersonalAccount
from tests.people import make_member, make_region
from tests.settlements.rollover.world import BOUNDARY, faults, release_run, state_of, work_to_the_end
from tests.support.ledger import move, open_account

DAY = datetime.timedelta(days=1)
STARTS = {year: datetime.date(year, 7, 1) for year in range(2023, 2028)}
amounts = st.integers(0, 10_000_000).map(lambda fen: Decimal(fen) / 100)
rates = st.integers(0, 90_000).map(lambda rate: Decimal(rate) / 10_000)


@dataclass
class Movement:
    """On a day of the account's first year; negative amounts take at most what is there, the rest becomes debt."""

    day: int
    current: Decimal
    historical: Decimal


@dataclass
class Story:
    """An account opened in 2023, 2024 or 2025, its movements in that year, the rates of the years that had a run."""

    opened: int
    current: Decimal
    historical: Decimal
    debt: Decimal
    movements: list[Movement] = field(default_factory=list)
    rates: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)


movements = st.builds(
    Movement,
    day=st.integers(1, 360),
    current=st.integers(-5_000_000, 5_000_000).map(lambda fen: Decimal(fen) / 100),
    historical=st.integers(-5_000_000, 5_000_000).map(lambda fen: Decimal(fen) / 100),
)
stories = st.builds(
    Story,
    opened=st.sampled_from([2023, 2024, 2025]),
    current=amounts,
    historical=amounts,
    debt=st.one_of(st.just(Decimal(0)), amounts),
    movements=st.lists(movements, max_size=4, unique_by=lambda movement: movement.day).map(
        lambda found: sorted(found, key=lambda movement: movement.day)
    ),
)


def half_up(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def expected(story: Story) -> tuple[int, Decimal, Decimal, Decimal]:
    """Day by day: what lies there at the end of a day counts for that day."""
    current, historical, debt = story.current, story.historical, story.debt
    moves = {STARTS[story.opened] + movement.day * DAY: movement for movement in story.movements}
    for year in range(story.opened, 2026):
        day, current_days, historical_days = STARTS[year], Decimal(0), Decimal(0)
        while day < STARTS[year + 1]:
            if day in moves:
                current, historical, debt = after(moves[day], current, historical, debt)
            current_days, historical_days, day = current_days + current, historical_days + historical, day + DAY
        net = historical + current - debt
        by_year = story.rates.get(year, (Decimal(0), Decimal(0)))
        net += half_up((current_days * by_year[0] + historical_days * by_year[1]) / 36000)
        current, historical, debt = Decimal(0), max(net, Decimal(0)), max(-net, Decimal(0))
    return 2026, current, historical, debt


def after(movement: Movement, current: Decimal, historical: Decimal, debt: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    short = max(-movement.current - current, Decimal(0)) + max(-movement.historical - historical, Decimal(0))
    return max(current + movement.current, Decimal(0)), max(historical + movement.historical, Decimal(0)), debt + short


def open_story(story: Story, region) -> PersonalAccount:
    account = open_account(make_member(), region, story.opened, story.current, story.historical, story.debt)
    current, historical, debt = story.current, story.historical, story.debt
    for movement in story.movements:
        new = after(movement, current, historical, debt)
        deltas = {"current": new[0] - current, "historical": new[1] - historical, "debt": new[2] - debt}
        move(account, STARTS[story.opened] + movement.day * DAY, kind="clearing", **deltas)
        current, historical, debt = new
    return account


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stories=st.lists(stories, min_size=1, max_size=4),
    last_rates=st.tuples(rates, rates),
    earlier=st.dictionaries(st.sampled_from([2023, 2024]), st.tuples(rates, rates)),
)
def test_shown_lazy_batch_and_model_are_one(db, stories, last_rates, earlier):
    with transaction.atomic():
        region = make_region()
        for story in stories:
            story.rates = {**earlier, 2025: last_rates}
        runs = {year: release_run(region, year, by) for year, by in {**earlier, 2025: last_rates}.items()}
        batched = [open_story(story, region) for story in stories]
        touched = [open_story(story, region) for story in stories]
        wanted = [expected(story) for story in stories]

        shown = balances([account.pk for account in batched], BOUNDARY)
        assert [
            (row.benefit_year, row.current, row.historical, row.debt)
            for row in (shown[account.pk] for account in batched)
        ] == wanted

        for account in touched:
            roll(account.pk, BOUNDARY)
        assert [state_of(account) for account in touched] == wanted

        work_to_the_end(runs[2025])
        assert [state_of(account) for account in batched] == wanted
        assert [rest(account) for account in batched] == [rest(account) for account in touched]
        assert faults() == []
        transaction.set_rollback(True)


def rest(account: PersonalAccount) -> list[tuple[object, ...]]:
    """All an entry says but whose it is and by which transaction."""
    names = [
        "version", "kind", "business_date", "benefit_year", "current_delta", "historical_delta", "debt_delta",
        "current_after", "historical_after", "debt_after", "contra", "contra_id", "current_products",
        "historical_products",
    ]  # fmt: skip
    return list(account.entries.order_by("version").values_list(*names))
