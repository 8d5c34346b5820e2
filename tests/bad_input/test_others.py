"""Other people's things: as absent as what never was, by whatever way they are asked for."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import clock
from accounts.actions import messages
from accounts.models import Message
from family.models import SharingGrant
from tests.bad_input.support import send
from tests.people import make_region, make_staff, person
from tests.support.pages import log_in
from tests.support.sharing import make_grant
from tests.test_permissions import arguments

HTMX = {"HX-Request": "true"}


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
            # How a part of a page is led to another page: by a header, for the browser's script follows a 302 itself.
            led = there.get("HX-Redirect") == nowhere.get("HX-Redirect") == reverse("counter:home")
            if not led and there.status_code not in (302, 404, 405) or there.status_code != nowhere.status_code:
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
    read = {"counter:case"}
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
