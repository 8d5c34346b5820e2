"""Tills over real HTTP: at once on one thing, and with answers that are lost (G1 to G3)."""

import random

import pytest

from faults import counters, overload, reckoning, tills, told, unanswered, web, world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]


@pytest.fixture
def site(service_environment, tmp_path):
    world.institution()
    with web.serve(tmp_path / "web", world.at(world.LAST_DAY, 9), workers=2, environment=service_environment) as site:
        yield site


@pytest.fixture
def new_till(site, tmp_path):
    shop, logs = tills.open_shop(), iter(range(1000))

    def make(cut=0.0):
        log = told.Log(tmp_path / "log" / f"{next(logs)}.log")
        return tills.Till(shop, tills.Wire(site.address, cut), log, lambda: site.ahead)

    return make


def test_tills_at_once_and_answers_lost(site, new_till, tmp_path):
    found, families = counters.fights(new_till, rounds=1, crowd=20)
    family = world.family(("60.37", "900.11"), ("0.00", "400.05"))
    till, chance, people = new_till(cut=0.3), random.Random(2), tills.patients(family)
    unanswered.late(till, till.visit(people[0], "39.99"))
    site.die(0.1)
    for number in range(8):
        unanswered.bill(till, till.visit(people[number % 2], "39.99"), chance, unanswered.Seen())
    assert till.lost > 0
    assert till.errors == 0
    found += reckoning.check(told.read(tmp_path / "log"), [*families, *unanswered.accounts([family])], world.LAST_DAY)
    assert found == []


def test_ten_times_as_many_tills_as_threads(site, tmp_path):
    """Nothing is lost, nothing fails, and what they were told is there; how fast is `make faults`'s to say."""
    families = world.families(4)
    people = tills.patients(one for family in families for one in family)
    visits, shop = tills.stock(people, 400, world.at(world.LAST_DAY)), tills.open_shop()
    rush = overload.Rush(site, shop, visits, tmp_path / "rush")
    pace = rush.let_loose(clients=40, seconds=2.0, share=1.0)
    assert (pace.lost, pace.errors) == (0, 0)
    assert pace.let_in
    found = reckoning.check(rush.told(), unanswered.accounts(families), world.LAST_DAY)
    assert found == []
