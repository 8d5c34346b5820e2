"""A citizen claims his record; whoever is not in the register learns nothing."""

import datetime

import pytest
from django.urls import reverse

from accounts.enums import IdentityLevel
from accounts.models import AuditEvent, Message, User
from tests.people import PASSWORD, last_code, last_text, make_login, make_member, make_phone


@pytest.fixture
def member(db):
    return make_member("阿卜·某提", datetime.date(1980, 2, 29), sex="M")


def facts(member, phone, **other):
    return {
        "name": member.name,
        "id_number": member.id_number,
        "card_number": member.card_number,
        "phone": phone,
    } | other


def test_claim_from_the_first_page_to_the_proven_identity(client, member):
    phone = make_phone()
    first = client.post(reverse("accounts:claim"), facts(member, phone, name="阿卜•某提"))
    assert first["Location"] == reverse("accounts:claim_code")
    assert client.post(reverse("accounts:claim_code"), {"code": last_code(phone)}).status_code == 302
    page = reverse("accounts:claim_password")
    weak = client.post(page, {"password": "19800229", "again": "19800229"})
    assert weak.status_code == 422 and not User.objects.exists()
    answer = client.post(page, {"password": PASSWORD, "again": PASSWORD})
    assert answer["Location"] == reverse("accounts:prove_identity")

    user = User.objects.get()
    assert (user.member, user.phone, user.phone_verified) == (member, phone, True)
    assert user.identity_level == IdentityLevel.REGISTERED
    assert client.session["_auth_user_id"] == str(user.pk)
    assert Message.objects.get().kind == "welcome"

    text = client.get(answer["Location"]).content.decode()
    assert "演示" in text or "This is the demo" in text
    client.post(answer["Location"])
    client.get(reverse("accounts:identity_done"))
    user.refresh_from_db()
    assert user.identity_level == IdentityLevel.VERIFIED
    assert [line.action for line in AuditEvent.objects.order_by("id")] == ["claim", "login", "identity"]


@pytest.mark.parametrize("wrong", ["name", "card_number", "id_number"])
def test_what_does_not_fit_goes_the_same_way_and_ends_nowhere(client, member, wrong):
    other = make_member("陆某川")
    phone = make_phone()
    answer = client.post(reverse("accounts:claim"), facts(member, phone, **{wrong: getattr(other, wrong)}))
    assert answer["Location"] == reverse("accounts:claim_code")
    page = client.get(answer["Location"]).content.decode()
    assert f"{phone[:3]}****{phone[-4:]}" in page and member.name not in page
    assert not any(character.isdigit() for character in last_text(phone))
    assert client.post(answer["Location"], {"code": "123456"}).status_code == 422
    assert client.get(reverse("accounts:claim_password"))["Location"] == reverse("accounts:claim")


def test_a_telephone_in_the_register_must_be_the_one(client, db):
    member = make_member("陆某川", phone=make_phone())
    client.post(reverse("accounts:claim"), facts(member, make_phone()))
    assert not any(character.isdigit() for character in last_text())
    client.post(reverse("accounts:claim"), facts(member, member.phone))
    assert last_code(member.phone)


def test_a_record_is_claimed_once_and_never_after_death(client, member):
    make_login(member)
    client.post(reverse("accounts:claim"), facts(member, make_phone()))
    assert not any(character.isdigit() for character in last_text())
    dead = make_member("方某")
    dead.died_on = datetime.date(2026, 1, 1)
    dead.save()
    client.post(reverse("accounts:claim"), facts(dead, make_phone()))
    assert not any(character.isdigit() for character in last_text())


def test_the_password_page_needs_the_code(client, member):
    client.post(reverse("accounts:claim"), facts(member, make_phone()))
    assert client.post(reverse("accounts:claim_password"), {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert not User.objects.exists()


def test_a_telephone_that_belongs_to_another_login(client, member):
    taken = make_login(make_member("方某")).phone
    client.post(reverse("accounts:claim"), facts(member, taken))
    client.post(reverse("accounts:claim_code"), {"code": last_code(taken)})
    answer = client.post(reverse("accounts:claim_password"), {"password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 422
    assert User.objects.count() == 1


def test_errors_say_which_part_is_wrong(client, member):
    number = member.id_number
    wrong = number[:17] + ("0" if number[17] != "0" else "1")
    answer = client.post(reverse("accounts:claim"), facts(member, "1380013", id_number=wrong, name="沈1"))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "id_number", "phone"}


def test_tries_to_claim_one_record_are_few(client, member):
    for _try in range(5):
        client.post(reverse("accounts:claim"), facts(member, make_phone(), name="陆某川"))
    answer = client.post(reverse("accounts:claim"), facts(member, make_phone()))
    assert answer.status_code == 422


def test_a_forgotten_password(client, member):
    user = make_login(member)
    other = make_login(make_member("方某"))
    data = {"id_number": member.id_number, "phone": other.phone}
    client.post(reverse("accounts:forgotten"), data)
    assert not any(character.isdigit() for character in last_text(other.phone))

    client.post(reverse("accounts:forgotten"), data | {"phone": user.phone})
    assert client.get(reverse("accounts:forgotten_new")).status_code == 302
    client.post(reverse("accounts:forgotten_code"), {"code": last_code(user.phone)})
    new = "Maple-tree-1937"
    assert client.post(reverse("accounts:forgotten_new"), {"password": new, "again": new}).status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)
    assert "_auth_user_id" not in client.session, "a reset does not log in"
    assert client.get(reverse("accounts:forgotten_new")).status_code == 302, "and works once"


def test_a_new_password_ends_other_sessions(client, client_factory, member):
    user = make_login(member)
    other = client_factory()
    for one in (client, other):
        one.post("/login/", {"login": user.phone, "password": PASSWORD})
    new = "Maple-tree-1937"
    assert client.post(reverse("accounts:password"), {"password": new, "again": new}).status_code == 302
    assert client.get("/me/").status_code == 200
    assert other.get("/me/").status_code == 302
