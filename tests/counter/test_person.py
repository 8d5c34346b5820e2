"""The telephone and the identity at the window: for whoever has lost the old telephone and forgotten the password."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.crypto import blind_index
from accounts.enums import IdentityLevel
from accounts.models import AuditEvent, Message, SmsOutbox, User
from tests.people import PASSWORD, last_code
from tests.support.pages import fields

NEW = "13900007788"


def url() -> str:
    return reverse("counter:person")


def code_of(phone: str) -> str:
    text = SmsOutbox.objects.filter(phone_index=blind_index(phone)).latest("id").text
    found = re.search(r"\d{6}", text)
    assert found and "窗口" in text and "工作人员不会" not in text
    return found[0]


def ask(serving, phone: str = NEW):
    return serving.post(url(), fields(serving.get(url())) | {"do": "code", "phone": phone})


def register(serving, phone: str = NEW, more: dict[str, str] | None = None):
    sent = ask(serving, phone)
    assert sent.status_code == 200
    assert 'name="card"' not in sent.text, "no second box with the same words to tick by mistake"
    data = fields(sent) | {"do": "phone", "phone": phone, "code": code_of(phone), "seen": "on"}
    return serving.post(url(), data | (more or {}))


def test_a_lost_telephone_is_replaced_by_the_one_that_was_brought(people, serving) -> None:
    old, inside = people.holder.phone, Client()
    inside.post(reverse("account_login"), {"login": people.holder.member.id_number, "password": PASSWORD})
    assert inside.get("/me/").status_code == 200
    assert register(serving)["Location"] == url()
    people.holder.refresh_from_db()
    assert (people.holder.phone, people.holder.phone_verified, people.holder.member.phone) == (NEW, True, NEW)
    assert SmsOutbox.objects.filter(phone_index=blind_index(old), kind="phone_changed").count() == 1
    assert inside.get("/me/").status_code == 302, "logged out wherever the old telephone may be"
    line = AuditEvent.objects.get(action="change_phone")
    assert (line.channel, line.reason, line.member_id) == ("window", "家庭共济", people.holder.member_id)
    assert "修改了手机号" in serving.get(reverse("counter:journal")).text


@pytest.mark.parametrize("more", [{"code": "000000"}, {"code": ""}, {"seen": ""}, {"phone": "13900007789"}])
def test_not_without_the_right_code_and_the_card(people, serving, more) -> None:
    old = people.holder.phone
    assert register(serving, more=more).status_code == 422
    people.holder.refresh_from_db()
    assert people.holder.phone == old


def test_pressed_twice_it_is_done_once(people, serving) -> None:
    sent = ask(serving)
    data = fields(sent) | {"do": "phone", "phone": NEW, "code": code_of(NEW), "seen": "on"}
    assert [serving.post(url(), data)["Location"] for _ in range(2)] == [url(), url()]
    assert AuditEvent.objects.filter(action="change_phone").count() == 1


def test_the_number_that_is_registered_already_is_told(people, serving) -> None:
    answer = ask(serving, people.holder.phone)
    assert answer.status_code == 422 and not SmsOutbox.objects.exists()


def test_a_number_that_went_on_to_somebody_else_leaves_the_old_login(people, serving) -> None:
    spouse = people.spouse
    phone = spouse.phone
    assert register(serving, phone)["Location"] == url()
    spouse.refresh_from_db()
    people.holder.refresh_from_db()
    assert (people.holder.phone, spouse.phone, spouse.phone_verified, spouse.member.phone) == (phone, None, False, None)
    assert Message.objects.filter(member=spouse.member, kind="phone_released").count() == 1
    assert AuditEvent.objects.filter(action="release_phone", member_id=spouse.member_id).count() == 1


def test_another_number_in_the_record_of_the_old_login_stays(people, serving) -> None:
    member = people.spouse.member
    member.phone = "13900006655"
    member.save()
    assert register(serving, people.spouse.phone)["Location"] == url()
    people.spouse.refresh_from_db()
    assert (people.spouse.phone, people.spouse.member.phone) == (None, "13900006655")


def test_a_number_of_staff_is_nobody_else_s(people, serving) -> None:
    User.objects.filter(pk=people.supervisor.pk).update(phone=NEW, phone_index=blind_index(NEW))
    assert register(serving).status_code == 422
    people.holder.refresh_from_db()
    assert people.holder.phone != NEW


def test_who_has_no_login_can_claim_with_the_number_registered_here(people, serving) -> None:
    member = people.holder.member
    User.objects.filter(pk=people.holder.pk).update(member=None)
    assert register(serving)["Location"] == url()
    member.refresh_from_db()
    assert member.phone == NEW


def test_the_card_that_was_seen_proves_the_identity(people, serving) -> None:
    User.objects.filter(pk=people.holder.pk).update(identity_level=IdentityLevel.REGISTERED)
    data = fields(serving.get(url())) | {"do": "identity"}
    assert serving.post(url(), data).status_code == 422
    assert serving.post(url(), data | {"card": "on"})["Location"] == url()
    people.holder.refresh_from_db()
    assert people.holder.identity_level == IdentityLevel.IN_PERSON
    assert 'name="card"' not in serving.get(url()).text


def test_with_the_new_number_a_forgotten_password_is_set_anew(people, serving, client) -> None:
    register(serving)
    SmsOutbox.objects.all().delete()
    form = reverse("accounts:forgotten")
    client.post(form, fields(client.get(form)) | {"id_number": people.holder.member.id_number, "phone": NEW})
    client.post(reverse("accounts:forgotten_code"), {"code": last_code(NEW)})
    client.post(reverse("accounts:forgotten_new"), {"password": "Maple-tree-1937", "again": "Maple-tree-1937"})
    people.holder.refresh_from_db()
    assert people.holder.check_password("Maple-tree-1937")
