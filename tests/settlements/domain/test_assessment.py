import datetime
import json
from decimal import Decimal
from typing import Any

import pytest

from settlements.domain.assessment import Claim, assess
from settlements.domain.parameters import NotKnown, NoValue, Person
from settlements.domain.scheme import Scheme
from tests.settlements.domain.world import BEIJING, SHANGHAI, TENGZHOU, VALLEY, ZHENGZHOU, patient, region, version_on

ON = datetime.date(2025, 9, 10)
WORKER = Person(birth=datetime.date(1985, 1, 1))


def claim(**fields: Any) -> Claim:
    return Claim(**{"person": WORKER, "level": "tertiary", "in_scope": Decimal("100.00"), **fields})


def scheme(code: str, kind: str = "outpatient") -> Any:
    return version_on(region(code).schemes, ON, insurance="employee", kind=kind).scheme


def lines(code: str, bill: str, **who: Any) -> list[tuple[str, str]]:
    somebody = patient(code, **who)
    somebody.bill(ON, "outpatient tertiary", bill)
    return [(step.key, str(step.amount)) for step in somebody.steps]


def test_the_working_tells_each_line_in_order() -> None:
    assert lines(SHANGHAI, "3000.00", current="1000.00", historical="600.00", grantors={"B": "100.00"}) == [
        ("stage.account", "1000.00"),
        ("stage.deductible", "500.00"),
        ("stage.rate", "1050.00"),
        ("stage.cap", "1050.00"),
        ("pay.own_historical", "600.00"),
        ("pay.shared", "100.00"),
        ("pay.cash", "250.00"),
    ]


def test_the_working_carries_what_explains_it() -> None:
    somebody = patient(TENGZHOU, used={"deductible": "200.00", "fund": "3400.00"})
    somebody.bill(ON, "outpatient tertiary", "900.00")
    deductible, rate, cap, supplement, cash = [step.as_data() for step in somebody.steps]

    assert deductible["params"] == {
        "deductible": "600.00",
        "used_before": "200.00",
        "remaining": "0.00",
        "scope": "year",
        "source": "SD1",
    }
    assert rate["params"] == {
        "base": "500.00",
        "bands": [{"base": "500.00", "rate_percent": "60"}],
        "axis": "bill",
        "source": "SD1",
    }
    assert cap["params"] == {
        "limit": "3500.00",
        "used_before": "3400.00",
        "remaining": "0.00",
        "reached": True,
        "source": "SD1",
    }
    assert supplement["params"] == {
        "base": "333.33",
        "bands": [{"base": "333.33", "rate_percent": "60"}],
        "limit": "1000.00",
        "used_before": "0.00",
        "source": "SD1",
    }
    assert cash == {"key": "pay.cash", "amount": "600.00", "params": {"item_class": "in_scope"}}


def test_bands_are_shown_with_their_rates() -> None:
    somebody = patient(BEIJING, used={"deductible": "1800.00", "fund": "19990.00"})
    somebody.bill(ON, "outpatient tertiary", "100.00")

    [_, rate, _] = somebody.steps
    assert rate.params["bands"] == [
        {"base": "14.29", "rate_percent": "70"},
        {"base": "85.71", "rate_percent": "60"},
    ]


def test_the_working_can_be_stored() -> None:
    somebody = patient(VALLEY, current="100.00", historical="200.00", grantors={"X": "80.00"})
    somebody.bill(ON, "outpatient top", "2000.00", self_paid="7.00", institution="V1")

    stored = [step.as_data() for step in somebody.steps]
    assert json.loads(json.dumps(stored)) == stored


@pytest.mark.parametrize(
    ("enrolment", "steps"),
    [
        ("suspended", [("suspended", "0.00"), ("stage.account", "30.00"), ("pay.own_historical", "70.00")]),
        ("frozen", [("frozen", "0.00"), ("pay.cash", "100.00")]),
    ],
)
def test_without_benefits_the_reason_stands_first(enrolment: str, steps: list[tuple[str, str]]) -> None:
    assert lines(SHANGHAI, "100.00", enrolment=enrolment, current="30.00", historical="90.00") == steps


def test_a_suspended_patient_fills_no_counter() -> None:
    somebody = patient(SHANGHAI, enrolment="suspended", historical="90.00")
    somebody.bill(ON, "outpatient primary", "800.00")
    assert somebody.used == {}


def test_a_counter_above_its_limit_gives_nothing_and_takes_nothing() -> None:
    somebody = patient(ZHENGZHOU, used={"fund": "1900.00"})
    assert somebody.bill(ON, "outpatient tertiary", "140.00") == {"deductible": "40.00", "cash": "140.00"}


def test_a_bill_of_nothing() -> None:
    assert patient(SHANGHAI).bill(ON, "outpatient primary", "0.00") == {}


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        (SHANGHAI, ("deductible", "fund", "supplement")),
        (BEIJING, ("deductible", "fund")),
        (ZHENGZHOU, ("deductible:2025-09-10:H1", "fund")),
        (VALLEY, ("valley_deductible", "visit_fee:2025-09-10:H1", "valley_fund", "valley_cost", "valley_aid")),
    ],
)
def test_the_counters_a_bill_fills(code: str, keys: tuple[str, ...]) -> None:
    beyond_every_cap = claim(institution="H1", in_scope=Decimal("9000000.00"))
    assert tuple(assess(scheme(code), beyond_every_cap, {}, {}, ON).counters) == keys


def test_a_level_that_the_region_does_not_know_is_an_error() -> None:
    with pytest.raises(NoValue):
        assess(scheme(SHANGHAI), claim(level="unheard_of"), {}, {}, ON)


@pytest.mark.parametrize("amount", ["-0.01", "0.001", "NaN"])
@pytest.mark.parametrize("item_class", ["in_scope", "pre_self_pay", "self_paid"])
def test_a_claim_holds_amounts_of_money_only(item_class: str, amount: str) -> None:
    with pytest.raises(ValueError, match=item_class):
        claim(**{item_class: Decimal(amount)})


def deductible_of(scope: str) -> Scheme:
    """A scheme in which the patient bears 50 of the scope."""
    return Scheme.from_data(
        {
            "source": "t",
            "grade": "OWN",
            "accumulate_by": "service",
            "payers": {"in_scope": [], "pre_self_pay": [], "self_paid": []},
            "stage": [{"kind": "deductible", "scope": scope, "counter": "borne", "amount": "50.00"}],
        }
    )


@pytest.mark.parametrize(
    ("scope", "counter"),
    [
        ("year", "borne"),
        ("level", "borne:tertiary"),
        ("institution", "borne:H1"),
        ("day_institution", "borne:2025-09-10:H1"),
    ],
)
def test_a_deductible_is_remembered_where_its_scope_says(scope: str, counter: str) -> None:
    elsewhere = {"borne": "50.00", "borne:primary": "50.00", "borne:H2": "50.00", "borne:2025-09-09:H1": "50.00"}
    used = {name: Decimal(amount) for name, amount in elsewhere.items() if name != counter} | {
        counter: Decimal("20.00")
    }
    decision = assess(deductible_of(scope), claim(institution="H1"), used, {}, ON)
    assert (decision.deductible, decision.counters) == (Decimal("30.00"), {counter: Decimal("30.00")})


def test_what_no_source_tells_is_not_worked_out() -> None:
    with pytest.raises(NotKnown):
        assess(scheme("371500"), claim(), {}, {}, ON)
    hangzhou = scheme("330100", "inpatient")
    assert assess(hangzhou, claim(in_scope=Decimal("40000.00")), {}, {}, ON).fund == Decimal("32144.00")
    with pytest.raises(NotKnown):
        assess(hangzhou, claim(in_scope=Decimal("40000.01")), {}, {}, ON)
