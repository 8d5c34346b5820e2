"""What people and programs send that they should not: it is said what is wrong, where it is, and nothing is written."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import clock
from accounts.actions import messages
from accounts.models import Message
from casework.models import Case, CaseEvent
from family.models import DeductionOrder, SharingApplication, SharingGrant
from gateway.client import PATH
from tests.family.support import make_rules
from tests.people import PASSWORD, last_code, make_member, make_region, make_staff, person
from tests.support.ledger import open_account
from tests.support.pages import fields, log_in
from tests.support.sharing import make_grant
from tests.test_permissions import arguments

APPS = ["accounts", "casework", "documents", "family", "gateway", "settlements"]
PERIODS = [
    ("9999-12-31", "9999-12-31"),
    ("2026-02-30", "2026-03-01"),
    ("1026-01-01", "2026-01-01"),
    ("x", "y"),
    ("", ""),
]
HTMX = {"HX-Request": "true"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Written by the door itself: that somebody tried.
OF_THE_DOOR = {"accounts_auditevent", "gateway_turnedaway"}


def everything() -> dict[str, str]:
    """A fingerprint of the whole content of every table."""
    tables = [
        model._meta.db_table
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if model._meta.db_table not in OF_THE_DOOR
    ]
    each = [f"SELECT '{table}', md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {table} t" for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return dict(cursor.fetchall())


@pytest.fixture
def nothing_written() -> Iterator[None]:
    """Ask for it after everything else that writes: what is there then is there at the end."""
    before = everything()
    yield
    assert everything() == before


def send(client: Client, address: str, data: dict[str, Any], **more: Any) -> HttpResponse:
    """Open the page and send its form with these answers over what it holds."""
    return client.post(address, fields(client.get(address)) | data, **more)


def told_at(response: HttpResponse, field: str) -> str:
    """What the page says at a field, and that its summary leads there."""
    assert response.status_code == 422
    page = BeautifulSoup(response.content, "html.parser")
    error = page.select_one(f"#id_{field}_error")
    assert error, f"nothing is said at {field}: {[one['id'] for one in page.select('.govuk-error-message')]}"
    assert page.select_one(f'.govuk-error-summary a[href^="#id_{field}"]')
    return error.get_text(" ", strip=True)


# Values


AMOUNTS = [
    "1.234",
    "-5",
    "１２",
    "1e3",
    "NaN",
    "Infinity",
    "0",
    "0.001",
    "99999999999",
    "1,2",
    "٣",
    "12 34",
    "0x10",
    "+5",
]
ID_NUMBERS = ["11010119900101123X", "1101011990010112", "110101199013011234", "9" * 18, "abcdefghijklmnopqr", "①" * 18]


@pytest.fixture
def member(world, clients) -> Client:
    return clients["member"]


@pytest.fixture
def binding(world, member) -> Client:
    """The member has begun to bind his brother."""
    brother = make_member("沈某川", sex="M", region=world[0].region)
    answers = {"name": brother.name, "id_number": brother.id_number, "relation": "sibling"}
    assert send(member, reverse("family:bind"), answers)["Location"] == reverse("family:bind_result")
    return member


@pytest.fixture
def serving(world, clients) -> Client:
    """The clerk has opened the member's record."""
    data = {"number": world[0].holder.member.id_number, "reason": "sharing"}
    assert send(clients["clerk"], "/counter/", data).status_code == 302
    return clients["clerk"]


def in_both_languages(client: Client, address: str, data: dict[str, Any], field: str) -> None:
    client.cookies["django_language"] = "zh-hans"
    assert CHINESE.search(told_at(send(client, address, data), field))
    client.cookies["django_language"] = "en"
    assert not CHINESE.search(told_at(send(client, address, data), field))


@pytest.fixture
def grant_of_member(world) -> SharingGrant:
    return world[2]


class TestValues:
    def test_limits(self, binding, grant_of_member, nothing_written) -> None:
        for address in (reverse("family:bind_terms"), reverse("family:adjust", args=[grant_of_member.public_id])):
            for amount in AMOUNTS:
                told_at(send(binding, address, {"limit": amount}), "limit")
            in_both_languages(binding, address, {"limit": "1e3"}, "limit")

    def test_limits_at_the_window(self, world, serving, nothing_written) -> None:
        address = reverse("counter:amend", args=[world[1].case.public_id])
        for amount in AMOUNTS:
            told_at(send(serving, address, {"limit": amount}), "limit")

    @pytest.mark.parametrize("name", ["family:bind", "counter:bind"])
    def test_id_numbers(self, world, clients, serving, name, nothing_written) -> None:
        client = serving if name == "counter:bind" else clients["member"]
        answers = {"name": "沈某川", "relation": "sibling"}
        for number in ID_NUMBERS:
            told_at(send(client, reverse(name), answers | {"id_number": number}), "id_number")
        in_both_languages(client, reverse(name), answers | {"id_number": ID_NUMBERS[0]}, "id_number")

    def test_who(self, member, nothing_written) -> None:
        answers = {"name": "沈某川", "relation": "sibling", "id_number": "110101199001011237"}
        for name in ("沈" * 80, "沈1", "<b>", "", "  "):
            told_at(send(member, reverse("family:bind"), answers | {"name": name}), "name")
        for relation in ("king", ""):
            told_at(send(member, reverse("family:bind"), answers | {"relation": relation}), "relation")

    def test_days(self, binding, nothing_written) -> None:
        for day in ("2026 2 30", "99999 1 1", "0 1 1", "-1 1 1", "2020 1 1", "2026 . 1", "1e3 1 1"):
            boxes = dict(zip(("last_day_year", "last_day_month", "last_day_day"), day.split(), strict=True))
            told_at(send(binding, reverse("family:bind_terms"), boxes), "last_day")

    def test_uses(self, binding, nothing_written) -> None:
        for uses in ("gold", [], ["care", "gold"]):
            told_at(send(binding, reverse("family:bind_terms"), {"uses": uses}), "uses")

    def test_periods_outside_everything(self, member, nothing_written) -> None:
        for days in PERIODS:
            period = dict(zip(("start", "end"), days, strict=True))
            for response in (
                member.get(reverse("settlements:statement"), period),
                member.post(reverse("settlements:statement_file"), period | {"as": "pdf"}),
                member.post(reverse("settlements:statement_file"), period | {"as": "csv"}),
            ):
                assert response.status_code == 422
                assert BeautifulSoup(response.content, "html.parser").select(".govuk-error-message")

    def test_choices_that_are_not_offered(self, member, nothing_written) -> None:
        for query in ({"period": "nothing"}, {"kind": "nothing"}):
            assert member.get(reverse("settlements:account"), query).status_code == 422
        for query in ({"amount": "1e3", "level": "tertiary"}, {"amount": "100", "level": "nothing"}):
            assert member.get(reverse("family:order"), query).status_code == 422

    def test_a_page_that_is_not_there_is_the_nearest(self, member, clients, nothing_written) -> None:
        for page in ("0", "-1", "x", "9" * 30, "1e3"):
            for name in ("settlements:account", "settlements:bills", "accounts:inbox", "accounts:seen"):
                assert member.get(reverse(name), {"page": page}).status_code == 200
            assert clients["supervisor"].get(reverse("counter:queue"), {"page": page}).status_code == 200

    def test_an_unknown_region_cannot_be_closed(self, clients, nothing_written) -> None:
        address = reverse("admin:settlements_rolloverrun_add")
        answers = {"year": "2025", "current_rate": "1", "historical_rate": "1"}
        for region in ("999999", "110000", "", "上海"):
            assert told_at(send(clients["region_admin"], address, answers | {"region": region}), "region")
        for rate in ("NaN", "-1", "21", "1.23456", "x"):
            told_at(
                send(clients["region_admin"], address, answers | {"region": "310000", "current_rate": rate}),
                "current_rate",
            )

    def test_versions_and_places_that_are_no_numbers(self, world, member, nothing_written) -> None:
        case = world[1].case.public_id
        for version in ("", "x", "-1", "9" * 30, "1e3", "9" * 5000):
            for name in ("family:amend", "family:withdraw"):
                response = send(member, reverse(name, args=[case]), {"version": version}, follow=True)
                assert response.status_code in (200, 422)
            for move in ({"move": "up"}, {"position": "9" * 30}, {"position": "0"}, {}, {"move": "away"}):
                sent = {"id": str(uuid.uuid4()), "version": version} | move
                assert member.post(reverse("family:order"), sent).status_code == 422


# The shape of a request

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


# Other people's things


def with_an_id(resolver: URLResolver, space: str = "") -> Iterator[str]:
    """The names of all addresses that hold a public id."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from with_an_id(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern) and "public_id" in pattern.pattern.converters:
            yield f"{space}{pattern.name}"


def text_of(response: HttpResponse) -> str:
    """The page without what is new in every answer."""
    return re.sub(
        r'nonce-[^\'"]+|nonce="[^"]+"|name="csrfmiddlewaretoken" value="\w+"|[0-9a-f-]{36}',
        "",
        response.content.decode(),
    )


@pytest.fixture
def outsiders(world, clients) -> dict[str, Client]:
    """Everybody whom the holder's things are no affair of."""
    people = world[0]
    former = person("高某", birth=people.holder.member.birth.replace(year=1983), sex="M", region=people.region)
    on = clock.today()
    make_grant(people.holder.member, former.member)
    SharingGrant.objects.filter(beneficiary=former.member).update(
        starts_on=on - timedelta(days=9), ends_on=on - timedelta(days=1)
    )
    elsewhere = make_region("110000")
    return {
        "stranger": clients["stranger"],
        "former relative": log_in(former),
        "clerk elsewhere": log_in(make_staff("clerk", region=elsewhere)),
        "supervisor elsewhere": log_in(make_staff("supervisor", region=elsewhere)),
        "administrator": clients["region_admin"],
        "system administrator": clients["system_admin"],
        "auditor": clients["auditor"],
    }


def thing_at(name: str, world) -> uuid.UUID:
    """The holder's own thing that the address is for."""
    return arguments(name, world)[0]


# With what a request comes: as a page, as a part of one, or asking what there is.
WAYS = [("get", {}), ("get", HTMX), ("post", {}), ("options", {})]


@pytest.mark.parametrize(("method", "headers"), WAYS)
def test_what_belongs_to_others_is_as_absent_as_what_never_was(
    world, outsiders, method, headers, nothing_written
) -> None:
    names = list(with_an_id(get_resolver()))
    assert len(names) >= 39
    data = {"token": "t" * 20, "version": "0", "do": "withdraw", "verdict": "approve", "answer": "agree"}
    sent = {"data": data} if method == "post" else {}
    wrong = []
    for who, client in outsiders.items():
        for name in names:
            there, nowhere = (
                getattr(client, method)(reverse(name, args=[one]), headers=headers, **sent)
                for one in (thing_at(name, world), uuid.uuid4())
            )
            if there.status_code not in (302, 404, 405) or there.status_code != nowhere.status_code:
                wrong.append((who, name, there.status_code, nowhere.status_code))
            elif there.get("Location") != nowhere.get("Location") or text_of(there) != text_of(nowhere):
                wrong.append((who, name, "differs"))
            client.get("/nowhere/")  # takes away what a redirect had to say
    assert wrong == []


def test_with_another_s_record_open_a_clerk_does_nothing_to_what_is_not_his(world, clients, nothing_written) -> None:
    """Whom a clerk serves is whom he has opened; the number of somebody else's paper is no way around it."""
    clerk, stranger = clients["clerk"], world[0].stranger.member
    send(clerk, "/counter/", {"number": stranger.id_number, "reason": "balance"})
    # Of a case a clerk of its region reads whatever stands on its paper: it is handed to him with its number.
    read = {"counter:case", "counter:commitment", "counter:closing_form"}
    names = [name for name in with_an_id(get_resolver()) if name.startswith("counter:") and name != "counter:review"]
    assert len(names) >= 12
    wrong = []
    for name in names:
        address = reverse(name, args=[thing_at(name, world)])
        got = clerk.get(address).status_code
        if got != 200 if name in read else got not in (302, 404, 405):
            wrong.append((name, got))
        for do in ("act", "code", "print", "withdraw", "submit", "reverse", "amend"):
            data = {
                "do": do,
                "token": f"{do:t>20}",
                "version": "0",
                "consent": "paper",
                "paper": "A4",
                "agent_name": "",
            }
            sent = clerk.post(address, data)
            if sent.status_code not in (302, 404, 405) or "/paper" in sent.get("Location", ""):
                wrong.append((name, do, sent.status_code))
    assert wrong == []


def test_a_clerk_without_an_open_record_does_nothing_to_a_case(world, clients, nothing_written) -> None:
    clerk = clients["clerk"]
    for name in ("case", "amend", "end", "receipt"):
        for do in ("submit", "agree", "paper", "decline", "withdraw", "send_code"):
            data = {"do": do, "token": "t" * 20, "version": "0", "agree": "on", "paper": "A4"}
            response = clerk.post(reverse(f"counter:{name}", args=[thing_at(f"counter:{name}", world)]), data)
            assert (name, response.status_code, response["Location"]) == (name, 302, reverse("counter:home"))
    for name in ("bind", "order", "statement", "unmask", "member"):
        assert clerk.post(reverse(f"counter:{name}"), {"token": "t" * 20}).status_code in (302, 405)


def test_messages_and_sessions_of_others(world, clients, outsiders) -> None:
    people = world[0]
    messages.notify(member=people.holder.member, kind="welcome", params={}, at=clock.now())
    message = Message.objects.filter(member=people.holder.member).first()
    clients["member"].get(reverse("accounts:sessions"))
    theirs = people.holder.usersession_set.first()
    for who in ("stranger", "former relative"):
        for wanted in (message.public_id, uuid.uuid4(), "x", "9" * 40):
            response = outsiders[who].post(reverse("accounts:inbox_read_all"), {"id": str(wanted)})
            assert response.status_code == 404
        response = outsiders[who].post(reverse("accounts:sessions"), {"session": theirs.pk if theirs else 1})
        assert response.status_code == 404
    message.refresh_from_db()
    assert message.read_at is None
    assert clients["member"].get(reverse("accounts:me")).status_code == 200


def test_movements_for_a_relative_who_is_none(world, member, nothing_written) -> None:
    for who in (world[0].stranger.member.public_id, uuid.uuid4(), "x", "'; --"):
        response = member.get(reverse("settlements:account"), {"person": str(who)})
        assert response.status_code in (200, 422)
        assert world[0].stranger.member.name not in response.content.decode()


# Sent again, from another page with a token of its own


@pytest.fixture
def spouse(world) -> Client:
    return log_in(world[0].spouse)


class TestAgain:
    def test_submitted_twice(self, binding) -> None:
        send(binding, reverse("family:bind_terms"), {"limit": "500"})
        case = Case.objects.get(state="draft", kind="sharing")
        address = reverse("family:check", args=[case.public_id])
        pages = [fields(binding.get(address)) | {"agree": "on"} for _twice in range(2)]
        assert pages[0]["token"] != pages[1]["token"]
        for page in pages:
            assert binding.post(address, page, follow=True).status_code in (200, 422)
        assert CaseEvent.objects.filter(case=case, verb="submit").count() == 1

    def test_agreed_twice(self, world, spouse) -> None:
        make_rules(world[0].region)
        address = reverse("family:invitation", args=[world[1].case.public_id])
        pages = [fields(spouse.get(address)) | {"answer": answer} for answer in ("agree", "agree", "decline")]
        for page in pages:
            assert spouse.post(address, page, follow=True).status_code in (200, 422)
        assert SharingGrant.objects.filter(application=world[1]).count() == 1
        assert CaseEvent.objects.filter(case=world[1].case, verb="consent").count() == 1

    def test_ended_twice(self, member, grant_of_member) -> None:
        address = reverse("family:end", args=[grant_of_member.public_id])
        pages = [fields(member.get(address)) for _twice in range(2)]
        for page in pages:
            assert member.post(address, page, follow=True).status_code == 200
        grant_of_member.refresh_from_db()
        told = Message.objects.filter(member=grant_of_member.grantor).count()
        assert (grant_of_member.ends_on, told) == (clock.today(), told)
        assert Message.objects.filter(member=grant_of_member.grantor, kind__contains="end").count() <= 1

    def test_moved_with_an_old_version(self, world, spouse) -> None:
        people = world[0]
        make_rules(people.region)
        brother = person("方某山", people.spouse.member.birth, sex="M", region=people.region)
        for grantor in (people.holder, brother):
            make_grant(grantor.member, people.spouse.member)
        open_account(brother.member, people.region, 2026, "1", "1")
        second = list(SharingGrant.objects.filter(beneficiary=people.spouse.member).order_by("bound_at", "id"))[1]
        move = {"id": str(second.public_id), "version": "0", "move": "up"}
        answers = [spouse.post(reverse("family:order"), move).status_code for _thrice in range(3)]
        assert answers == [302, 422, 422]
        order = DeductionOrder.objects.get(pk=people.spouse.member.pk)
        assert (order.version, order.grant_ids[0]) == (1, second.pk)

    def test_approved_twice(self, world, clients, spouse) -> None:
        make_rules(world[0].region, review="all")
        address = reverse("family:invitation", args=[world[1].case.public_id])
        spouse.post(address, fields(spouse.get(address)) | {"answer": "agree"})
        world[1].case.refresh_from_db()
        assert world[1].case.state == "review"
        supervisor = clients["supervisor"]
        address = reverse("counter:review", args=[world[1].case.public_id])
        pages = [
            fields(supervisor.get(address)) | {"verdict": verdict, "reason": "x"}
            for verdict in ("approve", "approve", "refuse")
        ]
        answers = [supervisor.post(address, page).status_code for page in pages]
        assert answers == [302, 422, 422]
        assert SharingGrant.objects.filter(application=world[1]).count() == 1
        assert CaseEvent.objects.filter(case=world[1].case, verb="approve").count() == 1


# Fields that no form has


def extra(world) -> dict[str, Any]:
    """Whatever a sender might hope to set."""
    stranger = world[0].stranger
    return {
        "grantor": stranger.member.pk, "grantor_id": stranger.member.pk, "beneficiary": stranger.member.pk,
        "member": stranger.member.pk, "member_id": stranger.member.pk, "applicant": stranger.member.pk,
        "user": stranger.pk, "by": stranger.pk, "on_behalf_of": stranger.member.pk, "opened_by": stranger.pk,
        "checked_by": stranger.pk, "checked_at": "2026-01-01", "state": "granted", "status": "granted",
        "amount": "1000000", "current": "1000000", "historical": "1000000", "balance": "1", "debt": "1",
        "region": "110000", "channel": "window", "number": "X1", "case": "1", "consented_at": "2026-01-01",
        "consent_channel": "window", "committed_at": "2026-01-01", "starts_on": "2020-01-01", "ends_on": "2099-01-01",
        "bound_at": "2020-01-01", "paused_at": "2020-01-01", "role": "system_admin", "is_staff": "on",
        "is_superuser": "on", "identity_level": "3", "phone_verified": "on", "public_id": str(uuid.uuid4()), "pk": "1",
        "relation_id": "1", "uses_care": "", "uses_premium": "",
    }  # fmt: skip


def facts_of(row: Any, *but: str) -> dict[str, Any]:
    return {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname not in but
    }


class TestExtraFields:
    def test_an_application(self, world, binding) -> None:
        people = world[0]
        send(binding, reverse("family:bind_terms"), extra(world) | {"limit": "500"})
        application = SharingApplication.objects.get(case__state="draft")
        address = reverse("family:check", args=[application.case.public_id])
        assert send(binding, address, extra(world) | {"agree": "on"}).status_code == 302
        application = SharingApplication.objects.select_related("case").get(pk=application.pk)
        case = application.case
        assert (application.grantor, application.beneficiary.name) == (people.holder.member, "沈某川")
        assert (application.limit, application.ends_on, application.uses_care) == (Decimal(500), None, True)
        assert (application.consented_at, application.committed_channel) == (None, "online")
        assert (case.state, case.region_id, case.channel) == ("consent", "310000", "online")
        assert (case.applicant, case.opened_by, case.checked_by) == (people.holder.member, people.holder, None)

    def test_terms_of_a_grant(self, world, member, grant_of_member) -> None:
        grant_of_member.refresh_from_db()
        before = facts_of(grant_of_member, "limit")
        address = reverse("family:adjust", args=[grant_of_member.public_id])
        assert send(member, address, extra(world) | {"limit": "75"}).status_code == 302
        grant_of_member.refresh_from_db()
        assert (facts_of(grant_of_member, "limit"), grant_of_member.limit) == (before, Decimal(75))

    def test_a_pause_and_an_end(self, world, member, grant_of_member) -> None:
        grant_of_member.refresh_from_db()
        changes = ("paused_at", "ends_on", "end_reason")
        before = facts_of(grant_of_member, *changes)
        public_id = [grant_of_member.public_id]
        send(member, reverse("family:pause", args=public_id), extra(world) | {"do": "pause"})
        send(member, reverse("family:end", args=public_id), extra(world))
        grant_of_member.refresh_from_db()
        assert facts_of(grant_of_member, *changes) == before
        assert (grant_of_member.paused_at.year, grant_of_member.ends_on) == (clock.now().year, clock.today())

    def test_one_s_own_login(self, world, member) -> None:
        user = world[0].holder
        user.refresh_from_db()
        changes = ("password", "password_set_at", "last_login")
        before = facts_of(user, *changes)
        new = {"password": "Another-leaf-2026", "again": "Another-leaf-2026"}
        assert send(member, reverse("accounts:password"), extra(world) | new).status_code == 302
        member.post(reverse("preferences:set"), extra(world) | {"next": "//evil.example/"})
        user.refresh_from_db()
        assert facts_of(user, *changes) == before
        assert not user.role_assignments.exists()

    def test_at_the_window(self, world, serving) -> None:
        case = world[1].case
        address = reverse("counter:amend", args=[case.public_id])
        assert send(serving, address, extra(world) | {"limit": "60"}).status_code == 302
        application = SharingApplication.objects.select_related("case").get(pk=world[1].pk)
        assert (application.limit, application.grantor, application.beneficiary) == (
            Decimal(60), world[0].holder.member, world[0].spouse.member,
        )  # fmt: skip
        assert (application.case.state, application.case.region_id, application.case.checked_by) == (
            "returned", "310000", None,
        )  # fmt: skip

    def test_a_second_check(self, world, clients, spouse) -> None:
        make_rules(world[0].region, review="all")
        address = reverse("family:invitation", args=[world[1].case.public_id])
        spouse.post(address, fields(spouse.get(address)) | extra(world) | {"answer": "agree"})
        address = reverse("counter:review", args=[world[1].case.public_id])
        send(clients["supervisor"], address, extra(world) | {"verdict": "approve"})
        grant = SharingGrant.objects.get(application=world[1])
        assert (grant.grantor, grant.beneficiary) == (world[0].holder.member, world[0].spouse.member)
        assert (grant.starts_on, grant.ends_on, grant.limit, grant.region_id) == (clock.today(), None, None, "310000")
        world[1].case.refresh_from_db()
        assert world[1].case.checked_by == world[0].supervisor
