import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from settlements.domain.allocation import Leg, Source, allocate, order_sources, passed_over
from settlements.domain.assessment import Decision
from settlements.domain.scheme import Payer
from tests.settlements.domain.world import candidate, yuan

HISTORICAL, SHARED = Payer("historical"), Payer("shared")


def decision(
    personal: dict[str, str], payers: dict[str, tuple[Payer, ...]], account: dict[str, str] | None = None
) -> Decision:
    classes = ("in_scope", "pre_self_pay", "self_paid")
    return Decision(
        fund=Decimal(0),
        supplement=Decimal(0),
        deductible=Decimal(0),
        account=yuan(account),
        personal={item_class: Decimal(personal.get(item_class, "0.00")) for item_class in classes},
        payers={item_class: payers.get(item_class, ()) for item_class in classes},
        counters={},
        steps=(),
    )


def test_own_money_then_grantors_then_cash() -> None:
    allocation = allocate(
        decision({"in_scope": "200.00"}, {"in_scope": (HISTORICAL, SHARED)}),
        yuan({"current": "70.00", "historical": "50.00"}),
        [Source("g1", "a1", Decimal("30.00")), Source("g2", "a2", Decimal("80.00"))],
    )

    assert allocation.legs == (
        Leg("own", "", "historical", "in_scope", Decimal("50.00")),
        Leg("g1", "a1", "historical", "in_scope", Decimal("30.00")),
        Leg("g2", "a2", "historical", "in_scope", Decimal("80.00")),
    )
    assert allocation.cash == Decimal("40.00")


def test_the_account_stage_is_the_first_leg_and_is_not_spent_twice() -> None:
    allocation = allocate(
        decision({"in_scope": "50.00"}, {"in_scope": (Payer("current"),)}, account={"current": "80.00"}),
        yuan({"current": "100.00"}),
        [],
    )

    assert [(leg.bucket, str(leg.amount)) for leg in allocation.legs] == [("current", "80.00"), ("current", "20.00")]
    assert allocation.paid("own", "current") == Decimal("100.00")
    assert allocation.cash == Decimal("30.00")


def test_classes_are_served_in_order_from_the_same_money() -> None:
    allocation = allocate(
        decision(
            {"in_scope": "30.00", "pre_self_pay": "20.00", "self_paid": "40.00"},
            {"in_scope": (HISTORICAL,), "pre_self_pay": (HISTORICAL, SHARED), "self_paid": (SHARED,)},
        ),
        yuan({"historical": "45.00"}),
        [Source("g1", "a1", Decimal("25.00"))],
    )

    assert [(leg.payer, leg.item_class, str(leg.amount)) for leg in allocation.legs] == [
        ("own", "in_scope", "30.00"),
        ("own", "pre_self_pay", "15.00"),
        ("g1", "pre_self_pay", "5.00"),
        ("g1", "self_paid", "20.00"),
    ]
    assert allocation.cash == Decimal("20.00")
    assert allocation.paid("g1") == Decimal("25.00")


@pytest.mark.parametrize(
    ("balance", "paid"), [("6000.00", "0.00"), ("6000.01", "0.01"), ("6500.00", "500.00"), ("5000.00", "0.00")]
)
def test_only_what_is_above_an_amount(balance: str, paid: str) -> None:
    allocation = allocate(
        decision({"self_paid": "800.00"}, {"self_paid": (Payer("historical", Decimal("6000.00")),)}),
        yuan({"historical": balance}),
        [],
    )
    assert allocation.paid("own") == Decimal(paid)


def test_somebody_without_an_account_pays_cash() -> None:
    allocation = allocate(decision({"in_scope": "9.99"}, {"in_scope": (HISTORICAL, SHARED)}), {}, [])

    assert allocation.legs == ()
    assert [(step.key, str(step.amount)) for step in allocation.steps] == [("pay.cash", "9.99")]


GRANTS = {
    "A": candidate("A", "100.00", 0),
    "B": candidate("B", "300.00", 1, position=1),
    "C": candidate("C", "300.00", 2, position=0),
    "D": candidate("D", "200.00", 0, bound_on=datetime.date(2025, 3, 1)),
}


@pytest.mark.parametrize(
    ("strategy", "order"),
    [("filed", "CBAD"), ("single", "CBAD"), ("last_bound", "DCBA"), ("largest_balance", "BCDA")],
)
def test_the_order_of_grantors(strategy: str, order: str) -> None:
    assert "".join(source.grant for source in order_sources(strategy, GRANTS.values())) == order
    assert "".join(source.grant for source in order_sources(strategy, reversed(GRANTS.values()))) == order


def test_a_strategy_that_nobody_knows() -> None:
    with pytest.raises(KeyError):
        order_sources("alphabetical", GRANTS.values())


@pytest.mark.parametrize(
    ("more", "keep", "available"),
    [
        ({}, "0.00", "100.00"),
        ({}, "30.00", "70.00"),
        ({"limit": Decimal("60.00")}, "0.00", "60.00"),
        ({"limit": Decimal("60.00"), "limit_used": Decimal("45.50")}, "0.00", "14.50"),
        ({"limit": Decimal("60.00")}, "90.00", "10.00"),
    ],
)
def test_what_a_grantor_can_give(more: dict[str, Any], keep: str, available: str) -> None:
    [source] = order_sources("filed", [candidate("A", "100.00", **more)], Decimal(keep))
    assert source == Source("A", "account of A", Decimal(available))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, None),
        ({"uses_care": False}, "not_permitted"),
        ({"paused": True}, "paused"),
        ({"status": "suspended"}, "suspended"),
        ({"status": "frozen"}, "frozen"),
        ({"status": "closed"}, "closed"),
        ({"limit": Decimal("60.00"), "limit_used": Decimal("60.00")}, "over_limit"),
        ({"balance": Decimal("0.00")}, "insufficient_balance"),
        ({"balance": Decimal("20.00")}, "below_threshold"),
    ],
)
def test_why_a_grantor_is_passed_over(more: dict[str, Any], reason: str | None) -> None:
    grant = replace(candidate("A", "100.00"), **more)

    assert passed_over(grant, keep=Decimal("20.00")) == reason
    assert bool(order_sources("filed", [grant], Decimal("20.00"))) is (reason is None)
