"""Sharing rules, applications and moments for tests of family sharing."""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Region
from casework.actions import cases
from family.models import Commitment, SharingApplication, SharingGrant, SharingRules
from family.queries import commitment_on, grants_to_order

AT = datetime.datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Friday
TODAY = AT.date()
DAY = datetime.timedelta(days=1)

RULES = {
    "relations": ["spouse", "parent", "child", "sibling", "grandparent", "grandchild"],
    "same_region": True,
    "mutual": False,
    "order": "filed",
    "order_adjustable": True,
    "uses": ["pay", "premium"],
    "keep": "0.00",
    "verification_age": 16,
    "review": "none",
    "unbind_min_months": 0,
    "unbind_effect": "same_day",
    "consent_days": 30,
    "source": "test",
    "grade": "OWN",
}


def make_rules(region: Region, **changes: object) -> SharingRules:
    """The region's rules from 2020 on: generous ones, with these changes; replaces those there were."""
    SharingRules.objects.filter(region=region).delete()
    return SharingRules.objects.create(region=region, valid_from=datetime.date(2020, 1, 1), data={**RULES, **changes})


def decided(application: SharingApplication, verb: str, **how: Any) -> SharingApplication:
    """The application after a second check: approve, return, refuse."""
    application.case = cases.decide(case=application.case, verb=verb, **how)
    return application


def text() -> Commitment:
    """The commitment to be signed today."""
    commitment = commitment_on(TODAY)
    assert commitment is not None
    return commitment


def may_pay(beneficiary_id: int, on: datetime.date) -> list[SharingGrant]:
    """The grants that may pay a bill of a day, in the filed order."""
    return [grant for grant in grants_to_order(beneficiary_id, on) if grant.paused_at is None]
