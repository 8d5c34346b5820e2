"""Within its room a grantor's balance may be another one, and the bill is shared out the same."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.money import ZERO
from settlements.domain.allocation import Allocation, Candidate, allocate, order_sources, room
from settlements.domain.assessment import Decision
from settlements.domain.scheme import Payer
from tests.settlements.domain.test_allocation import decision
from tests.settlements.domain.test_properties import amounts
from tests.settlements.domain.world import candidate

DAY = datetime.date(2025, 1, 1)
STRATEGIES = ["filed", "single", "last_bound", "largest_balance"]


@pytest.mark.parametrize(
    ("changed", "taken", "expected"),
    [
        ({"balance": "100.00"}, "40.00", ("40.00", None)),
        ({"balance": "100.00"}, "100.00", ("100.00", "100.00")),
        ({"balance": "100.00"}, "0.00", ("0.00", None)),
        ({"balance": "100.00", "limit": "40.00"}, "40.00", ("40.00", None)),
        ({"balance": "40.00", "limit": "40.00"}, "40.00", ("40.00", None)),
        ({"balance": "0.00"}, "0.00", ("0.00", "0.00")),
        ({"balance": "100.00", "status": "suspended"}, "0.00", ("0.00", None)),
    ],
)
def test_how_far_a_balance_may_move(changed: dict[str, str], taken: str, expected: tuple[str, str | None]) -> None:
    limits = {name: Decimal(changed[name]) for name in ("limit",) if name in changed}
    one = candidate("a", changed["balance"], status=changed.get("status", "normal"), **limits)
    least, most = room("filed", one, ZERO, Decimal(taken))
    assert (str(least), most if most is None else str(most)) == expected


def test_what_stays_with_him_is_not_his_to_give() -> None:
    one = candidate("a", "10100.00")
    assert room("filed", one, Decimal("10000.00"), Decimal("40.00")) == (Decimal("10040.00"), None)
    poor = candidate("a", "9000.00")
    assert room("filed", poor, Decimal("10000.00"), ZERO) == (ZERO, Decimal("10000.00"))


def test_where_the_largest_pays_first_every_fen_counts() -> None:
    one = candidate("a", "100.00")
    assert room("largest_balance", one, ZERO, ZERO) == (Decimal("100.00"), Decimal("100.00"))


CANDIDATES = st.lists(
    st.tuples(amounts(300), st.none() | amounts(200), amounts(100), st.sampled_from(["normal", "normal", "suspended"])),
    min_size=1,
    max_size=4,
)


@given(
    data=st.data(),
    people=CANDIDATES,
    strategy=st.sampled_from(STRATEGIES),
    keep=st.sampled_from([ZERO, Decimal("50.00")]),
    shares=st.tuples(amounts(300), amounts(100), amounts(100)),
)
def test_anywhere_in_all_rooms_the_bill_comes_out_the_same(
    data: st.DataObject,
    people: list[tuple[Decimal, Decimal | None, Decimal, str]],
    strategy: str,
    keep: Decimal,
    shares: tuple[Decimal, Decimal, Decimal],
) -> None:
    row = (Payer("shared"),)
    classes = ("in_scope", "pre_self_pay", "self_paid")
    bill = decision(
        {name: str(share) for name, share in zip(classes, shares, strict=True)}, dict.fromkeys(classes, row)
    )
    before = [_person(number, *one) for number, one in enumerate(people)]
    first = _shared_out(bill, strategy, before, keep)
    after = []
    for one in before:
        least, most = room(strategy, one, keep, first.paid(one.grant))
        balance = data.draw(amounts(700)) if most != least else least
        assume(balance >= least and (most is None or balance <= most))
        after.append(replace(one, balance=balance))
    assert _shared_out(bill, strategy, after, keep) == first


def _person(number: int, balance: Decimal, limit: Decimal | None, used: Decimal, status: str) -> Candidate:
    return Candidate(
        grant=str(number), account=str(number), name=f"n{number}", balance=balance, bound_on=DAY, bound_order=number,
        limit=limit, limit_used=used, status=status,
    )  # fmt: skip


def _shared_out(bill: Decision, strategy: str, candidates: list[Candidate], keep: Decimal) -> Allocation:
    return allocate(bill, {}, order_sources(strategy, candidates, keep))
