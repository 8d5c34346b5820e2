"""Closing an account: how the money is shared, and what stands against it."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.reading import BadData
from accounts.money import ZERO, is_fen
from settlements.domain.withdrawal import (
    INHERITANCE,
    TRANSFER_OUT,
    WITHDRAWAL,
    Facts,
    Open,
    Share,
    WithdrawalRule,
    check,
    check_shares,
    first_day,
    leaving,
    split,
)

ON = datetime.date(2026, 11, 20)
DATA = {
    "reasons": ["emigrated", "gave_up", "died", "moved"],
    "working_days": 2,
    "ended_first": False,
    "blocks": ["bill", "transfer", "claim", "case"],
    "source": "test",
    "grade": "OWN",
}
RULE = WithdrawalRule.from_data(DATA)


@st.composite
def shares(draw) -> list[Decimal]:
    """Percentages with two decimals that are the whole together."""
    cuts = sorted(draw(st.sets(st.integers(1, 9999), max_size=8)))
    return [Decimal(b - a).scaleb(-2) for a, b in zip([0, *cuts], [*cuts, 10000], strict=True)]


@given(amount=st.integers(0, 10**10).map(lambda fens: Decimal(fens).scaleb(-2)), percents=shares())
def test_the_parts_are_the_whole_and_each_is_a_fen_from_the_exact_one(amount, percents) -> None:
    parts = split(amount, percents)
    assert sum(parts, ZERO) == amount
    for part, percent in zip(parts, percents, strict=True):
        assert part >= 0 and is_fen(part)
        assert abs(part - amount * percent / 100) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("amount", "percents", "parts"),
    [
        ("100.00", ["33.33", "33.33", "33.34"], ["33.33", "33.33", "33.34"]),
        ("0.01", ["50", "50"], ["0.01", "0.00"]),
        ("0.02", ["25", "25", "25", "25"], ["0.01", "0.00", "0.01", "0.00"]),
        ("1000.01", ["50", "50"], ["500.01", "500.00"]),
        ("0.00", ["60", "40"], ["0.00", "0.00"]),
    ],
)
def test_a_fen_is_never_given_twice(amount, percents, parts) -> None:
    assert split(Decimal(amount), [Decimal(percent) for percent in percents]) == [Decimal(part) for part in parts]


def test_shares_that_are_no_whole_are_not_split() -> None:
    with pytest.raises(ValueError):
        split(Decimal(100), [Decimal("99.99")])


@pytest.mark.parametrize(
    ("held", "paid", "repaid"),
    [(("100", "50", "0"), "150", "0"), (("100", "50", "120"), "30", "120"), (("10", "0", "40"), "0", "10")],
)
def test_a_debt_goes_first_as_far_as_the_money_reaches(held, paid, repaid) -> None:
    going = leaving(*(Decimal(one) for one in held))
    assert (going.paid, going.repaid) == (Decimal(paid), Decimal(repaid))


def facts(kind=WITHDRAWAL, reason="emigrated", **more) -> Facts:
    return Facts(**({"kind": kind, "reason": reason, "since": ON, "payable": Decimal(10)} | more))


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        (facts(), []),
        (facts(closed=True), ["closed"]),
        (facts(reason="cannot_transfer"), ["reason_not_offered"]),
        (facts(reason="died"), ["reason_not_offered"]),
        (facts(since=ON + datetime.timedelta(days=1)), ["since_in_future"]),
        (facts(died_on=ON), ["has_died"]),
        (facts(payable=ZERO), ["nothing_to_pay"]),
        (facts(applied="K7M4PQ9T"), ["closing_applied"]),
        (facts(open=(Open(what="bill", name="H"), Open(what="transfer"))), ["settle_first", "settle_first"]),
        (facts(INHERITANCE, "died", died_on=ON), []),
        (facts(INHERITANCE, "died", payable=ZERO), []),
        (facts(INHERITANCE, "died", died_on=ON - datetime.timedelta(days=1)), ["other_day_of_death"]),
        (facts(TRANSFER_OUT, "moved", payable=ZERO), []),
        (facts(TRANSFER_OUT, "gave_up"), ["reason_not_offered"]),
    ],
)
def test_what_stands_against_it(asked, codes) -> None:
    assert [finding.code for finding in check(RULE, asked, ON)] == codes


def test_without_a_rule_nothing_is_closed() -> None:
    assert [finding.code for finding in check(None, facts(), ON)] == ["not_covered"]


def test_what_the_region_does_not_want_settled_does_not_block() -> None:
    rule = WithdrawalRule.from_data(DATA | {"blocks": ["bill"]})
    assert check(rule, facts(open=(Open(what="transfer"),)), ON) == []


def test_insurance_ended_first_and_the_tenth_of_the_next_month() -> None:
    rule = WithdrawalRule.from_data(DATA | {"ended_first": True, "from_day": 10})
    assert [one.code for one in check(rule, facts(insured=True), ON)] == ["still_insured"]
    ended = facts(ended_on=datetime.date(2026, 11, 1))
    assert check(rule, ended, datetime.date(2026, 11, 20)) == []
    assert [one.code for one in check(rule, facts(ended_on=datetime.date(2026, 11, 5)), ON)] == ["too_early"]
    assert check(rule, facts(INHERITANCE, "died", insured=True), ON) == [], "a death ends it by itself"


@pytest.mark.parametrize(
    ("ended_on", "first"),
    [("2026-11-01", "2026-11-10"), ("2026-11-02", "2026-12-10"), ("2026-12-15", "2027-01-10")],
)
def test_counted_from_the_last_insured_month(ended_on, first) -> None:
    assert first_day(10, datetime.date.fromisoformat(ended_on)).isoformat() == first


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ([("a", "50"), ("b", "50")], []),
        ([("a", "100")], []),
        ([("a", "50"), ("b", "49.99")], ["shares_not_whole"]),
        ([("a", "50"), ("a", "50")], ["heir_twice"]),
        ([("a", "50"), ("dead", "50")], ["heir_is_deceased"]),
        ([], ["shares_not_whole"]),
    ],
)
def test_heirs(given, codes) -> None:
    found = check_shares([Share(person=person, percent=Decimal(percent)) for person, percent in given], "dead")
    assert [finding.code for finding in found] == codes


@pytest.mark.parametrize(
    "wrong", [{"reasons": ["illness"]}, {"working_days": 0}, {"blocks": ["weather"]}, {"from_day": 31}, {"extra": 1}]
)
def test_a_rule_with_a_mistake_is_refused(wrong) -> None:
    with pytest.raises(BadData):
        WithdrawalRule.from_data(DATA | wrong)
