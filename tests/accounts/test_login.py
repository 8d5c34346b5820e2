"""The ways in: by number and password, by text message, and for staff with a second factor (A2, A8, S1)."""

import datetime
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts.clock import now
from accounts.enums import Role
from accounts.models import AuditEvent
from tests.people import PASSWORD, last_code, last_text, make_phone, make_staff, totp_code

LOGIN = "/login/"


def logged_in(client) -> bool:
    return "_auth_user_id" in client.session


def post(client, url, **data):
    return client.post(url, data)


@pytest.mark.parametrize("typed", ["id", "id_spaced", "id_wide", "phone", "phone_86"])
def test_a_citizen_logs_in_by_id_number_or_telephone(client, people, typed):
    user = people.holder
    number = user.member.id_number
    ways = {
        "id": number,
        "id_spaced": f" {number[:6]} {number[6:14]} {number[14:].lower()}",
        "id_wide": number.translate({ord("0") + i: 0xFF10 + i for i in range(10)}),
        "phone": user.phone,
        "phone_86": f"+86 {user.phone[:3]}-{user.phone[3:7]}-{user.phone[7:]}",
    }
    response = post(client, LOGIN, login=ways[typed], password=PASSWORD)
    assert response.status_code == 302
    assert logged_in(client)


def test_a_citizens_inner_username_is_no_way_in(client, people):
    post(client, LOGIN, login=people.holder.username, password=PASSWORD)
    assert not logged_in(client)


def test_unknown_and_known_get_the_same_answer(client, people):
    known = post(client, LOGIN, login=people.holder.phone, password="not-this-one-2026")
    unknown = post(client, LOGIN, login=make_phone(), password="not-this-one-2026")
    assert known.status_code == unknown.status_code == 422

    def text(response):
        return response.content.decode().split("<main")[1]

    assert text(known).count("govuk-error") == text(unknown).count("govuk-error") > 0
    assert "号码或密码不对" in text(known) or "The number or the password is not right" in text(known)


def test_five_wrong_passwords_slow_a_guesser_but_not_the_owner(client, people):
    user = people.holder
    for login in [user.phone, user.member.id_number, user.phone, user.phone, user.phone]:
        post(client, LOGIN, login=login, password="not-this-one-2026")
    assert post(client, LOGIN, login=user.phone, password=PASSWORD).status_code == 422
    assert not logged_in(client), "the sixth try is refused, whichever number is typed"

    post(client, reverse("accounts:login_by_text"), phone=user.phone)
    post(client, reverse("accounts:login_by_text_code"), code=last_code(user.phone))
    assert logged_in(client)


def test_login_by_text_message_works_once_and_only_in_its_session(client, client_factory, people):
    post(client, reverse("accounts:login_by_text"), phone=people.holder.phone)
    code = last_code(people.holder.phone)
    other = client_factory()
    post(other, reverse("accounts:login_by_text"), phone=people.stranger.phone)
    post(other, reverse("accounts:login_by_text_code"), code=code)
    assert not logged_in(other)

    page = reverse("accounts:login_by_text_code")
    assert post(client, page, code="000000" if code != "000000" else "111111").status_code == 422
    assert post(client, page, code=code).status_code == 302
    assert logged_in(client)


def test_an_unknown_telephone_gets_the_same_pages_and_never_in(client, people):
    phone = make_phone()
    first = post(client, reverse("accounts:login_by_text"), phone=phone)
    assert (first.status_code, first["Location"]) == (302, reverse("accounts:login_by_text_code"))
    assert not any(character.isdigit() for character in last_text(phone))
    for left in range(4, -1, -1):
        answer = post(client, reverse("accounts:login_by_text_code"), code="123456")
        assert answer.status_code == 422
        assert str(left) in answer.content.decode()
    assert not logged_in(client)


def test_staff_without_second_factor_set_one_up_before_they_are_logged_in(client, people):
    response = post(client, LOGIN, login=people.clerk.username, password=PASSWORD)
    assert response["Location"] == reverse("accounts:enrol_second_factor")
    assert not logged_in(client)
    page = client.get(response["Location"])
    secret = page.context["secret"]
    assert post(client, response["Location"], code="000000").status_code == 422
    assert not logged_in(client)

    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert post(client, response["Location"], code=code).status_code == 302
    assert logged_in(client)
    assert secret not in "".join(map(str, people.clerk.authenticator_set.values_list("data", flat=True)))


def test_a_password_alone_never_logs_staff_in(client, people):
    code = totp_code(people.clerk)
    response = post(client, LOGIN, login=people.clerk.username, password=PASSWORD)
    assert response["Location"] == reverse("mfa_authenticate")
    assert not logged_in(client)
    assert client.get("/me/").status_code == 302
    assert post(client, reverse("mfa_authenticate"), code="000000" if code != "000000" else "111111").status_code == 422
    assert not logged_in(client)
    assert post(client, reverse("mfa_authenticate"), code=totp_code(people.clerk)).status_code == 302
    assert logged_in(client)


def test_a_second_factor_code_is_used_once(client, client_factory, people):
    code = totp_code(people.clerk)
    other = client_factory()
    for one in (client, other):
        post(one, LOGIN, login=people.clerk.username, password=PASSWORD)
        post(one, reverse("mfa_authenticate"), code=code)
    assert logged_in(client)
    assert not logged_in(other)


def test_staff_cannot_come_by_text_message_or_reset(client, people):
    clerk = people.clerk
    clerk.phone, clerk.phone_verified = make_phone(), True
    clerk.save()
    post(client, reverse("accounts:login_by_text"), phone=clerk.phone)
    assert not any(character.isdigit() for character in last_text(clerk.phone))


def test_a_key_from_before_a_login_or_a_proof_opens_nothing_after_it(client, people):
    post(client, reverse("accounts:login_by_text"), phone=people.holder.phone)
    planted = client.session.session_key
    post(client, LOGIN, login=people.holder.phone, password=PASSWORD)
    key = client.session.session_key
    assert planted and planted != key and not Session.objects.filter(session_key=planted).exists()

    assert post(client, "/prove/", password="not-this-one-2026").status_code == 422
    assert client.session.session_key == key
    assert post(client, "/prove/", password=PASSWORD).status_code == 302
    proven = client.session.session_key
    assert proven != key and not Session.objects.filter(session_key=key).exists()
    assert client.get("/me/").status_code == 200
    assert list(people.holder.usersession_set.values_list("session_key", flat=True)) == [proven]


def test_logout_ends_the_session(client, people):
    client.force_login(people.holder)
    key = client.session.session_key
    assert client.get("/me/").status_code == 200
    response = client.post("/logout/")
    assert response["Clear-Site-Data"]
    assert response["Cache-Control"] == "no-store"
    assert not Session.objects.filter(session_key=key).exists()
    assert client.get("/me/").status_code == 302


@pytest.mark.parametrize(("who", "seconds"), [("holder", 1800), ("clerk", 900)])
def test_idle_time_is_shorter_for_staff(client, people, who, seconds):
    client.force_login(getattr(people, who))
    assert client.session.get_expiry_age() == seconds


def test_nobody_stays_longer_than_eight_hours(client, people, monkeypatch):
    from accounts import clock

    client.force_login(people.holder)
    assert client.get("/me/").status_code == 200
    later = clock.now() + datetime.timedelta(hours=8, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.get("/me/").status_code == 302


def test_pages_are_not_kept_and_sessions_are_sealed(client, people):
    post(client, reverse("accounts:login_by_text"), phone=people.holder.phone)
    assert client.get(LOGIN)["Cache-Control"] == "no-store"
    stored = Session.objects.get(session_key=client.session.session_key).session_data
    assert people.holder.phone not in stored
    import base64

    for decoded in (stored, base64.b64decode(stored + "==").decode("latin-1")):
        assert people.holder.phone not in decoded


def test_logins_and_failures_are_recorded_without_what_was_typed(client, people):
    typed = "Secret-typed-in-the-wrong-box\r\n2026-01-01 login root"
    post(client, LOGIN, login=typed[:64], password=PASSWORD)
    post(client, LOGIN, login=people.holder.phone, password="not-this-one-2026")
    post(client, LOGIN, login=people.holder.phone, password=PASSWORD)
    lines = list(AuditEvent.objects.order_by("id").values("action", "member_id", "target", "details", "ip"))
    assert [line["action"] for line in lines] == ["login_failed", "login_failed", "login"]
    assert "Secret" not in str(lines)
    assert people.holder.phone not in str(lines)
    assert lines[1]["member_id"] == lines[2]["member_id"] == people.holder.member_id
    assert lines[2]["ip"] == "127.0.0.1"


def test_a_second_factor_code_lives_half_a_minute(client, people):
    totp_code(people.clerk)  # sets it up
    secret = decrypt(Authenticator.objects.get(user=people.clerk, type="totp").data["secret"])
    late = format_hotp_value(hotp_value(secret, int(time.time()) // 30 - 2))
    post(client, LOGIN, login=people.clerk.username, password=PASSWORD)
    assert post(client, reverse("mfa_authenticate"), code=late).status_code == 422
    assert not logged_in(client)


def test_guesses_at_a_second_factor_are_few(client, people):
    right = totp_code(people.clerk)
    post(client, LOGIN, login=people.clerk.username, password=PASSWORD)
    for guess in range(5):
        post(client, reverse("mfa_authenticate"), code=f"{(int(right) + 1 + guess) % 10**6:06d}")
    assert post(client, reverse("mfa_authenticate"), code=totp_code(people.clerk)).status_code == 422
    assert not logged_in(client)


def test_a_login_that_is_closed_is_out_at_once(client, people):
    client.force_login(people.clerk)
    assert client.get("/me/").status_code == 200
    people.clerk.is_active = False
    people.clerk.save()
    assert client.get("/me/").status_code == 302


def test_a_closed_login_stays_closed(client, people):
    people.holder.is_active = False
    people.holder.save()
    post(client, LOGIN, login=people.holder.phone, password=PASSWORD)
    assert not logged_in(client)
    post(client, reverse("accounts:login_by_text"), phone=people.holder.phone)
    assert not logged_in(client)


def test_next_leads_only_within_the_portal(client, people):
    response = client.post(LOGIN + "?next=https://example.com/", {"login": people.holder.phone, "password": PASSWORD})
    assert response["Location"] == "/"


def test_auditor_and_system_administrator_are_two_people(people):
    from django.core.exceptions import ValidationError

    from accounts.actions import users
    from accounts.errors import Refused

    with pytest.raises(ValidationError):
        users.grant_role(user=people.auditor, role=Role.SYSTEM_ADMIN, by=people.system_admin, at=now())
    with pytest.raises(Refused):
        users.grant_role(
            user=people.system_admin, role=Role.CLERK, by=people.system_admin, at=now(), region=people.region
        )
    other = make_staff(Role.SYSTEM_ADMIN)
    assert users.grant_role(user=other, role=Role.CLERK, by=people.system_admin, at=now(), region=people.region).pk


def test_where_one_is_logged_in_is_told_in_words(people):
    phone = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0"
    )
    browser = Client(headers={"User-Agent": phone, "Accept-Language": "en"})
    post(browser, LOGIN, login=people.holder.member.id_number, password=PASSWORD)
    page = browser.get(reverse("accounts:sessions")).content.decode()
    assert "Mobile phone · WeChat" in page
    assert "Mozilla" not in page and "MicroMessenger" not in page


def into_stage(client, user):
    """Password and second factor; what comes then."""
    totp_code(user)  # sets it up
    post(client, LOGIN, login=user.username, password=PASSWORD)
    return post(client, reverse("mfa_authenticate"), code=totp_code(user))


@pytest.mark.parametrize("age", [datetime.timedelta(days=91), None])
def test_staff_choose_a_new_password_when_theirs_is_old_or_not_their_own(client, people, age):
    """GB/T 22239 8.1.4.1 a; decision 0042."""
    clerk, new = people.clerk, "Maple-tree-on-1937"
    clerk.password_set_at = age and now() - age
    clerk.save()
    page = reverse("accounts:renew_password")
    assert into_stage(client, clerk)["Location"] == page
    assert not logged_in(client) and client.get("/me/").status_code == 302
    assert "90" in client.get(page).text
    for wrong in (PASSWORD, "short-1A", "maple tree on a hill"):
        assert post(client, page, password=wrong, again=wrong).status_code == 422
    assert not logged_in(client)
    assert post(client, page, password=new, again=new).status_code == 302
    assert logged_in(client)
    clerk.refresh_from_db()
    assert clerk.check_password(new) and now() - clerk.password_set_at < datetime.timedelta(minutes=1)
    assert AuditEvent.objects.filter(action="set_password", actor_id=clerk.pk).count() == 1


def test_a_password_of_their_own_lasts_and_citizens_are_never_asked(client, client_factory, people):
    people.clerk.password_set_at = now() - datetime.timedelta(days=89)
    people.clerk.save()
    into_stage(client, people.clerk)
    assert logged_in(client)
    assert people.holder.password_set_at is None
    other = client_factory()
    post(other, LOGIN, login=people.holder.phone, password=PASSWORD)
    assert logged_in(other)
    assert other.get(reverse("accounts:renew_password")).status_code == 302
