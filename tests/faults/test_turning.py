"""The year ends between the quote and the settlement, and between admission and discharge (G4): answers as the model's."""

import pytest

from faults import clocks, defects, reckoning, tills, told, turning, unanswered, world
from settlements.actions import rollover, rollover_work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]


def over_midnight(folder):
    """What is found when two visits and a stay of a family go over it, one of the visits with the batch done between."""
    family = world.family(("60.37", "900.11"), ("0.00", "401.05"), ("15.50", "0.02"))
    run, shop = world.release_run(), tills.open_shop()
    till = tills.Till(shop, tills.Straight(), told.Log(folder / "till.log"), lambda: ahead)
    desk = turning.Desk(till, tills.patients(family), turning.modelled(family))
    with clocks.going_on_from(world.at(world.LAST_DAY, 23)) as ahead:
        stay = turning.admit(desk, 2)
        visits = [(number, till.visit(desk.people[number], "361.55")) for number in (0, 1, 0)]
        number, visit = visits.pop()
        answer, bill = desk.settle("2207", visit.bill, number, visit.amount)
        for number, other in visits:
            desk.quote("2206", other.bill, number, other.amount)
    with clocks.going_on_from(world.at(world.BOUNDARY, 0)) as ahead:
        for number, other in visits:
            desk.quote("2206", other.bill, number, other.amount)
            desk.settle("2207", other.bill, number, other.amount)
            desk.balance(number)
            run = rollover.begin(run=run, at=world.at(world.BOUNDARY, 0)) if run.state == "released" else run
            rollover_work.roll_next(run_id=run.pk)
        desk.reverse(answer, bill)
        turning.discharge(desk, 2, stay)
    assert desk.back_after == 1
    return desk.found + reckoning.check(told.read(folder), unanswered.accounts([family]), world.BOUNDARY)


def test_every_answer_is_the_models(tmp_path):
    assert over_midnight(tmp_path) == []


def test_a_movement_that_does_not_roll_its_account_is_found(tmp_path):
    with defects.no_lazy_roll():
        try:
            found = over_midnight(tmp_path)
        except tills.Stranded as error:
            found = [str(error)]
    assert found
