"""What a password may be and how it is kept (A4, A5, A6)."""

import pytest
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.passwords import MEMBER_LEAST, MOST, STAFF_LEAST
from portal.settings import base
from tests.people import PASSWORD
from tests.support.pages import log_in

STAFF = User(username="w00017", display_name="柜员甲", is_staff=True)
ANYBODY = User(username="m-1")


def codes(password: str, user: User = ANYBODY) -> set[str]:
    try:
        password_validation.validate_password(password, user)
    except ValidationError as refused:
        return {error.code for error in refused.error_list}
    return set()


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=2, max_size=10))
def test_any_characters_will_do_and_none_is_cut(text):
    """No rule of composition; every character counts, the last of the longest too."""
    password = (text + "松树-") * MOST
    password = password[:MOST]
    assert codes(password) <= {"context"}
    kept = make_password(password)
    assert check_password(password, kept)
    assert not check_password(password[:-1], kept)


def test_length_is_counted_in_characters():
    assert codes("松树长在山坡上呢") == set()
    for user, least in ((ANYBODY, MEMBER_LEAST), (STAFF, STAFF_LEAST)):
        assert codes("k7-Qz!m3Rv_9Xw"[: least - 1], user) == {"too_short"}
        assert codes("k7-Qz!m3Rv_9Xw"[:least], user) == set()
    assert codes("x7-" * 50) == {"too_long"}


def test_staff_mix_three_kinds():
    for password in ("松树长在山坡上呢九月", "maple-tree-hill"):
        assert codes(password + "xx", STAFF) == {"too_uniform"}
        assert codes(password + "xx") == set()
    for password in ("Maple-tree-hill", "maple-tree-37-hill", "MapleTreeHill37"):
        assert codes(password, STAFF) == set()


@pytest.mark.parametrize("password", ["password1", "qwertyuiop", "Iloveyou", "1qaz2wsx", "sunshine1", "football1"])
def test_what_everybody_takes_is_refused(password):
    assert "password_too_common" in codes(password)


@pytest.mark.parametrize("password", ["Yibao-leaf-37", "我的医保密码很长", "Shebao_river_4", "家庭共济-叶子-37"])
def test_what_the_portal_is_about_is_refused(password):
    assert codes(password) == {"context"}


def test_what_others_know_of_the_person_is_refused(people):
    user = people.holder
    number = user.member.id_number
    facts = {
        "the number": number,
        "its end": number[-6:],
        "its area": number[:6],
        "the birthday": number[6:14],
        "the short birthday": number[8:14],
        "the telephone": user.phone,
        "the name": user.member.name,
    }
    taken = [what for what, fact in facts.items() if codes(f"Leaf-{fact}-leaf", user) != {"own_facts"}]
    assert taken == []
    assert codes("Leaf-20990101-leaf", user) == set()
    assert codes("Maple-w00017-tree", STAFF) == {"own_facts"}


def test_a_password_of_digits_is_refused():
    assert "password_entirely_numeric" in codes("73019284650173")


@pytest.mark.parametrize(
    ("password", "told", "in_english"),
    [
        ("sunshine1", "这个密码很多人在用，最容易被猜中；请换一个，例如自己想的一句短话", "choose another"),
        ("73019284650173", "全是数字的密码很快会被猜中；请加上字母或其他字符", "add letters or other characters"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(people, password, told, in_english):
    page, url = log_in(people.holder), reverse("accounts:password")
    new = {"password": password, "again": password}
    answer = page.post(url, new)
    assert answer.status_code == 422 and answer.context["form"].errors["password"] == [told]
    assert in_english in page.post(url, new, headers={"accept-language": "en"}).text


def test_kept_by_argon2_and_made_anew_at_a_login(client, people, settings):
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    user = people.holder
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()
    client.post("/login/", {"login": user.phone, "password": PASSWORD})
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")
    assert identify_hasher(user.password).verify(PASSWORD, user.password)


def test_a_password_can_be_pasted(people):
    page = log_in(people.holder).get(reverse("accounts:password")).text
    assert 'autocomplete="new-password"' in page
    assert "onpaste" not in page and 'maxlength="1024"' in page
