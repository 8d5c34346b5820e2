"""ID numbers: what is right, and which part is said to be wrong."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import id_number
from accounts.domain.id_number import BadIdNumber

TODAY = datetime.date(2026, 11, 21)
GOOD = id_number.make("310101", datetime.date(1985, 3, 12), 284)
provinces = st.sampled_from(sorted(id_number.PROVINCES))
areas = st.builds(lambda province, rest: f"{province}{rest:04d}", provinces, st.integers(0, 9999))
births = st.dates(datetime.date(1900, 1, 1), TODAY)
numbers = st.builds(id_number.make, areas, births, st.integers(0, 999))


@given(areas, births, st.integers(0, 999))
def test_a_made_number_is_read_back(area, birth, order):
    number = id_number.make(area, birth, order)
    assert id_number.parse(number, on=TODAY) == number
    assert id_number.birth_of(number) == birth
    assert id_number.sex_of(number) == ("M" if order % 2 else "F")


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_one_wrong_character_is_found(number, place, character):
    wrong = number[:place] + character + number[place + 1 :]
    if wrong != number:
        with pytest.raises(BadIdNumber):
            id_number.parse(wrong, on=TODAY)


@given(numbers, st.integers(0, 16))
def test_two_neighbours_exchanged_are_found(number, place):
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if wrong != number:
        with pytest.raises(BadIdNumber):
            id_number.parse(wrong, on=TODAY)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_answered(text):
    try:
        assert len(id_number.parse(text, on=TODAY)) == 18
    except BadIdNumber as bad:
        assert bad.code.startswith("id_")


@pytest.mark.parametrize(
    "typed",
    [
        f" {GOOD[:6]} {GOOD[6:14]}\t{GOOD[14:]} ",
        GOOD.lower(),
        "".join(chr(ord(c) + 0xFEE0) for c in GOOD),
        f"{GOOD[:6]}\u3000{GOOD[6:]}",
    ],
)
def test_spaces_width_and_case_are_put_right(typed):
    assert id_number.parse(typed, on=TODAY) == GOOD


def test_a_small_x_is_taken():
    number = next(
        n for order in range(99) if (n := id_number.make("310101", datetime.date(1990, 1, 1), order))[17] == "X"
    )
    assert id_number.parse(number.lower(), on=TODAY) == number


def checked(first_17: str) -> str:
    return first_17 + id_number.check_character(first_17)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "id_missing"),
        (" \u3000 ", "id_missing"),
        (GOOD[:17], "id_length"),
        (GOOD + "0", "id_length"),
        ("31010119850312O284"[:17] + "1", "id_characters"),
        (GOOD[:17] + "Y", "id_characters"),
        (GOOD[:16] + "X" + GOOD[17], "id_characters"),
        ("\u0663" + GOOD[1:], "id_characters"),
        (checked("99" + GOOD[2:17]), "id_province"),
        (checked(GOOD[:6] + "19850230" + GOOD[14:17]), "id_birth"),
        (checked(GOOD[:6] + "19851301" + GOOD[14:17]), "id_birth"),
        (checked(GOOD[:6] + "00000101" + GOOD[14:17]), "id_birth"),
        (checked(GOOD[:6] + "20261122" + GOOD[14:17]), "id_future"),
        (GOOD[:17] + ("0" if GOOD[17] != "0" else "1"), "id_check"),
        (GOOD[:9] + "\x00" + GOOD[10:], "id_characters"),
    ],
)
def test_the_error_names_the_part(typed, code):
    with pytest.raises(BadIdNumber) as bad:
        id_number.parse(typed, on=TODAY)
    assert bad.value.code == code


@pytest.mark.parametrize("area", ["330113", "330114", "110221", "510202", "810000", "820000", "830000"])
def test_new_and_old_counties_and_residence_permits_are_taken(area):
    number = id_number.make(area, datetime.date(1980, 6, 1), 20)
    assert id_number.parse(number, on=TODAY) == number


def test_whoever_is_born_today_has_a_number():
    assert id_number.parse(id_number.make("310101", TODAY, 2), on=TODAY)


@pytest.mark.parametrize(("area", "order"), [("31010", 1), ("310101", 1000), ("3101010", 10)])
def test_make_refuses_what_does_not_fit(area, order):
    with pytest.raises(ValueError):
        id_number.make(area, TODAY, order)


@pytest.mark.parametrize(("number", "has"), [(GOOD, True), ("E12345678", False), (f"case {GOOD}", False)])
def test_only_an_id_number_has_a_date_of_birth(number, has):
    assert id_number.has_birth(number) is has
