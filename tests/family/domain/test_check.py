import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from family.domain import check as rule
from family.domain.check import Facts, Person, Terms
from family.domain.rules import SharingRules
from tests.family.domain.test_rules import DATA

TODAY = datetime.date(2026, 11, 20)
RULES = SharingRules.from_data({**DATA, "relations": ["spouse", "parent", "child", "sibling"]})
GRANTOR = Person(birth=datetime.date(1985, 1, 1), insurance="employee", region="310000")
RELATIVE = Person(birth=datetime.date(1986, 1, 1), insurance="resident", region="310000")
FINE = Facts(grantor=GRANTOR, beneficiary=RELATIVE, relation="spouse")


def rules(**changes: Any) -> SharingRules:
    return replace(RULES, **changes)


def codes(facts: Facts, with_rules: SharingRules | None = RULES) -> list[str]:
    return [finding.code for finding in rule.check(with_rules, facts, TODAY)]


def grantor(**changes: Any) -> Facts:
    return replace(FINE, grantor=replace(GRANTOR, **changes))


def relative(**changes: Any) -> Facts:
    return replace(FINE, beneficiary=replace(RELATIVE, **changes))


def test_nothing_stands_against_it() -> None:
    assert codes(FINE) == []


@pytest.mark.parametrize(
    ("facts", "with_rules", "expected"),
    [
        (replace(FINE, same_person=True), RULES, ["same_person"]),
        (relative(insurance=None), RULES, ["not_insured"]),
        (relative(status="closed"), RULES, ["not_insured"]),
        (relative(status="suspended"), RULES, []),
        (FINE, None, ["not_permitted"]),
        (grantor(insurance="resident"), RULES, ["not_permitted"]),
        (grantor(insurance=None), RULES, ["not_insured"]),
        (grantor(insurance=None), None, ["not_insured"]),
        (relative(region="110000"), RULES, ["different_region"]),
        (relative(region="310100"), RULES, ["different_region"]),
        (relative(region="310100"), rules(same_region=False), []),
        (relative(region="110000"), rules(same_region=False), ["different_region"]),
        (replace(FINE, relation="grandparent"), RULES, ["not_near_relative"]),
        (replace(FINE, relation="parent_in_law"), RULES, ["not_near_relative"]),
        (replace(FINE, relation="parent"), RULES, ["ages_do_not_fit"]),
        (replace(relative(birth=datetime.date(1984, 12, 31)), relation="child"), RULES, ["ages_do_not_fit"]),
        (replace(relative(birth=datetime.date(2008, 11, 21), sex="F"), relation="spouse"), RULES, ["ages_do_not_fit"]),
        (replace(FINE, relation="parent", same_person=True), RULES, ["same_person"]),
        (grantor(status="suspended"), RULES, ["suspended"]),
        (grantor(status="frozen"), RULES, ["frozen"]),
        (grantor(status="closed"), RULES, ["closed"]),
        (replace(FINE, bound=True), RULES, ["already_bound"]),
        (replace(FINE, applied=True), RULES, ["already_bound"]),
        (replace(FINE, bound_the_other_way=True), RULES, ["mutual_binding"]),
        (replace(FINE, bound_the_other_way=True), rules(mutual=True), []),
        (replace(FINE, relatives={"child": 1}), rules(max_beneficiaries=1), ["too_many_relatives"]),
        (replace(FINE, relatives={"child": 1}), rules(max_beneficiaries=2), []),
        (replace(FINE, relatives={"spouse": 1}), rules(max_per_relation={"spouse": 1}), ["too_many_relatives"]),
        (replace(FINE, relatives={"child": 3}), rules(max_per_relation={"spouse": 1}), []),
        (replace(FINE, grantors=1), rules(max_grantors=1), ["too_many_grantors"]),
        (replace(FINE, grantors=1), rules(max_grantors=2), []),
        (replace(FINE, terms=Terms(care=False, premium=False)), RULES, ["no_use_chosen"]),
        (FINE, rules(uses=("pay",)), ["use_not_offered"]),
        (FINE, rules(uses=("premium",)), ["use_not_offered"]),
        (replace(FINE, terms=Terms(ends_on=TODAY)), RULES, ["ends_too_early"]),
        (replace(FINE, terms=Terms(ends_on=TODAY + datetime.timedelta(1))), RULES, []),
        (replace(FINE, terms=Terms(limit=Decimal("0.00"))), RULES, ["bad_limit"]),
        (replace(FINE, terms=Terms(limit=Decimal("-1.00"))), RULES, ["bad_limit"]),
        (replace(FINE, terms=Terms(limit=Decimal("1.005"))), RULES, ["bad_limit"]),
        (replace(FINE, terms=Terms(limit=Decimal("0.01"))), RULES, []),
    ],
)
def test_each_reason(facts: Facts, with_rules: SharingRules | None, expected: list[str]) -> None:
    assert codes(facts, with_rules) == expected


def test_all_reasons_at_once_in_their_order() -> None:
    """Identity and permission before number, number before limit."""
    facts = Facts(
        grantor=replace(GRANTOR, insurance="employee", status="frozen"),
        beneficiary=replace(RELATIVE, status="closed", region="110000"),
        relation="parent_in_law",
        same_person=True,
        applied=True,
        bound_the_other_way=True,
        relatives={"child": 9},
        grantors=9,
        terms=Terms(ends_on=TODAY, limit=Decimal(0)),
    )
    assert codes(facts, rules(max_beneficiaries=1, max_grantors=1, uses=("pay",))) == [
        "same_person",
        "not_insured",
        "different_region",
        "not_near_relative",
        "frozen",
        "already_bound",
        "mutual_binding",
        "too_many_relatives",
        "too_many_grantors",
        "use_not_offered",
        "ends_too_early",
        "bad_limit",
    ]


def test_whoever_is_bound_is_not_one_too_many() -> None:
    facts = replace(FINE, bound=True, relatives={"spouse": 1}, grantors=1)
    assert codes(facts, rules(max_beneficiaries=1, max_grantors=1)) == ["already_bound"]


def test_the_whole_and_the_kind_of_relative() -> None:
    """Xuchang: parents two, a spouse, three children, six in all."""
    xuchang = rules(max_beneficiaries=6, max_per_relation={"parent": 2, "spouse": 1, "child": 3})
    child = replace(FINE, relation="child", relatives={"parent": 1, "spouse": 1, "child": 3})

    assert rule.check(xuchang, child, TODAY) == [
        ("too_many_relatives", {"most": 3, "relation": "child", "why": "relation"})
    ]
    mother = replace(child, relation="parent", beneficiary=replace(RELATIVE, birth=datetime.date(1960, 1, 1)))
    assert codes(mother, xuchang) == []
    full = replace(mother, relatives={"parent": 2, "spouse": 1, "child": 3})
    assert rule.check(xuchang, full, TODAY) == [("too_many_relatives", {"most": 6})]


PERSONS = st.builds(
    Person,
    birth=st.dates(datetime.date(1930, 1, 1), TODAY),
    insurance=st.sampled_from([None, "employee", "resident"]),
    status=st.sampled_from(["normal", "suspended", "frozen", "closed"]),
    region=st.sampled_from(["310000", "110000", "330100", "330200"]),
)
FACTS = st.builds(
    Facts,
    grantor=PERSONS,
    beneficiary=PERSONS,
    relation=st.sampled_from(["spouse", "child", "sibling", "parent_in_law"]),
    same_person=st.booleans(),
    bound=st.booleans(),
    bound_the_other_way=st.booleans(),
    applied=st.booleans(),
    relatives=st.dictionaries(st.sampled_from(["spouse", "child"]), st.integers(0, 4)),
    grantors=st.integers(0, 3),
    terms=st.builds(Terms, care=st.booleans(), premium=st.booleans(), limit=st.none() | st.decimals(-1, 2, places=3)),
)
SOME_RULES = st.none() | st.builds(
    rules,
    mutual=st.booleans(),
    same_region=st.booleans(),
    max_beneficiaries=st.none() | st.integers(1, 4),
    max_grantors=st.none() | st.integers(1, 3),
    uses=st.sampled_from([("pay",), ("pay", "premium")]),
)


@given(FACTS, SOME_RULES)
def test_reasons_come_once_in_one_order_and_name_nobody(facts: Facts, with_rules: SharingRules | None) -> None:
    found = rule.check(with_rules, facts, TODAY)
    places = [rule.CODES.index(finding.code) for finding in found if finding.code != "use_not_offered"]

    assert places == sorted(set(places))
    assert {key for finding in found for key in finding.params} <= {"why", "most", "relation"}


@given(FACTS, SOME_RULES)
def test_more_relatives_and_grantors_never_help(facts: Facts, with_rules: SharingRules | None) -> None:
    more = replace(facts, relatives={**facts.relatives, "sibling": 5}, grantors=facts.grantors + 1)
    assert set(codes(facts, with_rules)) <= set(codes(more, with_rules))


@pytest.mark.parametrize(
    ("birth", "on", "age", "needed"),
    [
        ("2010-05-11", "2026-05-10", 16, False),
        ("2010-05-10", "2026-05-10", 16, True),
        ("2010-05-09", "2026-05-10", 16, True),
        # Born on 29 February: the month's last day is the birthday of a common year (Civil Code, article 202).
        ("2008-02-29", "2024-02-28", 16, False),
        ("2008-02-29", "2024-02-29", 16, True),
        ("2008-02-29", "2026-02-27", 18, False),
        ("2008-02-29", "2026-02-28", 18, True),
        ("2026-11-20", "2026-11-20", 0, True),
    ],
)
def test_who_must_agree_himself(birth: str, on: str, age: int, needed: bool) -> None:
    facts = relative(birth=datetime.date.fromisoformat(birth))
    assert rule.consent_needed(rules(verification_age=age), facts, datetime.date.fromisoformat(on)) is needed


@pytest.mark.parametrize(
    ("review", "channel", "needed"),
    [
        ("none", "online", False),
        ("none", "window", False),
        ("window", "online", False),
        ("window", "window", True),
        ("all", "online", True),
        ("all", "window", True),
        ("all", "system", False),
    ],
)
def test_what_a_second_person_looks_at(review: str, channel: str, needed: bool) -> None:
    assert rule.review_needed(rules(review=review), channel) is needed


@pytest.mark.parametrize(
    ("bound", "months", "first"),
    [
        ("2025-03-01", 3, "2025-06-01"),
        ("2025-03-01", 0, "2025-03-01"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2023-11-30", 3, "2024-02-29"),
        ("2025-12-31", 1, "2026-01-31"),
        ("2025-08-31", 6, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_the_first_day_of_ending(bound: str, months: int, first: str) -> None:
    on = rule.may_unbind_from(rules(unbind_min_months=months), datetime.date.fromisoformat(bound))
    assert on == datetime.date.fromisoformat(first)


def test_when_an_end_takes_effect_and_an_invitation_lapses() -> None:
    assert rule.unbound_from(rules(unbind_effect="same_day"), TODAY) == TODAY
    assert rule.unbound_from(rules(unbind_effect="next_day"), TODAY) == datetime.date(2026, 11, 21)
    assert rule.consent_until(rules(consent_days=14), TODAY) == datetime.date(2026, 12, 4)


def test_all_that_is_offered() -> None:
    assert Terms.offered(RULES) == Terms(care=True, premium=True)
    assert Terms.offered(rules(uses=("pay",))) == Terms(care=True, premium=False)
