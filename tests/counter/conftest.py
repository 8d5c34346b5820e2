import pytest
from django.core.cache import cache

from tests.family.support import make_rules
from tests.support.pages import fields, log_in


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Tokens and limits of tries live in Redis and would be carried from test to test."""
    cache.clear()


@pytest.fixture
def rules(people):
    """The region's rules as the real regions have them: what comes by the window is checked by a second person."""
    make_rules(people.region, review="window")
    return lambda **changes: make_rules(people.region, **({"review": "window"} | changes))


@pytest.fixture
def clerk(people, rules):
    return log_in(people.clerk)


@pytest.fixture
def supervisor(people, rules):
    return log_in(people.supervisor)


@pytest.fixture
def serving(people, clerk):
    """The clerk has opened the holder's record."""
    data = {"number": people.holder.member.id_number, "reason": "sharing"}
    response = clerk.post("/counter/", fields(clerk.get("/counter/")) | data)
    assert response["Location"] == "/counter/member/"
    return clerk
