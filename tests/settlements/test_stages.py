"""Where the year stands, in sentences."""

import dataclasses
from decimal import Decimal

import pytest
from django.utils import translation

from settlements import ledger
from settlements.actions import care
from settlements.enums import EntryKind
from settlements.queries.year import StageUse, year_on, year_use
from settlements.telling.stages import tell_stages
from tests.settlements.scene import make_scene

pytestmark = pytest.mark.django_db


def test_a_full_deductible_does_not_promise_the_fund_while_the_account_still_pays_first() -> None:
    scene = make_scene()
    facts = {"wholes": {}, "percents": {}}
    account = StageUse(kind="account", bucket="current", whole=Decimal(100), here=True, **facts)
    deductible = StageUse(kind="deductible", counter="deductible", used=Decimal(500), whole=Decimal(500), **facts)
    year = year_on(scene.region.pk, scene.on)
    with translation.override("en"):
        told = [row["small"] for row in tell_stages([account, deductible], scene.region, year)]
        assert told[1] == "Full: once the account is used up, the fund pays."
        beyond = [dataclasses.replace(account, here=False), deductible]
        told = [row["small"] for row in tell_stages(beyond, scene.region, year)]
        assert told[1] == "Full: the fund pays from here on."


@pytest.mark.parametrize("kind", [EntryKind.CARE, EntryKind.CLAIM])
def test_what_the_account_paid_counts_whether_the_bill_came_on_line_or_was_handed_in(kind: EntryKind) -> None:
    scene = make_scene(father_current="100.00")
    enrolment, year = scene.father.member.enrolments.get(), year_on(scene.region.pk, scene.on)
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("70.00"))
    care.settle(patient=scene.father.member, institution=scene.institution, bill=bill, on=scene.on, key="a", kind=kind)
    held = ledger.balances([scene.fathers.pk], scene.on)[scene.fathers.pk]
    account, *_ = year_use(enrolment, year.number, scene.on, scene.fathers, held)
    assert (account.used, account.whole) == (Decimal("70.00"), Decimal("100.00"))
