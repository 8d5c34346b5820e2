"""Input that is turned away, pages that need a role or a proof, what strangers are told (A1, A11, W3)."""

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from accounts import clock, policies
from accounts.decorators import accepts_uploads
from accounts.enums import IdentityLevel, Role
from accounts.middleware import RefuseBadInput
from accounts.queries import enrolment_on, find_member, members_visible_to
from tests.people import PASSWORD, last_code, make_phone, make_region, make_staff
from tests.support import pages

OPEN = [
    "account_login",
    "accounts:login_by_text",
    "accounts:forgotten",
    "accounts:claim",
    "account_inactive",
    "accounts:demo",
]
CLOSED = ["accounts:me", "accounts:inbox", "accounts:seen", "accounts:sessions", "accounts:password", "accounts:phone"]
TOO_LARGE = 10 * 1024 * 1024


@pytest.mark.parametrize("name", OPEN)
def test_these_pages_need_no_login(client, db, name):
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", CLOSED)
def test_all_others_ask_for_one(client, db, name):
    assert client.get(reverse(name))["Location"].startswith("/login/?next=")


def test_pages_of_allauth_that_are_not_used_do_not_exist(client, people):
    client.force_login(people.holder)
    for path in ["/signup/", "/email/", "/accounts/signup/", "/accounts/email/", "/password/reset/"]:
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("where", ["query", "form", "cookie", "path"])
def test_a_zero_character_is_turned_away(client, people, where):
    client.force_login(people.holder)
    if where == "query":
        assert client.get("/inbox/?page=%00").status_code == 400
    elif where == "form":
        assert client.post("/login/text/", {"phone": "138\x000013800"}).status_code == 400
    elif where == "cookie":
        client.cookies["sessionid"] = '"abc\\000defgh"'
        assert client.get("/me/").status_code == 302
    else:
        assert client.get("/inbox/%00/").status_code in (400, 404)


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"]
)
def test_ten_megabytes_are_turned_away_with_a_page(client, db, kind):
    response = client.generic("POST", "/login/", b"a" * TOO_LARGE, kind)
    assert response.status_code == 413
    assert "2 MB" in response.content.decode()


def test_a_view_for_files_takes_more_from_staff_alone(people):
    view = accepts_uploads(most_bytes=TOO_LARGE)(lambda request: HttpResponse())
    request = RequestFactory().generic("POST", "/", b"a" * (TOO_LARGE - 1), "application/octet-stream")
    door = RefuseBadInput(lambda request: HttpResponse())
    request.user = people.clerk
    assert door.process_view(request, view, (), {}) is None
    for user in (people.holder, AnonymousUser()):
        request.user = user
        assert door.process_view(request, view, (), {}).status_code == 413


def test_login_under_htmx_is_a_page_of_its_own(client, people):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/inbox/?page=2"}
    response = client.post(reverse("accounts:inbox_read_all"), headers=headers)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/login/?next=%2Finbox%2F%3Fpage%3D2")


def test_a_role_counts_where_it_was_given_and_while_it_lasts(people):
    assert policies.has_role(people.clerk, Role.CLERK)
    assert policies.has_role(people.clerk, Role.CLERK, people.region)
    assert not policies.has_role(people.clerk, Role.CLERK, make_region("110000"))
    assert not policies.has_role(people.clerk, Role.SUPERVISOR)
    assert policies.has_role(people.system_admin, Role.SYSTEM_ADMIN, people.region)
    people.clerk.role_assignments.update(ended_at=clock.now())
    fresh = type(people.clerk).objects.get(pk=people.clerk.pk)
    assert not policies.has_role(fresh, Role.CLERK)


def test_a_closed_login_has_no_role(people):
    people.clerk.is_active = False
    assert not policies.has_role(people.clerk, Role.CLERK)


def test_each_sees_only_the_members_he_may(people):
    assert set(members_visible_to(people.holder)) == {people.holder.member}
    mine = {people.holder.member, people.spouse.member, people.child, people.stranger.member}
    assert set(members_visible_to(people.clerk)) == mine
    elsewhere = make_staff(Role.CLERK, region=make_region("110000"))
    for other in (elsewhere, people.system_admin, people.auditor):
        assert not members_visible_to(other).exists()


def test_a_member_is_found_by_a_whole_number(people):
    member = people.holder.member
    assert find_member(id_number=member.id_number.lower()) == member
    assert find_member(card_number=f" {member.card_number} ") == member
    assert find_member(id_number=member.id_number[:17]) is None


def test_the_enrolment_of_a_day(people):
    member = people.holder.member
    old = member.enrolments.get()
    old.valid_to = datetime.date(2026, 1, 1)
    old.save()
    assert enrolment_on(member, datetime.date(2025, 12, 31)) == old
    assert enrolment_on(member, datetime.date(2026, 1, 1)) is None
    assert enrolment_on(member, datetime.date(2025, 12, 31), make_region("110000")) is None


def log_in(client, user):
    client.post("/login/", {"login": user.phone, "password": PASSWORD})


def test_a_proof_grows_old_and_the_form_waits_for_a_new_one(client, people, monkeypatch):
    log_in(client, people.holder)
    session = client.session
    session["account_authentication_methods"] = [
        record | {"at": record["at"] - 301} for record in session["account_authentication_methods"]
    ]
    session.save()
    new = "Maple-tree-1937"
    url = reverse("accounts:password")
    assert client.post(url, {"password": new, "again": new})["Location"] == f"/prove/?next={url.replace('/', '%2F')}"
    people.holder.refresh_from_db()
    assert people.holder.check_password(PASSWORD)
    client.post(f"/prove/?next={url}", {"password": "not-this-one-2026"})
    client.post(f"/prove/?next={url}", {"password": PASSWORD})
    people.holder.refresh_from_db()
    assert people.holder.check_password(new)


def test_a_stolen_telephone_is_not_enough_to_change_the_telephone(client, people):
    client.post(reverse("accounts:login_by_text"), {"phone": people.holder.phone})
    client.post(reverse("accounts:login_by_text_code"), {"code": last_code(people.holder.phone)})
    assert client.get(reverse("accounts:phone"))["Location"].startswith("/prove/")

    old, new = people.holder.phone, make_phone()
    client.post("/prove/", {"password": PASSWORD})
    client.post(reverse("accounts:phone"), {"phone": new})
    assert client.post(reverse("accounts:phone_code"), {"code": last_code(new)}).status_code == 302
    people.holder.refresh_from_db()
    assert people.holder.phone == new
    from tests.people import last_text

    assert new[-4:] in last_text(old), "the old number hears of it"


def test_a_stolen_telephone_is_not_enough_to_change_the_password(client, people):
    """Else it would be enough for everything: with the new password the telephone itself can be changed."""
    client.post(reverse("accounts:login_by_text"), {"phone": people.holder.phone})
    client.post(reverse("accounts:login_by_text_code"), {"code": last_code(people.holder.phone)})
    page, new = reverse("accounts:password"), "Maple-tree-1937"
    assert client.get(page)["Location"].startswith("/prove/")
    assert client.post(page, {"password": new, "again": new})["Location"].startswith("/prove/")
    people.holder.refresh_from_db()
    assert people.holder.check_password(PASSWORD)
    assert reverse("accounts:forgotten") in client.get("/prove/").text, "who forgot it is told the way"


def test_a_proof_by_text_message(client, people):
    log_in(client, people.holder)
    page = reverse("accounts:prove_by_text") + "?next=/me/"
    assert client.get(page).status_code == 200
    assert client.post(page)["Location"] == page
    answer = client.post(page, {"code": last_code(people.holder.phone)})
    assert answer["Location"] == "/me/"


def test_sessions_of_others_cannot_be_ended(client, client_factory, people):
    from allauth.usersessions.models import UserSession

    log_in(client, people.holder)
    other = client_factory()
    log_in(other, people.stranger)
    foreign = UserSession.objects.get(user=people.stranger)
    assert client.post(reverse("accounts:sessions"), {"session": foreign.pk}).status_code == 404
    assert client.post(reverse("accounts:sessions"), {"session": "9" * 30}).status_code == 404
    again = client_factory()
    log_in(again, people.holder)
    client.post(reverse("accounts:sessions"), {"others": "1"})
    assert again.get("/me/").status_code == 302
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize("name", ["accounts:me", "accounts:password", "accounts:sessions"])
@pytest.mark.parametrize("who", ["holder", "clerk", "region_admin"])
def test_ones_own_pages_open_for_everybody(people, name, who):
    assert pages.log_in(getattr(people, who)).get(reverse(name)).status_code == 200


def test_identity_is_asked_for_where_it_is_needed(client, people):
    from accounts.decorators import member_required

    people.holder.identity_level = IdentityLevel.REGISTERED
    people.holder.save()
    request = RequestFactory().get("/somewhere/?a=1")
    request.user, request.session = people.holder, {}
    view = member_required(IdentityLevel.VERIFIED)(lambda request: HttpResponse("in"))
    assert view(request)["Location"] == reverse("accounts:prove_identity")
    people.holder.identity_level = IdentityLevel.IN_PERSON
    assert view(request).content == b"in"


def test_the_demo_page_shows_codes_and_exists_only_in_the_demo(client, people):
    from tests.people import totp_code

    code = totp_code(people.clerk)
    client.post(reverse("accounts:login_by_text"), {"phone": people.holder.phone})
    page = client.get(reverse("accounts:demo")).content.decode()
    assert last_code(people.holder.phone) in page
    assert code in page or totp_code(people.clerk) in page


def test_a_get_changes_nothing(client, people):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(people.holder)
    for name in ["accounts:me", "accounts:inbox", "accounts:seen", "accounts:sessions", "accounts:password"]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse(name))
        writes = [
            query["sql"]
            for query in queries
            if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE")) and "django_session" not in query["sql"]
        ]
        assert writes == [], name


def test_without_redis_nobody_logs_in_and_nobody_is_thrown_out(client, client_factory, people, settings):
    client.force_login(people.holder)
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    other = client_factory()
    answer = other.post("/login/", {"login": people.spouse.phone, "password": PASSWORD})
    assert answer.status_code == 503
    assert "_auth_user_id" not in other.session
    assert client.get("/me/").status_code == 200


def test_who_was_logged_out_over_a_form_is_told_what_comes(client):
    note = "没有提交的内容要重新填写"
    assert note in client.get(reverse("account_login") + "?next=/wallet/send/").text
    assert note not in client.get(reverse("account_login")).text
