"""A bill decided anew: the table of who is relieved first, and the sums for any bill."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.money import ZERO
from settlements.domain.allocation import OWN, Source, allocate
from settlements.domain.assessment import Claim, assess
from settlements.domain.parameters import Person
from settlements.domain.replay import replay, staged
from settlements.domain.scheme import Scheme

DAY = datetime.date(2025, 9, 10)
D = Decimal
PERSON = Person(birth=datetime.date(1985, 1, 1), status="active", retired_on=None, enrolment="normal")


def scheme(*, account: bool = True) -> Scheme:
    stages = [{"kind": "account", "bucket": "current"}] if account else []
    stages += [
        {"kind": "deductible", "amount": "500.00", "scope": "year", "counter": "deductible"},
        {"kind": "rate", "rate": "70", "counter": "fund"},
    ]
    return Scheme.from_data(
        {
            "accumulate_by": "service",
            "source": "TEST",
            "grade": "OWN",
            "stage": stages,
            "payers": {
                "in_scope": ["historical", "shared"],
                "pre_self_pay": ["historical", "shared"],
                "self_paid": ["historical"],
            },
        }
    )


def settled(in_scope: str, used: str, own: dict[str, str], shared: list[str], self_paid: str = "0.00") -> tuple:
    """A bill as it was settled: the scheme, the claim, its decision, and the stored steps."""
    rules = scheme()
    claim = Claim(person=PERSON, level="tertiary", in_scope=D(in_scope), self_paid=D(self_paid))
    held = {bucket: D(amount) for bucket, amount in own.items()}
    decision = assess(rules, claim, {"deductible": D(used)}, held, DAY)
    sources = [Source(str(at), str(at), D(amount)) for at, amount in enumerate(shared, 1)]
    allocation = allocate(decision, held, sources)
    steps = [step.as_data() for step in (*decision.steps, *allocation.steps)]
    return rules, claim, decision, allocation, steps


@pytest.mark.parametrize(
    ("used", "anew", "fund", "cash", "own", "first", "second"),
    [
        # 1,000 in scope; 300 of the deductible were left, so the patient bore 510: own 200, then 150, then 100, cash 60.
        ("200.00", "200.00", "490.00", "60.00", "200.00", "150.00", "100.00"),
        # The deductible full by now: 210 less; cash is relieved first, then the last relative, then the one before.
        ("200.00", "500.00", "700.00", "0.00", "200.00", "100.00", None),
        # The deductible empty: 140 more, all of it cash, for no account pays more than it did.
        ("200.00", "0.00", "350.00", "200.00", "200.00", "150.00", "100.00"),
    ],
)
def test_who_is_relieved(used: str, anew: str, fund: str, cash: str, own: str, first: str, second: str | None) -> None:
    own_held = {"current": "0.00", "historical": "200.00"}
    rules, claim, _decision, _allocation, steps = settled("1000.00", used, own_held, ["150.00", "100.00"])
    again = replay(steps, assess(rules, claim, {"deductible": D(anew)}, staged(steps), DAY))
    assert (again.decision.fund, again.cash) == (D(fund), D(cash))
    assert again.paid[OWN] == {"historical": D(own)}
    assert again.paid["1"] == {"historical": D(first)}
    assert again.paid.get("2") == ({"historical": D(second)} if second else None)


def test_what_no_counter_touches_stays() -> None:
    rules, claim, _decision, _allocation, steps = settled(
        "100.00", "0.00", {"current": "0.00", "historical": "250.00"}, [], self_paid="80.00"
    )
    again = replay(steps, assess(rules, claim, {"deductible": D("500.00")}, staged(steps), DAY))
    assert again.paid[OWN] == {"historical": D("110.00")}
    classes = {
        step["params"]["item_class"]: step["amount"] for step in again.steps if step["key"] == "pay.own_historical"
    }
    assert classes == {"in_scope": "30.00", "self_paid": "80.00"}


def test_the_working_says_what_the_account_held_then() -> None:
    rules, claim, _decision, _allocation, steps = settled(
        "1000.00", "0.00", {"current": "900.00", "historical": "0.00"}, []
    )
    again = replay(steps, assess(rules, claim, {"deductible": D("500.00")}, staged(steps), DAY))
    stage = next(step for step in again.steps if step["key"] == "stage.account")
    assert (stage["amount"], stage["params"]["balance"]) == ("900.00", "900.00")


yuan = st.integers(0, 300_000).map(lambda fen: D(fen) / 100)


@given(
    in_scope=yuan,
    self_paid=yuan,
    current=yuan,
    historical=yuan,
    shared=st.lists(yuan, max_size=3),
    used=yuan,
    anew=yuan,
)
def test_any_bill_adds_up_and_nobody_pays_more(
    in_scope: Decimal,
    self_paid: Decimal,
    current: Decimal,
    historical: Decimal,
    shared: list[Decimal],
    used: Decimal,
    anew: Decimal,
) -> None:
    rules, claim, _decision, allocation, steps = settled(
        str(in_scope), str(used), {"current": str(current), "historical": str(historical)}, list(map(str, shared)),
        str(self_paid),
    )  # fmt: skip
    again = replay(steps, assess(rules, claim, {"deductible": anew}, staged(steps), DAY))
    paid = sum((sum(buckets.values(), ZERO) for buckets in again.paid.values()), ZERO)
    assert again.decision.fund + again.decision.supplement + paid + again.cash == claim.total
    for who, buckets in again.paid.items():
        for bucket, amount in buckets.items():
            assert amount <= allocation.paid(who, bucket) + (staged(steps).get(bucket, ZERO) if who == OWN else ZERO)


@given(in_scope=yuan, current=yuan, historical=yuan, shared=st.lists(yuan, max_size=3), used=yuan)
def test_on_the_same_counters_nothing_changes(
    in_scope: Decimal, current: Decimal, historical: Decimal, shared: list[Decimal], used: Decimal
) -> None:
    rules, claim, decision, allocation, steps = settled(
        str(in_scope), str(used), {"current": str(current), "historical": str(historical)}, list(map(str, shared))
    )
    again = replay(steps, assess(rules, claim, {"deductible": used}, staged(steps), DAY))
    assert (again.decision.fund, again.cash) == (decision.fund, allocation.cash)
    assert list(again.steps) == steps
