"""A fifth region that no code knows, with a mixture of its own: every number below was worked out by hand."""

import datetime
from decimal import Decimal

from settlements.domain.crediting import clawback, month_credit, year_credit
from settlements.domain.parameters import Person
from tests.settlements.domain.world import VALLEY, patient, region

FIRST, NEXT = datetime.date(2025, 11, 3), datetime.date(2025, 11, 4)
WORKER = Person(birth=datetime.date(1985, 1, 1))
PENSIONER = Person(birth=datetime.date(1950, 1, 1), status="retired")
BASE = Decimal("3333.33")


def test_three_bills_of_one_patient() -> None:
    somebody = patient(VALLEY, current="100.00", historical="200.00", grantors={"X": "80.00", "Y": "300.00"})

    # 200 from historical, 250 + 10 of deductibles, half of 540; relatives (50 stays with each), then current.
    assert somebody.bill(
        FIRST, "outpatient tertiary", "1000.00", pre_self_pay="30.00", self_paid="40.00", institution="V1"
    ) == {
        "historical": "200.00",
        "deductible": "260.00",
        "fund": "270.00",
        "Y": "250.00",
        "X": "30.00",
        "current": "100.00",
        "cash": "220.00",
    }
    # Deductible and fee are borne. 1,000 at 75% and 500 at 90% are 1,200, the cap leaves 530; beyond it lie 793.33….
    # 40% of that is 317.33, the limit 300.
    assert somebody.bill(FIRST, "outpatient primary", "1500.00", institution="V1") == {
        "fund": "530.00",
        "supplement": "300.00",
        "cash": "670.00",
    }
    assert somebody.used == {
        "valley_deductible": Decimal("250.00"),
        "visit_fee:2025-11-03:V1": Decimal("10.00"),
        "valley_fund": Decimal("800.00"),
        "valley_aid": Decimal("300.00"),
        "valley_cost": Decimal("2500.00"),
    }
    # The next day the fee is borne again; fund and supplement are used up.
    assert somebody.bill(NEXT, "outpatient top", "50.00", institution="V1", signed=True) == {
        "deductible": "10.00",
        "cash": "50.00",
    }


def test_bands_of_a_bill_are_rounded_once() -> None:
    somebody = patient(VALLEY, insurance="resident", grantors={"X": "1050.00"})

    # 4,600 at 33.33% are 1,533.18, 1,000.01 at 66.67% are 666.706667: together 2,199.886667.
    assert somebody.bill(FIRST, "inpatient primary", "6000.01", self_paid="1.00") == {
        "deductible": "400.00",
        "fund": "2199.89",
        "X": "1000.00",
        "cash": "2801.12",
    }


def test_year_and_credit() -> None:
    found = region(VALLEY)
    [version] = found.credits
    rule, years = version.rule, found.years

    assert year_credit(rule, WORKER, BASE, datetime.date(2025, 10, 1), years) == Decimal("999.96")
    assert year_credit(rule, WORKER, BASE, datetime.date(2025, 12, 15), years) == Decimal("749.97")
    assert year_credit(rule, PENSIONER, BASE, datetime.date(2025, 10, 1), years) == Decimal("720.00")
    assert month_credit(rule, WORKER, BASE, datetime.date(2030, 1, 1)) == Decimal("100.00")
    first, year = datetime.date(2025, 10, 1), Decimal("999.96")
    assert clawback(rule, year, first, datetime.date(2026, 3, 31), years) == Decimal("499.98")
    assert clawback(rule, year, first, datetime.date(2026, 9, 2), years) == 0


def test_sharing_rules_are_read() -> None:
    [version] = region(VALLEY).sharing

    assert version.rules.max_per_relation == {"spouse": 1}
    assert version.rules.keep == Decimal("50.00")
    assert version.rules.relations == {"spouse", "sibling"}
    assert version.rules.max_grantors is None
