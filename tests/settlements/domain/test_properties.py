"""What holds for every bill under every scheme, not only for those of the tables."""

import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.money import ZERO, is_fen
from settlements.domain.allocation import OWN, Candidate, allocate, order_sources
from settlements.domain.assessment import Claim, Decision, assess
from settlements.domain.parameters import Person
from settlements.domain.scheme import Scheme
from tests.settlements.domain.world import candidate

ON = datetime.date(2025, 9, 10)


def amounts(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most * 100).map(lambda fens: Decimal(fens).scaleb(-2))


def texts(most: int) -> st.SearchStrategy[str]:
    return amounts(most).map(str)


PERCENTS = texts(100)
LEVEL_ROWS = st.tuples(PERCENTS, PERCENTS).map(
    lambda rates: [{"when": {"level": ["primary", "secondary"]}, "value": rates[0]}, {"value": rates[1]}]
)
ACCOUNTS = st.sampled_from(
    [[], [{"kind": "account", "bucket": "current"}], [{"kind": "account", "bucket": "historical"}]]
)
DEDUCTIBLES = st.lists(
    st.builds(
        lambda scope, amount: {
            "kind": "deductible",
            "amount": amount,
            "scope": scope,
            **({} if scope == "stay" else {"counter": f"deductible_{scope}"}),
        },
        st.sampled_from(["year", "day_institution", "stay"]),
        texts(600),
    ),
    max_size=2,
)


@st.composite
def rates(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A rate, flat or in bands, perhaps with a cap, and then perhaps with a supplement."""
    stage: dict[str, Any] = {"kind": "rate", "counter": "fund"}
    if draw(st.booleans()):
        stage["rate"] = draw(LEVEL_ROWS)
    else:
        stage["axis"] = draw(st.sampled_from(["fund", "in_scope", "bill"]))
        stage |= {"axis_counter": "cost"} if stage["axis"] == "in_scope" else {}
        ends = sorted(draw(st.sets(st.integers(1, 3000), max_size=3)))
        stage["band"] = [{"up_to": f"{end}.00", "rate": draw(PERCENTS)} for end in ends] + [{"rate": draw(PERCENTS)}]
    if draw(st.booleans()):
        return [stage]
    stage["cap"] = draw(texts(3000))
    supplement = {"kind": "supplement", "counter": "aid", "rate": draw(st.one_of(st.just("bill"), PERCENTS))}
    supplement |= {"limit": draw(texts(500))} if draw(st.booleans()) else {}
    return [stage, *draw(st.sampled_from([[], [supplement]]))]


PAYER_ROWS = st.lists(st.sampled_from(["current", "historical", "shared"]), unique=True, max_size=3)
SCHEMES = st.builds(
    lambda account, deductibles, rate, rows: Scheme.from_data(
        {
            "source": "drawn",
            "grade": "OWN",
            "accumulate_by": "service",
            "payers": dict(zip(("in_scope", "pre_self_pay", "self_paid"), rows, strict=True)),
            "stage": [*account, *deductibles, *rate],
        }
    ),
    ACCOUNTS,
    DEDUCTIBLES,
    st.one_of(st.just([]), rates()),
    st.tuples(PAYER_ROWS, PAYER_ROWS, PAYER_ROWS),
)
CLAIMS = st.builds(
    Claim,
    person=st.builds(
        Person,
        birth=st.just(datetime.date(1960, 2, 29)),
        status=st.sampled_from(["active", "retired"]),
        enrolment=st.sampled_from(["normal", "normal", "normal", "suspended", "frozen"]),
    ),
    level=st.sampled_from(["primary", "tertiary"]),
    in_scope=amounts(6000),
    pre_self_pay=amounts(100),
    self_paid=amounts(100),
    institution=st.just("H1"),
)
USED = st.fixed_dictionaries(
    {},
    optional={
        "deductible_year": amounts(700),
        "deductible_day_institution:2025-09-10:H1": amounts(700),
        "fund": amounts(4000),
        "aid": amounts(600),
        "cost": amounts(5000),
    },
)
OWN_MONEY = st.one_of(st.just({}), st.fixed_dictionaries({"current": amounts(2000), "historical": amounts(2000)}))
STRATEGIES = st.sampled_from(["filed", "single", "last_bound", "largest_balance"])


def numbered(drawn: list[Candidate]) -> list[Candidate]:
    """Each with a grant, a name and a binding of his own."""
    return [replace(one, grant=f"g{at}", name=f"n{at}", bound_order=at) for at, one in enumerate(drawn)]


POSITIONS = st.one_of(st.none(), st.integers(0, 3))
CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.just("?"),
        texts(500),
        position=POSITIONS,
        limit=st.one_of(st.none(), amounts(300)),
        limit_used=amounts(300),
        uses_care=st.booleans(),
        status=st.sampled_from(["normal", "normal", "suspended"]),
    ),
    max_size=4,
).map(numbered)
# Several who can pay, whatever is kept back, as they are listed and listed in another way.
LISTED_TWICE = (
    st.lists(
        st.builds(candidate, st.just("?"), st.integers(101, 500).map(str), position=POSITIONS), min_size=2, max_size=4
    )
    .map(numbered)
    .flatmap(lambda drawn: st.tuples(st.just(drawn), st.permutations(drawn)))
)


def all_amounts(decision: Decision) -> list[Decimal]:
    return [
        decision.fund,
        decision.supplement,
        decision.deductible,
        *decision.account.values(),
        *decision.personal.values(),
        *decision.counters.values(),
        *(step.amount for step in decision.steps),
    ]


@settings(deadline=None)
@given(SCHEMES, CLAIMS, USED, OWN_MONEY)
def test_the_parts_of_a_bill_are_the_bill(
    scheme: Scheme, claim: Claim, used: dict[str, Decimal], own: dict[str, Decimal]
) -> None:
    decision = assess(scheme, claim, used, own, ON)

    assert decision.total == claim.total
    assert all(is_fen(amount) and amount >= 0 for amount in all_amounts(decision))
    assert decision.deductible <= decision.personal["in_scope"]
    assert all(taken <= own.get(bucket, ZERO) for bucket, taken in decision.account.items())


@settings(deadline=None)
@given(SCHEMES, CLAIMS, USED, OWN_MONEY)
def test_no_limit_is_passed(scheme: Scheme, claim: Claim, used: dict[str, Decimal], own: dict[str, Decimal]) -> None:
    decision = assess(scheme, claim, used, own, ON)

    for step in decision.steps:
        limit = step.params.get("limit")
        if limit is not None:
            assert step.amount <= max(ZERO, Decimal(limit) - Decimal(step.params["used_before"]))
        if step.key == "stage.deductible":
            assert step.amount <= Decimal(step.params["deductible"])


@settings(deadline=None)
@given(SCHEMES, CLAIMS, USED, OWN_MONEY, amounts(1000))
def test_a_larger_bill_never_gets_less(
    scheme: Scheme, claim: Claim, used: dict[str, Decimal], own: dict[str, Decimal], more: Decimal
) -> None:
    smaller = assess(scheme, claim, used, own, ON)
    larger = assess(scheme, replace(claim, in_scope=claim.in_scope + more), used, own, ON)

    assert larger.fund >= smaller.fund
    assert larger.supplement >= smaller.supplement
    assert larger.deductible >= smaller.deductible
    assert larger.personal["in_scope"] >= smaller.personal["in_scope"]


@settings(deadline=None)
@given(SCHEMES, CLAIMS, USED, OWN_MONEY)
def test_without_benefits_no_fund_pays_and_no_counter_moves(
    scheme: Scheme, claim: Claim, used: dict[str, Decimal], own: dict[str, Decimal]
) -> None:
    stopped = replace(claim, person=replace(claim.person, enrolment="suspended"))
    decision = assess(scheme, stopped, used, own, ON)

    assert decision.fund == decision.supplement == decision.deductible == 0
    assert decision.counters == {}


@settings(deadline=None)
@given(SCHEMES, CLAIMS, USED, OWN_MONEY, CANDIDATES, STRATEGIES, amounts(100))
def test_every_fen_is_paid_once_and_nobody_gives_more_than_he_has(
    scheme: Scheme,
    claim: Claim,
    used: dict[str, Decimal],
    own: dict[str, Decimal],
    candidates: list[Candidate],
    strategy: str,
    keep: Decimal,
) -> None:
    decision = assess(scheme, claim, used, own, ON)
    sources = order_sources(strategy, candidates, keep)
    allocation = allocate(decision, own, sources)

    paid = sum((leg.amount for leg in allocation.legs), ZERO)
    assert decision.fund + decision.supplement + paid + allocation.cash == claim.total
    assert allocation.cash >= 0
    assert all(leg.amount > 0 for leg in allocation.legs)
    for bucket in ("current", "historical"):
        assert allocation.paid(OWN, bucket) <= own.get(bucket, ZERO)
    for one in candidates:
        given_by_one = allocation.paid(one.grant)
        assert given_by_one <= max(ZERO, one.balance - keep)
        assert one.limit is None or given_by_one <= max(ZERO, one.limit - one.limit_used)
        assert given_by_one == 0 or (one.uses_care and one.status == "normal")
    if claim.person.enrolment == "frozen":
        assert allocation.legs == ()


@settings(deadline=None)
@given(LISTED_TWICE, STRATEGIES, amounts(100))
def test_the_order_does_not_depend_on_how_grants_are_listed(
    listed: tuple[list[Candidate], list[Candidate]], strategy: str, keep: Decimal
) -> None:
    once, again = (order_sources(strategy, candidates, keep) for candidates in listed)
    assert len(once) == len(listed[0]) and once == again
