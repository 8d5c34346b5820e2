"""Many at once on one account: nobody waits for ever, and the last fen is paid once (F5)."""

import itertools

import pytest

from faults import checker, clients, locks, world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]
EACH = 12


def test_fifty_at_once_on_the_last_fen():
    assert locks.fight_for_the_last_fen(50) == []


def test_relatives_who_all_share_with_each_other():
    hospital = world.institution()
    people = world.family(("60.37", "900.11"), ("10.00", "400.05"), ("15.50", "300.02"))
    days = itertools.cycle([world.LAST_DAY, world.BOUNDARY])

    def pay(patient, on):
        for _ in range(EACH):
            made = clients.settle(clients.settle_act(patient, hospital.pk, on, "8.13"))
            clients.reverse(clients.reverse_act(made["settlement"], hospital.pk, on))
        return "paid and given back"

    acts = [lambda one=one, on=on: pay(one, on) for one, on in zip(people * 2, days, strict=False)]
    assert set(locks.at_once(acts)) == {"paid and given back"}
    assert checker.books(world.BOUNDARY) == []
