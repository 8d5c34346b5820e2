"""What holds for every page, whoever reads it: headers, no unknown name in a template, no number in full, no writing.

The pages and the readers are those of tests/test_permissions.py, and some more that need a step before them.
"""

import re
import sys
from collections.abc import Iterable, Iterator

import pytest
from bs4 import BeautifulSoup
from django import forms
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.template import engines
from django.template.defaultfilters import default
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock
from accounts.actions import audit, messages
from accounts.models import AuditEvent
from tests.people import make_member
from tests.support.pages import fields, log_in
from tests.test_permissions import ADMIN, PAGES, arguments, read
from tests.world import READERS as TABLE

# 18 characters of an ID number, 11 of a mobile number; not inside a longer word or number (a nonce, a hash, a uuid).
ID_NUMBER = re.compile(r"(?<![\w-])[1-9]\d{16}[\dXx](?![\w-])")
PHONE = re.compile(r"(?<![\w-])1[3-9]\d{9}(?![\w-])")
WRITE = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s+\"?(\w+)")
# The session slides with every request; its list of logins notes the browser; access is recorded.
MAY_WRITE = {"django_session", "usersessions_usersession", "accounts_auditevent"}
# What looking may put into the audit log.
LOOKS = {"denied", "read_member", "read_case", "read_audit"}
# The aid that shows text messages where no telephone is near: made for the demo, and absent from production.
SHOWS_TEXTS = {"accounts:demo"}
LANGUAGES = {"zh-hans": ("zh-CN", "zh-hans"), "en": ("en",)}


class Unknown(str):
    """Stands for an unknown name in a template, and keeps which and where."""

    def __new__(cls) -> "Unknown":
        one = super().__new__(cls, "%s")
        one.names = set()
        return one

    def __mod__(self, name: object) -> object:
        frame = sys._getframe(1).f_locals
        expression, context = frame["self"], frame["context"]
        function, given = expression.filters[0] if expression.filters else (None, [])
        if function is default:
            # Django leaves the filters out for an unknown name; without this stand-in the default would be taken.
            lookup, value = given[0]
            return value.resolve(context) if lookup else value
        self.names.add(f"{context.render_context.template.name}: {expression.token}")
        return ""


@pytest.fixture
def unknown(monkeypatch) -> Unknown:
    names = Unknown()
    monkeypatch.setattr(engines["django"].engine, "string_if_invalid", names)
    return names


def pages_of(world: tuple, column: str) -> Iterator[tuple[str, str]]:
    """What a reader gets, and what needs a step before; "no such page" is looked at by a test of its own."""
    place = TABLE.index(column)
    for name, statuses in read(PAGES).items():
        if statuses[place] in (200, 302):
            yield name, reverse(name, args=arguments(name, world))
    for model, statuses in read(ADMIN).items():
        if statuses[place] == 200:
            yield f"admin:{model}", reverse(f"admin:{model}_changelist")


def wrong_headers(response: HttpResponse) -> Iterator[str]:
    policy = response.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        yield f"policy {policy!r}"
    if response.get("X-Content-Type-Options") != "nosniff":
        yield "sniffing"
    if response.get("Cache-Control") != "no-store":
        yield f"may be kept: {response.get('Cache-Control')}"
    if response.get("X-Frame-Options") != "DENY" or "frame-ancestors 'none'" not in policy:
        yield "may be framed"
    if response.get("Referrer-Policy") != "same-origin" or response.get("Cross-Origin-Opener-Policy") != "same-origin":
        yield "tells other sites where one comes from"
    if response.get("Cross-Origin-Resource-Policy") != "same-origin" or "camera=()" not in response.get(
        "Permissions-Policy", ""
    ):
        yield "open to other sites and devices"


def wrong_page(name: str, response: HttpResponse, language: str) -> Iterator[str]:
    if not response.get("Content-Type", "").startswith("text/html") or not response.content:
        return
    html = response.content.decode()
    soup = BeautifulSoup(html, "html.parser")
    if not (soup.title and soup.title.get_text(strip=True)):
        yield "no title"
    if not soup.html or soup.html.get("lang") not in LANGUAGES[language]:
        yield f"language {soup.html and soup.html.get('lang')}"
    for tag in soup.find_all(True):
        yield from (f"{tag.name} {key}" for key in tag.attrs if key == "style" or key.startswith("on"))
        if tag.name in ("script", "style") and not tag.get("src") and tag.get("type") != "application/json":
            yield f"inline {tag.name}"
    for box in soup.select("input[name=id_number]"):
        del box["value"]  # what the reader typed himself, to be put right
    if name not in SHOWS_TEXTS:
        html = str(soup)
        yield from (f"in full: {found}" for found in [*ID_NUMBER.findall(html), *PHONE.findall(html)])


def forms_of(response: HttpResponse) -> Iterable[forms.BaseForm]:
    found = {}
    for layer in response.context or []:
        for scope in layer.dicts if hasattr(layer, "dicts") else [layer]:
            found |= {id(value): value for value in scope.values() if isinstance(value, forms.BaseForm)}
    return found.values()


def wordless(response: HttpResponse) -> Iterator[str]:
    """Fields that would say no more than "This field is required"."""
    for form in forms_of(response):
        for name, field in form.fields.items():
            if field.required and field.error_messages["required"] == forms.Field.default_error_messages["required"]:
                yield f"{type(form).__name__}.{name}"


def written(queries: Iterable[dict]) -> Iterator[str]:
    """The tables that stay changed: what a savepoint took back, as a dry run does, was not written."""
    kept: list[str] = []
    marks: dict[str, int] = {}
    for sql in (query["sql"] for query in queries):
        if mark := re.match(r"(ROLLBACK TO )?SAVEPOINT (\S+)", sql):
            if mark[1]:
                del kept[marks[mark[2]] :]
            else:
                marks[mark[2]] = len(kept)
        kept += [f"writes {table}" for _verb, table in WRITE.findall(sql) if table not in MAY_WRITE]
    yield from kept


def crawl(
    client: Client, pages: Iterable[tuple[str, str]], language: str, **headers: str
) -> tuple[dict[str, list[str]], set[str]]:
    """What is wrong, by page; and the pages that came."""
    client.cookies["django_language"] = language
    wrong, came = {}, set()
    for name, address in pages:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address, **headers)
        found = [*wrong_headers(response), *wrong_page(name, response, language), *written(queries.captured_queries)]
        if not name.startswith("admin:"):
            found += wordless(response)
        if response.status_code >= 500:
            found.append(f"status {response.status_code}")
        if response.status_code == 200:
            came.add(name)
        if found:
            wrong[name] = sorted(set(found))
    return wrong, came


def open_record(client: Client, member) -> Client:
    data = {"number": member.id_number, "reason": "balance"}
    assert client.post("/counter/", fields(client.get("/counter/")) | data)["Location"] == "/counter/member/"
    return client


def begin_binding(client: Client, member) -> Client:
    data = {"name": member.name, "id_number": member.id_number, "relation": "sibling"}
    address = reverse("family:bind")
    assert client.post(address, fields(client.get(address)) | data).status_code == 302
    return client


# Reader, the column of the table that says what he gets, language.
READERS = [
    ("anonymous", "anonymous", "zh-hans"),
    ("member", "member", "zh-hans"),
    ("spouse", "member", "en"),
    ("binding", "member", "en"),
    ("stranger", "stranger", "zh-hans"),
    ("clerk", "clerk", "zh-hans"),
    ("serving", "clerk", "en"),
    ("supervisor", "supervisor", "zh-hans"),
    ("region_admin", "region_admin", "zh-hans"),
    ("system_admin", "system_admin", "en"),
    ("auditor", "auditor", "zh-hans"),
]


@pytest.mark.parametrize(("reader", "column", "language"), READERS)
def test_every_page_keeps_the_rules(reader, column, language, world, clients, unknown) -> None:
    people = world[0]
    if reader == "serving":
        client = open_record(clients["clerk"], people.holder.member)
    elif reader == "binding":
        client = begin_binding(clients["member"], make_member("沈某川", sex="M", region=people.region))
    else:
        client = clients[reader] if reader in clients else log_in(people.spouse)
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    wrong, came = crawl(client, pages_of(world, column), language)
    ours = {name for name in unknown.names if not name.startswith("admin/")}
    assert (wrong, ours) == ({}, set())
    assert len(came) > 10
    looked = AuditEvent.objects.exclude(pk__in=before)
    staff = reader not in ("anonymous", "member", "spouse", "binding", "stranger")
    assert set(looked.values_list("action", flat=True)) <= (LOOKS if staff else {"denied"})


def test_every_object_of_the_administration_keeps_the_rules(world, clients, unknown) -> None:
    """The page of one row of each list that a reader sees, and of adding one."""
    messages.notify(member=world[0].holder.member, kind="welcome", params={}, at=clock.now(), sms=True)
    came = set()
    for reader, language in (("region_admin", "zh-hans"), ("system_admin", "en"), ("auditor", "zh-hans")):
        place, pages = TABLE.index(reader), []
        for name, statuses in read(ADMIN).items():
            row = apps.get_model(name.replace("_", ".", 1)).objects.last()
            if statuses[place] == 200 and row is not None:
                pages.append((f"admin:{name}", reverse(f"admin:{name}_change", args=[row.pk])))
                pages.append((f"admin:{name}", reverse(f"admin:{name}_add")))
        wrong, found = crawl(clients[reader], pages, language)
        assert wrong == {}
        came |= found
    assert len(came) > 12
    assert {name for name in unknown.names if not name.startswith("admin/")} == set()


def test_parts_that_htmx_asks_for_keep_the_rules(world, clients, unknown) -> None:
    names = ["settlements:account", "settlements:bills", "settlements:statement", "family:order", "accounts:inbox"]
    names += ["casework:mine"]
    wrong, came = crawl(clients["member"], [(name, reverse(name)) for name in names], "zh-hans", HTTP_HX_REQUEST="true")
    wrong = {
        name: [one for one in found if one != "no title" and "language" not in one] for name, found in wrong.items()
    }
    assert ({name: found for name, found in wrong.items() if found}, unknown.names) == ({}, set())
    assert came == set(names)


def test_numbers_in_full_are_an_act_that_is_recorded(world, clients) -> None:
    member = world[0].holder.member
    client = open_record(clients["clerk"], member)
    address = reverse("counter:member")
    shown = [
        client.get(address),
        client.post(reverse("counter:unmask")),
        client.get(address),
    ]
    assert [member.id_number in page.content.decode() for page in shown] == [False, True, False]
    assert AuditEvent.objects.filter(action="unmask", member_id=member.pk).count() == 1


TYPED = "\"'><img src=x onerror=alert(1)>"


def test_what_people_type_stays_text(world, clients) -> None:
    """W4: names, banks, reasons and notes with a tag in them, on every page that shows them."""
    people = world[0]
    for model, name in (
        ("accounts.Member", "name"), ("accounts.User", "display_name"), ("accounts.Institution", "name"),
        ("accounts.Enrolment", "employer"), ("accounts.ServiceCentre", "name"), ("settlements.Payee", "name"),
        ("settlements.Payee", "bank"), ("settlements.Claim", "bank"), ("settlements.Claim", "invoice_number"),
    ):  # fmt: skip
        assert apps.get_model(model).objects.update(**{name: TYPED})
    audit.record(action="open_member", by=people.clerk, at=clock.now(), member=people.holder.member, reason=TYPED)
    clients["clerk"] = open_record(clients["clerk"], people.holder.member)
    raw, escaped = [], set()
    for reader in TABLE:
        for name, address in pages_of(world, reader):
            text = clients[reader].get(address).content.decode(errors="replace")
            if "<img src=x" in text:
                raw.append((reader, name))
            if "&lt;img src=x" in text:
                escaped.add(name)
    assert raw == []
    assert len(escaped) >= 8, "it was hardly shown anywhere"


@pytest.mark.parametrize("address", ["/nowhere/", "/family/grants/nothing/", "/v/no/such/", "/admin/nowhere/"])
def test_a_page_that_is_not_there_keeps_the_rules_too(address: str, world, clients, unknown) -> None:
    for reader in ("anonymous", "member", "clerk", "region_admin"):
        wrong, _came = crawl(clients[reader], [(reader, address)], "zh-hans")
        assert (wrong, unknown.names) == ({}, set())


def test_these_eyes_see(world, clients, unknown) -> None:
    text = engines["django"].from_string("{{ here }}{{ nothing }}{{ absent|default:'x' }}").render({"here": 1})
    assert (text, {name.split(": ")[1] for name in unknown.names}) == ("1x", {"nothing"})
    number, phone = world[0].holder.member.id_number, world[0].holder.phone
    bad = HttpResponse(f'<html lang="fr"><p style="" onclick="">{number} {phone}</p><script>1</script></html>')
    assert len(list(wrong_page("", bad, "en"))) == 7
    assert len(list(wrong_headers(bad))) == 6
    response = clients["member"].get(reverse("family:bind"))
    assert [type(form).__name__ for form in forms_of(response)] == ["WhoForm"]
    next(iter(forms_of(response))).fields["name"].error_messages["required"] = str(
        forms.Field.default_error_messages["required"]
    )
    assert list(wordless(response)) == ["WhoForm.name"]
    assert list(written([{"sql": 'UPDATE "family_sharinggrant" SET x = 1'}])) == ["writes family_sharinggrant"]
