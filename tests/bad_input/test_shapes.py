"""Requests of a shape that no page sends: refused before anything is read, and no way leads elsewhere."""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from gateway.client import PATH
from tests.bad_input.support import CHINESE
from tests.people import PASSWORD, last_code

HTMX = {"HX-Request": "true"}
# Addresses that take a form without an id, and who may send one.
FORMS = [
    ("anonymous", "account_login"),
    ("anonymous", "accounts:claim"),
    ("anonymous", "accounts:forgotten"),
    ("anonymous", "accounts:login_by_text"),
    ("anonymous", "documents:check"),
    ("anonymous", "preferences:set"),
    ("member", "accounts:inbox_read_all"),
    ("member", "accounts:password"),
    ("member", "accounts:phone"),
    ("member", "accounts:sessions"),
    ("member", "family:bind"),
    ("member", "family:order"),
    ("member", "settlements:statement_file"),
    ("clerk", "counter:home"),
    ("clerk", "counter:bind"),
    ("clerk", "counter:order"),
    ("clerk", "counter:statement"),
    ("clerk", "counter:unmask"),
    ("region_admin", "admin:settlements_rolloverrun_add"),
]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_zero_character_is_refused_everywhere(clients, serving, language, nothing_written) -> None:
    for reader, name in FORMS:
        client = clients[reader]
        client.cookies["django_language"] = language
        for data in ({"name": "a\0b"}, {"a\0": "b"}, {"token": "\0", "version": "1"}):
            response = client.post(reverse(name), data)
            assert (name, response.status_code) == (name, 400)
            text = BeautifulSoup(response.content, "html.parser").main.get_text()
            assert bool(CHINESE.search(text)) == (language == "zh-hans")
        assert client.get(f"{reverse(name)}?page=%00").status_code == 400
        assert client.get(f"{reverse(name)}?%00=1").status_code == 400
    assert clients["anonymous"].get("/v/%00/").status_code == 400
    assert clients["anonymous"].get("/%00").status_code in (400, 404)


def test_ten_megabytes_are_refused_everywhere(clients, nothing_written) -> None:
    much = "x" * (10 * 1024 * 1024)
    for reader, name in FORMS:
        response = clients[reader].post(reverse(name), f"name={much}", content_type="application/x-www-form-urlencoded")
        assert (name, response.status_code) == (name, 413)
        assert BeautifulSoup(response.content, "html.parser").h1
    answer = Client().post(PATH, much, content_type="application/json").json()
    assert answer["infcode"] == -1 and "[body_too_large]" in answer["err_msg"]


WHOLE_WHEN_EMPTY = {
    "preferences:set",
    "accounts:inbox_read_all",
    "counter:unmask",
    "settlements:statement_file",  # the last three months
}
PART = "--x\r\nContent-Disposition: form-data; %s\r\n\r\nb\r\n--x--\r\n"
SHAPES: list[tuple[str, Any]] = [
    ("application/x-www-form-urlencoded; charset=rot13", "a=b"),
    ("application/x-www-form-urlencoded; charset=utf-7", "a=+AAA-"),
    ("application/x-www-form-urlencoded; charset=nothing", "a=b"),
    ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(2000))),
    ("application/x-www-form-urlencoded", b"a=%ff%fe&b=\xff\xfe"),
    ("application/x-www-form-urlencoded", b"a=%ED%A0%80"),
    ("multipart/form-data", "no boundary"),
    ("multipart/form-data; boundary=x", "--x\r\nnothing"),
    ("multipart/form-data; boundary=" + "x" * 300, "--x"),
    ("multipart/form-data; boundary=x; charset=rot13", PART % 'name="a"'),
    ("multipart/form-data; boundary=x", PART % 'name="a"; filename="a\0b"'),
    ("application/json", '{"name": "a"}'),
    ("text/plain", "name=a"),
    ("", ""),
]  # fmt: skip


def test_a_body_of_a_strange_shape_is_the_senders_mistake(clients, nothing_written) -> None:
    for reader, name in FORMS:
        if name in WHOLE_WHEN_EMPTY:
            continue
        clients[reader].cookies["django_language"] = "zh-hans"
        for content_type, body in SHAPES:
            response = clients[reader].generic("POST", reverse(name), body, content_type=content_type)
            assert (name, content_type, response.status_code < 500) == (name, content_type, True)
            if response.status_code == 400 and response["Content-Type"].startswith("text/html"):
                assert CHINESE.search(BeautifulSoup(response.content, "html.parser").h1.get_text())


def test_headers_that_lie_break_nothing(member, nothing_written) -> None:
    address = reverse("settlements:account")
    for headers in (
        {"CONTENT_TYPE": "text/html; charset=rot13"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "many"},
        {"HTTP_ACCEPT_LANGUAGE": "zh;q=nothing," * 1000},
        {"HTTP_ACCEPT_LANGUAGE": "\0"},
        {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://[::1"},
        {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "\0"},
        {"HTTP_REFERER": "http://[::1"},
        {"HTTP_X_FORWARDED_FOR": "nobody, nowhere"},
        {"HTTP_X_FORWARDED_HOST": "evil.example"},
        {"QUERY_STRING": "page=%ff%fe&kind=%ED%A0%80"},
        {"QUERY_STRING": "&".join("page=1" for _ in range(5000))},
    ):
        response = member.get(address, **headers)
        assert (headers, response.status_code < 500) == (headers, True)
        assert b"evil.example" not in response.content
    assert member.get(address, HTTP_HOST="evil.example").status_code == 400


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "/\\\\evil.example",
    "http:///evil.example",
    "https:evil.example",
]
ELSEWHERE += ["javascript:alert(1)", "data:text/html,x", "\thttps://evil.example", "https://testserver@evil.example/"]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_address_leads_to_another_site(world, clients, target) -> None:
    """Whoever follows a link to this portal stays in it: also after a login, a proof, a switch of the language."""
    holder, member = world[0].holder, clients["member"]
    query = urlencode({"next": target})
    login, text = Client(), Client()
    text.post(f"{reverse('accounts:login_by_text')}?{query}", {"phone": holder.phone})
    answers = [
        login.post(f"/login/?{query}", {"login": holder.phone, "password": PASSWORD, "next": target}),
        text.post(reverse("accounts:login_by_text_code"), {"code": last_code(holder.phone)}),
        member.get(f"/login/?{query}"),
        member.get(f"{reverse('accounts:login_by_text')}?{query}"),
        member.post(f"/prove/?{query}", {"password": PASSWORD, "next": target}),
        member.post(reverse("preferences:set"), {"theme": "dark", "next": target}),
        member.get(f"/admin/login/?{query}"),
        member.get(reverse("accounts:password"), headers=HTMX | {"HX-Current-URL": target}),
    ]
    led = [answer.get("HX-Redirect") or answer.get("Location", "") for answer in answers]
    assert [place for place in led if place and not re.match(r"/(?![/\\\\])", place)] == []
    assert "evil.example" not in "".join(led).replace(quote(target, safe=""), "")
    assert sum(bool(place) for place in led) >= 6
