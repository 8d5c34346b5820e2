import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.domain.reading import BadData, Reader, read_amount, read_percent
from settlements.domain.parameters import Circumstances, NoValue, Parameter, Person

ON = datetime.date(2025, 9, 10)
WORKER = Person(birth=datetime.date(1985, 1, 1))


def parameter(value: Any) -> Parameter:
    return Parameter.read(Reader({"rate": value}), "rate", read_percent)


def at(person: Person = WORKER, **more: Any) -> Circumstances:
    return Circumstances(person=person, on=ON, **more)


def retired(retired_on: datetime.date | None = None, birth: datetime.date = datetime.date(1955, 9, 10)) -> Person:
    return Person(birth=birth, status="retired", retired_on=retired_on)


def test_a_constant_is_the_same_everywhere() -> None:
    assert parameter("70").at(at()) == Decimal("70")


def test_the_first_row_that_fits_counts_and_all_additions_that_fit() -> None:
    rate = parameter(
        [
            {"when": {"level": "primary"}, "value": "70"},
            {"when": {"signed": True}, "add": "10"},
            {"when": {"status": "retired"}, "add": "5"},
            {"value": "50"},
        ]
    )

    assert rate.at(at()) == 70
    assert rate.at(at(level="top")) == 50
    assert rate.at(at(retired(), signed=True)) == 85
    assert rate.at(at(retired(), level="top")) == 55


def test_a_row_may_name_several_levels() -> None:
    rate = parameter([{"when": {"level": ["primary", "secondary"]}, "value": "60"}, {"value": "40"}])

    assert [rate.at(at(level=level)) for level in ("primary", "secondary", "tertiary")] == [60, 60, 40]


@pytest.mark.parametrize(
    ("retired_on", "rate"), [("2000-12-31", 90), ("1998-01-01", 90), ("2001-01-01", 85), (None, 85)]
)
def test_the_day_of_retirement_belongs_to_the_older_group(retired_on: str | None, rate: int) -> None:
    groups = parameter([{"when": {"status": "retired", "retired_by": "2000-12-31"}, "value": "90"}, {"value": "85"}])
    day = datetime.date.fromisoformat(retired_on) if retired_on else None

    assert groups.at(at(retired(day))) == rate


@pytest.mark.parametrize(
    ("birth", "rate"), [("1955-09-11", 1), ("1955-09-10", 2), ("1945-09-11", 2), ("1945-09-10", 3)]
)
def test_age_counts_from_the_birthday_itself(birth: str, rate: int) -> None:
    ages = parameter(
        [
            {"when": {"age_below": 70}, "value": "1"},
            {"when": {"age_from": 80}, "value": "3"},
            {"value": "2"},
        ]
    )

    assert ages.at(at(retired(birth=datetime.date.fromisoformat(birth)))) == rate


def test_circumstances_without_a_row_are_an_error() -> None:
    with pytest.raises(NoValue):
        parameter([{"when": {"level": "top"}, "value": "70"}]).at(at())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"when": {"level": "primary"}, "value": "70"}], "level tertiary"),
        ([{"when": {"status": "active"}, "value": "70"}], "retired"),
        ([{"when": {"age_from": 70}, "value": "70"}], "age 40"),
        ([{"when": {"age_from": 30, "age_below": 70}, "value": "70"}], "age 29"),
        ([{"when": {"signed": True}, "value": "70"}], "signed false"),
        ([{"when": {"retired_by": "2000-12-31"}, "value": "70"}], "active"),
        (
            [
                {"when": {"status": "retired", "retired_by": "2000-12-31"}, "value": "7"},
                {"when": {"status": "active"}, "value": "7"},
            ],
            "retired",
        ),
    ],
)
def test_a_hole_is_found_and_told(rows: list[Any], words: str) -> None:
    with pytest.raises(BadData) as caught:
        parameter(rows).check(("rate",), ["primary", "tertiary"])
    assert caught.value.code == "no_value"
    assert words in caught.value.reason


def test_additions_beyond_a_hundred_percent_are_found() -> None:
    rate = parameter(
        [{"value": "90"}, {"when": {"signed": True}, "add": "6"}, {"when": {"status": "retired"}, "add": "5"}]
    )

    with pytest.raises(BadData) as caught:
        rate.check(("rate",), ["primary"], most=Decimal(100))
    assert caught.value.reason == "comes to 101.00, more than 100, for: retired, age 40, level primary, signed true"


@pytest.mark.parametrize(
    ("value", "code", "key"),
    [
        ("101", "bad_percent", "rate"),
        ("7o", "bad_percent", "rate"),
        (70, "bad_percent", "rate"),
        (70.5, "bad_percent", "rate"),
        ([], "empty", "rate"),
        (["70"], "wrong_type", "rate[1]"),
        ([{"when": {}}], "missing", "rate[1].value"),
        ([{"value": "70", "add": "5"}], "unknown_key", "rate[1].value"),
        ([{"value": "70"}, {"when": {"levl": "top"}, "value": "1"}], "unknown_key", "rate[2].when.levl"),
        ([{"when": {"level": "middle"}, "value": "70"}], "not_one_of", "rate[1].when.level"),
        ([{"when": {"level": []}, "value": "70"}], "empty", "rate[1].when.level"),
        ([{"when": {"level": ["top", "top"]}, "value": "70"}], "repeated", "rate[1].when.level[2]"),
        ([{"when": {"status": "resting"}, "value": "70"}], "not_one_of", "rate[1].when.status"),
        ([{"when": {"signed": "yes"}, "value": "70"}], "wrong_type", "rate[1].when.signed"),
        ([{"when": {"age_from": True}, "value": "70"}], "wrong_type", "rate[1].when.age_from"),
        ([{"when": {"age_from": 200}, "value": "70"}], "out_of_range", "rate[1].when.age_from"),
        ([{"when": {"retired_by": "2000"}, "value": "70"}], "bad_date", "rate[1].when.retired_by"),
        ([{"when": "always", "value": "70"}], "wrong_type", "rate[1].when"),
    ],
)
def test_mistakes_name_their_place(value: Any, code: str, key: str) -> None:
    with pytest.raises(BadData) as caught:
        parameter(value)
    assert (caught.value.code, caught.value.key) == (code, key)


@pytest.mark.parametrize("value", ["5.123", "-5", "", 5, None, "1e3", "100000000"])
def test_amounts_are_texts_in_yuan_and_fen(value: Any) -> None:
    with pytest.raises(BadData) as caught:
        Parameter.read(Reader({"amount": value}), "amount", read_amount)
    assert caught.value.code == "bad_amount"
