"""Any mixture of stages, counters, bands, caps, payers and orders is a file: it loads, and bills come out to the fen."""

import datetime
import re
from decimal import Decimal
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from settlements.domain.allocation import OWN, Candidate, allocate, order_sources
from settlements.domain.assessment import Claim, assess
from settlements.domain.parameters import NotKnown, Person
from settlements.domain.region_file import BadRegionFile, load_region_text
from tests.settlements.domain import slow_bill
from tests.settlements.domain.mixtures import LEVELS, as_toml, regions

ON = datetime.date(2025, 9, 10)
BIRTHDAYS = [
    datetime.date(1990, 9, 11),
    datetime.date(1980, 9, 10),
    datetime.date(1955, 9, 11),
    datetime.date(1950, 1, 1),
]
RETIREMENTS = [None, datetime.date(2000, 12, 31), datetime.date(2001, 1, 1)]
USED = ["borne", "visit_fee", "paid", "aid", "cost", "paid_here"]
KEYS = [f"{name}{end}" for name in USED[:2] for end in ["", ":H1", f":{ON}:H1", *(f":{level}" for level in LEVELS)]]


def yuan(fens: int) -> Decimal:
    return Decimal(fens).scaleb(-2)


PATIENTS = st.builds(
    slow_bill.Patient,
    born=st.sampled_from(BIRTHDAYS),
    status=st.sampled_from(["active", "retired"]),
    retired_on=st.sampled_from(RETIREMENTS),
    enrolment=st.sampled_from(["normal"] * 6 + ["suspended", "frozen"]),
    on=st.just(ON),
    level=st.sampled_from(LEVELS),
    institution=st.just("H1"),
    signed=st.booleans(),
    own=st.one_of(
        st.just({}), st.fixed_dictionaries({"current": st.integers(0, 2000), "historical": st.integers(0, 2000)})
    ),
    used=st.dictionaries(st.sampled_from([*KEYS, *USED[2:]]), st.integers(0, 3000), max_size=6),
)
AMOUNTS = st.fixed_dictionaries(
    {"in_scope": st.integers(0, 4000), "pre_self_pay": st.integers(0, 300), "self_paid": st.integers(0, 300)}
)
GRANTORS = st.lists(
    st.builds(
        slow_bill.Grantor,
        name=st.just(""),
        balance=st.sampled_from([0, 700, 700, 1500]) | st.integers(0, 2000),
        bound=st.tuples(st.sampled_from([datetime.date(2024, 1, 1), datetime.date(2024, 5, 1)]), st.just(0)),
        place=st.none() | st.integers(0, 2),
        limit=st.none() | st.integers(0, 1500),
        limit_used=st.integers(0, 1000),
        may_pay=st.booleans() | st.just(True),
    ),
    max_size=4,
)


def candidate(one: slow_bill.Grantor) -> Candidate:
    return Candidate(
        grant=one.name,
        account=f"account {one.name}",
        name=one.name,
        balance=yuan(one.balance),
        bound_on=one.bound[0],
        bound_order=one.bound[1],
        position=one.place,
        limit=None if one.limit is None else yuan(one.limit),
        limit_used=yuan(one.limit_used),
        uses_care=one.may_pay,
    )


def product(scheme: Any, rules: Any, who: slow_bill.Patient, amounts: dict[str, int], grantors: Any) -> Any:
    """The same bill through the product, in fen."""
    person = Person(birth=who.born, status=who.status, retired_on=who.retired_on, enrolment=who.enrolment)
    claim = Claim(
        person=person,
        level=who.level,
        institution=who.institution,
        signed=who.signed,
        **{name: yuan(amount) for name, amount in amounts.items()},
    )
    own = {bucket: yuan(amount) for bucket, amount in who.own.items()}
    used = {counter: yuan(amount) for counter, amount in who.used.items()}
    decision = assess(scheme, claim, used, own, who.on)
    sources = order_sources(rules.order, [candidate(one) for one in grantors], rules.keep)
    allocation = allocate(decision, own, sources)
    own_paid = {bucket: allocation.paid(OWN, bucket) for bucket in ("current", "historical")}
    relatives = {one.name: allocation.paid(one.name) for one in grantors}
    return slow_bill.Result(
        fund=in_fen(decision.fund),
        supplement=in_fen(decision.supplement),
        deductible=in_fen(decision.deductible),
        cash=in_fen(allocation.cash),
        own=positive(own_paid),
        relatives=positive(relatives),
        counters=positive(decision.counters),
    )


def in_fen(amount: Decimal) -> int:
    assert amount == amount.quantize(Decimal("0.01"))
    return int(amount * 100)


def positive(amounts: Any) -> dict[str, int]:
    return {name: in_fen(amount) for name, amount in amounts.items() if amount}


@settings(deadline=None, max_examples=100)
@given(regions(), st.integers(0, 2), PATIENTS, AMOUNTS, GRANTORS, st.randoms(use_true_random=False))
def test_a_bill_of_an_invented_region_comes_out_as_by_hand(
    region: dict[str, Any],
    which: int,
    who: slow_bill.Patient,
    amounts: dict[str, int],
    grantors: list[slow_bill.Grantor],
    random: Any,
) -> None:
    try:
        found = load_region_text(as_toml(region), "t.toml")
    except BadRegionFile as error:
        # Rates that add up to more than all of the cost are refused, by line and key, before anybody is charged.
        assert all("comes to" in str(problem) and problem.line for problem in error.problems)
        event("refused")
        return
    for at, one in enumerate(grantors):
        one.name, one.bound = f"g{at}", (one.bound[0], at)
    random.shuffle(grantors)
    if who.level not in region["levels"]:
        who.level = region["levels"][0]
    version, rules = found.schemes[which], found.sharing[0].rules

    try:
        expected = slow_bill.bill(region["scheme"][which], who, amounts, grantors, region["sharing"][0])
    except slow_bill.Unknown:
        event("not known")
        try:
            product(version.scheme, rules, who, amounts, grantors)
        except NotKnown:
            return
        raise AssertionError("a bill without known figures was settled") from None
    assert product(version.scheme, rules, who, amounts, grantors) == expected
    event("settled")


PLACE = re.compile(r"t\.toml(, line \d+)?: \S+ .+")


@settings(deadline=None, max_examples=80)
@given(regions(), st.data())
def test_an_invented_file_with_a_mistake_loads_or_is_told_with_file_line_and_key(
    region: dict[str, Any], data: st.DataObject
) -> None:
    lines = as_toml(region).splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    change = data.draw(st.sampled_from(["gone", "twice", "number", "word", "key", "list"]))
    key, _, _ = lines[at].partition(" = ")
    new = {
        "gone": [],
        "twice": [lines[at], lines[at]],
        "number": [f"{key} = 7"],
        "word": [f'{key} = "seven"'],
        "key": [f"x{lines[at]}"],
        "list": [f"{key} = []"],
    }[change]
    text = "\n".join([*lines[:at], *new, *lines[at + 1 :]])
    try:
        found = load_region_text(text, "t.toml")
    except BadRegionFile as error:
        assert error.problems
        for problem in error.problems:
            assert PLACE.fullmatch(str(problem)), problem
            # Only what is missing from the top of the file stands on no line.
            assert problem.line is not None or problem.reason == "is missing", problem
            assert problem.line is None or 1 <= problem.line <= len(text.splitlines()), problem
    else:
        assert found.levels
