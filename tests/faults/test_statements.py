"""The line dies before the first statement, the second, … the COMMIT, and right after it (F3): all or nothing."""

import pytest

from faults import checker, statements, world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]
ACTS = [
    statements.settling,
    statements.reversing,
    statements.crediting,
    statements.refusing,
    statements.paying_a_premium,
    statements.giving_a_premium_back,
    statements.sending,
    statements.accepting,
    statements.paying_out_of_the_wallet,
    statements.giving_back_into_the_wallet,
    statements.leaving_the_insurance,
]


@pytest.mark.parametrize("make", ACTS, ids=[make.__name__ for make in ACTS])
def test_all_or_nothing_and_the_retry_heals(make):
    world.region()
    places, found = statements.try_each(make())
    assert found == []
    assert places > 3
    assert checker.books(world.BOUNDARY) == []


def test_a_chunk_is_rolled_whole_or_not_at_all():
    places, found = statements.try_each(statements.rolling(statements.begin_run(24)))
    assert found == []
    # Before the statement, before the COMMIT, after it.
    assert places == 3
    assert checker.books(world.BOUNDARY) == []


def test_an_act_in_two_transactions_is_found(monkeypatch):
    """What would be seen if the effects were committed before the answer was kept."""
    act = statements.crediting()

    def prepare():
        once = act.prepare()

        def twice():
            world.insure("1.00", "1.00")
            return once()

        return twice

    world.region()
    _, found = statements.try_each(statements.Act("two steps", prepare))
    assert any("left behind" in what for what in found)
