import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import names, phone


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" 沈某宁 ", "沈某宁"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提"),
        ("𠮷某", "𠮷某"),
        ("\U000300f0某", "\U000300f0某"),
        ("\ue863某", "\ue863某"),
        ("\uf900某", "\uf900某"),
        ("Anna  Maria O'Neil", "Anna Maria O'Neil"),
    ],
)
def test_names_of_all_kinds_are_taken(typed, name):
    assert names.parse(typed) == name


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "name_missing"),
        ("   ", "name_missing"),
        ("沈\x00宁", "name_characters"),
        ("沈\u202e宁", "name_characters"),
        ("沈\n宁", "name_characters"),
        ("沈1宁", "name_characters"),
        ("沈😀", "name_characters"),
        ("<b>沈</b>", "name_characters"),
        ("··", "name_characters"),
        ("沈" * 51, "name_too_long"),
    ],
)
def test_what_is_no_name_is_refused(typed, code):
    with pytest.raises(names.BadName) as bad:
        names.parse(typed)
    assert bad.value.code == code


@given(st.text(max_size=60))
def test_a_name_that_was_taken_stays_as_it_is(text):
    try:
        name = names.parse(text)
    except names.BadName:
        return
    assert names.parse(name) == name
    assert "\x00" not in name


def test_the_same_name_written_otherwise():
    assert names.same("阿卜杜拉•买买提", "阿卜杜拉·买买提")
    assert names.same("ANNA MARIA", "Anna Ｍaria")
    assert not names.same("沈某宁", "沈某")


@pytest.mark.parametrize(
    "typed", ["13800138000", "138 0013 8000", "+86 138-0013-8000", "008613800138000", "１３８００１３８０００"]
)
def test_telephones_are_put_right(typed):
    assert phone.parse(typed) == "13800138000"


@pytest.mark.parametrize(
    "typed", ["1380013800", "12800138000", "138001380000", "٠13800138000", "1380013800x", "+1 13800138000"]
)
def test_what_is_no_mobile_number_is_refused(typed):
    with pytest.raises(phone.BadPhone) as bad:
        phone.parse(typed)
    assert bad.value.code == "phone_format"


def test_no_telephone_at_all():
    with pytest.raises(phone.BadPhone) as bad:
        phone.parse(" ")
    assert bad.value.code == "phone_missing"
