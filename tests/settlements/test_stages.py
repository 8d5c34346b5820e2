"""Where the year stands, in sentences."""

import dataclasses
from decimal import Decimal

import pytest
from django.utils import translation

from settlements.queries.year import StageUse, year_on
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
