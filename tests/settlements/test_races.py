"""The same money asked for twice at the same moment: it is there once."""

import datetime
from decimal import Decimal
from functools import partial

import pytest

from settlements.actions import care
from settlements.models import PersonalAccount, Settlement, Usage
from tests.settlements.rollover.world import faults
from tests.settlements.scene import bill, make_member, make_scene, share
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ON = datetime.date(2026, 5, 20)
AT_ONCE = 4


def settle(scene, patient, key, amount="80.00"):
    bill = care.Bill(kind="outpatient", level=scene.institution.level, in_scope=Decimal(amount))
    settlement = care.settle(patient=patient, institution=scene.institution, bill=bill, on=ON, key=key)
    return f"{settlement.shared} shared, {settlement.cash} cash"


@pytest.mark.parametrize("turn", range(3))
def test_relatives_at_once_on_the_last_money_of_one_account(turn):
    scene = make_scene(on=ON, current="0.00", historical="100.00")
    opened = ON - datetime.timedelta(days=40)
    others = [make_member(region=scene.region) for _ in range(AT_ONCE)]
    for other in others:
        share(scene.daughter.member, other, "child", scene.region, opened, limit=None)

    outcomes = at_once(*(partial(settle, scene, other, f"r{n}") for n, other in enumerate(others)))

    assert outcomes == [
        "0.00 shared, 80.00 cash",
        "0.00 shared, 80.00 cash",
        "20.00 shared, 60.00 cash",
        "80.00 shared, 0.00 cash",
    ]
    assert PersonalAccount.objects.get(pk=scene.account.pk).historical == 0
    assert faults(ON) == []


def test_bills_of_one_patient_at_once_on_the_last_of_a_limit():
    """The limit is counted under the patient's own lock, so two windows do not both see it unused."""
    scene = make_scene(on=ON, current="0.00", historical="1000.00")
    child = make_member(region=scene.region)
    grant = share(scene.daughter.member, child, "child", scene.region, ON, limit="100.00")

    outcomes = at_once(*(partial(settle, scene, child, f"l{n}") for n in range(AT_ONCE)))

    assert outcomes[2:] == ["20.00 shared, 60.00 cash", "80.00 shared, 0.00 cash"]
    assert Usage.objects.get(member=child, counter=f"grant:{grant.pk}").amount == Decimal("100.00")
    assert faults(ON) == []


def test_the_same_bill_sent_several_times_at_once_is_settled_once():
    scene = make_scene(on=ON)
    outcomes = at_once(*[partial(settle, scene, scene.father.member, "twice")] * AT_ONCE)
    assert len(set(outcomes)) == 1
    assert Settlement.objects.count() == 1
    assert faults(ON) == []


def test_two_reversals_at_once_give_back_once():
    scene = make_scene(on=ON)
    settlement = bill(scene)
    before = PersonalAccount.objects.get(pk=scene.fathers.pk).historical

    def undo(key):
        care.reverse(settlement=settlement, on=ON, key=key)
        return "given back"

    outcomes = at_once(*(partial(undo, f"u{n}") for n in range(AT_ONCE)))

    assert outcomes == ["duplicate"] * (AT_ONCE - 1) + ["given back"]
    after = PersonalAccount.objects.get(pk=scene.fathers.pk)
    assert (after.current, after.historical) == (Decimal("118.40"), Decimal("203.65"))
    assert after.historical > before
    assert faults(ON) == []
