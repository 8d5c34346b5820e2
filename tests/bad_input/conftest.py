from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from family.models import SharingGrant
from tests.bad_input.support import everything, send
from tests.people import make_member
from tests.support.pages import log_in


@pytest.fixture
def nothing_written() -> Iterator[None]:
    """Ask for it after everything else that writes: what is there then is there at the end."""
    before = everything()
    yield
    assert everything() == before


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


@pytest.fixture
def grant_of_member(world) -> SharingGrant:
    return world[2]


@pytest.fixture
def spouse(world) -> Client:
    return log_in(world[0].spouse)
