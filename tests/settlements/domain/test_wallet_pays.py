"""A wallet in the allocation: own money before relatives', and never more than is there."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlements.domain.allocation import OWN, WALLET, Leg, Source, allocate
from settlements.domain.replay import replay
from settlements.domain.scheme import Payer
from tests.settlements.domain.test_allocation import decision
from tests.settlements.domain.test_properties import amounts
from tests.settlements.domain.world import yuan

HISTORICAL, SHARED = Payer("historical"), Payer("shared")
ABOVE = Payer("historical", Decimal("6000.00"))


@pytest.mark.parametrize(
    ("row", "paid"),
    [
        ((HISTORICAL, SHARED), {OWN: "50.00", WALLET: "60.00", "g": "70.00", "cash": "20.00"}),
        ((HISTORICAL,), {OWN: "50.00", WALLET: "60.00", "g": "0.00", "cash": "90.00"}),
        ((SHARED,), {OWN: "0.00", WALLET: "60.00", "g": "70.00", "cash": "70.00"}),
        ((), {OWN: "0.00", WALLET: "0.00", "g": "0.00", "cash": "200.00"}),
        # Where accounts pay only what they hold above an amount, a wallet would get round it.
        ((ABOVE,), {OWN: "0.00", WALLET: "0.00", "g": "0.00", "cash": "200.00"}),
        ((ABOVE, SHARED), {OWN: "0.00", WALLET: "60.00", "g": "70.00", "cash": "70.00"}),
    ],
)
def test_after_the_own_account_and_before_relatives(row: tuple[Payer, ...], paid: dict[str, str]) -> None:
    found = allocate(
        decision({"in_scope": "200.00"}, {"in_scope": row}),
        yuan({"historical": "50.00"}),
        [Source("g", "a", Decimal("70.00"))],
        Decimal("60.00"),
    )
    got = {who: found.paid(who) for who in (OWN, WALLET, "g")} | {"cash": found.cash}
    assert got == {who: Decimal(amount) for who, amount in paid.items()}


def test_what_it_pays_of_one_class_is_gone_for_the_next_and_told_in_the_working() -> None:
    rows = {"in_scope": (HISTORICAL,), "pre_self_pay": (HISTORICAL,), "self_paid": ()}
    found = allocate(
        decision({"in_scope": "30.00", "pre_self_pay": "20.00", "self_paid": "5.00"}, rows), {}, [], Decimal("40.00")
    )
    assert found.legs == (
        Leg(WALLET, "", WALLET, "in_scope", Decimal("30.00")),
        Leg(WALLET, "", WALLET, "pre_self_pay", Decimal("10.00")),
    )
    told = [(step.key, str(step.amount), step.params["item_class"], step.params.get("before")) for step in found.steps]
    assert told == [
        ("pay.wallet", "30.00", "in_scope", "40.00"),
        ("pay.wallet", "10.00", "pre_self_pay", "10.00"),
        ("pay.cash", "10.00", "pre_self_pay", None),
        ("pay.cash", "5.00", "self_paid", None),
    ]


def test_settled_anew_it_pays_no_more_than_it_did() -> None:
    rows = {"in_scope": (HISTORICAL, SHARED)}
    first = allocate(decision({"in_scope": "90.00"}, rows), {}, [Source("7", "a", Decimal("10.00"))], Decimal("60.00"))
    steps = [step.as_data() for step in first.steps]
    less = replay(steps, decision({"in_scope": "40.00"}, rows))
    assert (less.paid, less.cash) == ({WALLET: {WALLET: Decimal("40.00")}}, 0)
    more = replay(steps, decision({"in_scope": "200.00"}, rows))
    assert more.paid == {WALLET: {WALLET: Decimal("60.00")}, "7": {"historical": Decimal("10.00")}}
    assert more.cash == Decimal("130.00")


ROWS = st.lists(st.sampled_from([Payer("current"), HISTORICAL, ABOVE, SHARED]), unique_by=lambda one: one.bucket).map(
    tuple
)
CLASSES = ("in_scope", "pre_self_pay", "self_paid")


@given(
    personal=st.fixed_dictionaries({name: amounts(500) for name in CLASSES}),
    rows=st.fixed_dictionaries(dict.fromkeys(CLASSES, ROWS)),
    own=st.fixed_dictionaries({"current": amounts(400), "historical": amounts(7000)}),
    given_by=st.lists(amounts(300), max_size=3),
    wallet=amounts(600),
)
def test_the_parts_sum_to_the_whole_and_relatives_pay_only_what_it_cannot(
    personal: dict[str, Decimal],
    rows: dict[str, tuple[Payer, ...]],
    own: dict[str, Decimal],
    given_by: list[Decimal],
    wallet: Decimal,
) -> None:
    bill = decision({name: str(amount) for name, amount in personal.items()}, rows)
    sources = [Source(f"g{n}", f"a{n}", amount) for n, amount in enumerate(given_by)]
    found, without = allocate(bill, own, sources, wallet), allocate(bill, own, sources)
    paid = found.paid(WALLET)
    assert sum((leg.amount for leg in found.legs), found.cash) == sum(personal.values())
    assert 0 <= paid <= wallet and all(leg.amount > 0 for leg in found.legs)
    for name in CLASSES:
        here = [leg for leg in found.legs if leg.item_class == name]
        spent = sum(
            leg.amount
            for leg in found.legs
            if leg.payer == WALLET and CLASSES.index(leg.item_class) <= CLASSES.index(name)
        )
        if any(leg.payer not in (OWN, WALLET) for leg in here):
            assert spent == wallet, "a relative paid while the wallet held money"
    relatives, relatives_without = (
        [leg.amount for leg in one.legs if leg.payer not in (OWN, WALLET)] for one in (found, without)
    )
    assert sum(relatives) <= sum(relatives_without) and found.cash <= without.cash
    if not wallet:
        assert found == without
