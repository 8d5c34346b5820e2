"""What holds for any bill under any scheme of any region file: no region may pay more for less, or pass its own cap."""

import datetime
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from accounts.money import ZERO, is_fen
from settlements.domain.allocation import OWN, Candidate, allocate, order_sources
from settlements.domain.assessment import Claim, Decision, assess
from settlements.domain.parameters import NoValue, Person
from settlements.domain.region_file import RegionFile, SchemeVersion, load_region_text
from settlements.domain.scheme import DeductibleStage, RateStage, Scheme, SupplementStage
from tests.settlements.domain.world import ROOT, candidate

BIRTHS = [datetime.date(1935, 5, 1), datetime.date(1955, 9, 10), datetime.date(1962, 2, 28), datetime.date(1990, 1, 1)]
FILES = sorted([*(ROOT / "regions").glob("*.toml"), *(ROOT / "tests" / "regions").glob("*.toml")])


def amounts(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most * 100).map(lambda fens: Decimal(fens).scaleb(-2))


def versions(files: Iterable[Path]) -> list[tuple[RegionFile, SchemeVersion]]:
    regions = [load_region_text(path.read_text("utf-8"), path.name) for path in files]
    return [(region, version) for region in regions for version in region.schemes if version.scheme.known]


VERSIONS = versions(FILES)


@st.composite
def bills(draw: st.DrawFn) -> tuple[Scheme, Claim, dict[str, Decimal], dict[str, Decimal], datetime.date]:
    """A scheme, a bill under it, what is used of its counters, the own account, a day on which it holds."""
    region, version = draw(st.sampled_from(VERSIONS))
    on = version.valid_from + datetime.timedelta(days=draw(st.integers(0, 200)))
    person = Person(
        birth=draw(st.sampled_from(BIRTHS)),
        status=draw(st.sampled_from(["active", "retired"])),
        retired_on=draw(st.sampled_from([None, datetime.date(2000, 12, 31), datetime.date(2015, 1, 1)])),
    )
    claim = Claim(
        person=person,
        level=draw(st.sampled_from(region.levels)),
        in_scope=draw(st.one_of(amounts(3000), amounts(400_000))),
        pre_self_pay=draw(amounts(500)),
        self_paid=draw(amounts(500)),
        institution="H1",
        signed=draw(st.booleans()),
    )
    used = {key: draw(st.one_of(st.just(ZERO), amounts(2000), amounts(300_000))) for key in _keys(version, claim, on)}
    own = draw(st.one_of(st.just({}), st.fixed_dictionaries({"current": amounts(5000), "historical": amounts(9000)})))
    event(f"{region.code} {version.insurance} {version.kind}")
    return version.scheme, claim, used, own, on


def _keys(version: SchemeVersion, claim: Claim, on: datetime.date) -> tuple[str, ...]:
    """The counters that the bill looks into."""
    keys: list[str] = []
    for stage in version.scheme.stages:
        match stage:
            case DeductibleStage():
                place = {
                    "level": version.scheme.level_of(claim.level),
                    "institution": "H1",
                    "day_institution": f"{on}:H1",
                }
                keys.append(":".join(filter(None, [stage.counter, place.get(stage.scope)])))
            case RateStage():
                keys += [stage.counter, stage.axis_counter, *(sub.counter for sub in stage.within)]
            case SupplementStage():
                keys.append(stage.counter)
    return tuple(dict.fromkeys(filter(None, keys)))


def decide(bill: tuple[Scheme, Claim, dict[str, Decimal], dict[str, Decimal], datetime.date]) -> Decision:
    """The decision; a bill that the region's rules do not know is not what is asked about here."""
    try:
        return assess(*bill)
    except NoValue:
        assume(False)
        raise


@settings(deadline=None, max_examples=200)
@given(bills())
def test_the_parts_are_the_bill_and_none_is_negative(bill) -> None:
    scheme, claim, used, own, _ = bill
    decision = decide(bill)
    parts = [
        decision.fund,
        decision.supplement,
        decision.deductible,
        *decision.account.values(),
        *decision.personal.values(),
        *decision.counters.values(),
        *(step.amount for step in decision.steps),
    ]
    assert decision.total == claim.total
    assert all(is_fen(part) and part >= 0 for part in parts)
    assert all(taken <= own.get(bucket, ZERO) for bucket, taken in decision.account.items())
    assert decision.fund + decision.supplement <= claim.in_scope


@settings(deadline=None, max_examples=200)
@given(bills(), amounts(50_000))
def test_a_larger_bill_gets_no_less_and_costs_the_patient_no_less(bill, more) -> None:
    scheme, claim, used, own, on = bill
    smaller = decide(bill)
    larger = decide((scheme, replace(claim, in_scope=claim.in_scope + more), used, own, on))
    assert larger.fund >= smaller.fund
    assert larger.supplement >= smaller.supplement
    assert larger.deductible >= smaller.deductible
    assert larger.personal["in_scope"] >= smaller.personal["in_scope"]


@settings(deadline=None, max_examples=200)
@given(bills(), amounts(3000))
def test_whoever_has_borne_more_of_a_deductible_pays_no_more(bill, more) -> None:
    scheme, claim, used, own, on = bill
    keys = _deductible_counters(scheme)
    assume(keys)
    later = {key: amount + (more if key.split(":")[0] in keys else ZERO) for key, amount in used.items()}
    before, after = decide(bill), decide((scheme, claim, later, own, on))
    assert after.deductible <= before.deductible
    assert after.fund + after.supplement >= before.fund + before.supplement
    assert after.personal["in_scope"] <= before.personal["in_scope"]


def _deductible_counters(scheme: Scheme) -> set[str]:
    return {stage.counter for stage in scheme.stages if isinstance(stage, DeductibleStage) and stage.counter}


@settings(deadline=None, max_examples=150)
@given(bills(), st.lists(amounts(90_000), min_size=2, max_size=6))
def test_a_year_of_bills_never_passes_a_cap(bill, costs) -> None:
    """Bill after bill with the counters that each leaves: none of what is limited comes to more than its limit."""
    scheme, claim, _, own, on = bill
    used: dict[str, Decimal] = {}
    for cost in costs:
        decision = decide((scheme, replace(claim, in_scope=cost), used, own, on))
        for step in decision.steps:
            if step.params.get("limit") is not None:
                assert Decimal(step.params["used_before"]) + step.amount <= Decimal(step.params["limit"])
        for counter, amount in decision.counters.items():
            used[counter] = used.get(counter, ZERO) + amount
    for stage in scheme.stages:
        if isinstance(stage, RateStage) and stage.cap is not None:
            [cap] = {
                Decimal(step.params["limit"])
                for step in decision.steps
                if step.key == "stage.cap" and "within" not in step.params
            }
            assert used.get(stage.counter, ZERO) <= cap


@settings(deadline=None, max_examples=300)
@given(bills(), amounts(20_000), amounts(20_000))
def test_one_bill_or_two_of_the_same_day_come_to_the_same(bill, first, second) -> None:
    """Where everything counts over the year, cutting a bill in two changes no more than each rounding may."""
    scheme, claim, used, own, on = bill
    assume(_counts_over_the_year(scheme))
    whole = decide((scheme, replace(claim, in_scope=first + second), used, own, on))
    one = decide((scheme, replace(claim, in_scope=first), used, own, on))
    later = {key: used.get(key, ZERO) + one.counters.get(key, ZERO) for key in {*used, *one.counters}}
    left = {bucket: amount - one.account.get(bucket, ZERO) for bucket, amount in own.items()}
    other = decide((scheme, replace(claim, in_scope=second), later, left, on))
    assert one.deductible + other.deductible == whole.deductible
    assert abs(one.fund + other.fund - whole.fund) <= Decimal("0.02")


def _counts_over_the_year(scheme: Scheme) -> bool:
    deductibles = [stage for stage in scheme.stages if isinstance(stage, DeductibleStage)]
    rates = [stage for stage in scheme.stages if isinstance(stage, RateStage)]
    return all(stage.scope != "stay" for stage in deductibles) and all(
        stage.axis != "bill" or len(stage.bands) == 1 for stage in rates
    )


GRANTORS = st.lists(
    st.builds(
        candidate,
        st.just("?"),
        amounts(3000).map(str),
        position=st.one_of(st.none(), st.integers(0, 3)),
        limit=st.one_of(st.none(), amounts(300)),
        limit_used=amounts(200),
    ),
    min_size=1,
    max_size=4,
).map(lambda drawn: [replace(one, grant=f"g{at}", name=f"n{at}", bound_order=at) for at, one in enumerate(drawn)])
STRATEGIES = st.sampled_from(["filed", "single", "last_bound", "largest_balance"])


@settings(deadline=None, max_examples=300)
@given(bills(), GRANTORS, STRATEGIES, amounts(100), amounts(2000), st.integers(0, 4))
def test_nobody_pays_more_cash_because_somebody_has_more(bill, grantors, strategy, keep, more, who) -> None:
    scheme, claim, used, own, on = bill
    richer, richer_own = grantors[:], dict(own)
    if who < len(grantors):
        richer[who] = replace(grantors[who], balance=grantors[who].balance + more)
    else:
        richer_own = {bucket: amount + more for bucket, amount in own.items()}
    assert cash((scheme, claim, used, richer_own, on), richer, strategy, keep) <= cash(bill, grantors, strategy, keep)


def cash(bill, grantors: list[Candidate], strategy: str, keep: Decimal) -> Decimal:
    decision = decide(bill)
    return allocate(decision, bill[3], order_sources(strategy, grantors, keep)).cash


@settings(deadline=None, max_examples=300)
@given(bills(), GRANTORS, STRATEGIES, amounts(100), st.randoms(use_true_random=False))
def test_who_is_listed_first_does_not_matter_and_every_fen_is_paid_once(bill, grantors, strategy, keep, chance) -> None:
    scheme, claim, used, own, on = bill
    decision, shuffled = decide(bill), grantors[:]
    chance.shuffle(shuffled)
    paid = allocate(decision, own, order_sources(strategy, grantors, keep))
    assert paid == allocate(decision, own, order_sources(strategy, shuffled, keep))
    assert decision.fund + decision.supplement + sum((leg.amount for leg in paid.legs), ZERO) + paid.cash == claim.total
    for bucket in ("current", "historical"):
        assert paid.paid(OWN, bucket) <= own.get(bucket, ZERO)
    for one in grantors:
        assert paid.paid(one.grant) <= max(ZERO, one.balance - keep)


def test_every_region_file_is_asked() -> None:
    """A file that nobody draws from would prove nothing."""
    assert {region.code for region, _ in VERSIONS} == {path.stem for path in FILES}
