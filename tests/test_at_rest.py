"""What a copy of the database tells whoever has no keys: no number of a person lies open in any column of any table (D1)."""

import datetime

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEvent, Member
from tests.people import make_phone
from tests.support.pages import fields

BANK_ACCOUNT = "6222021001122334455"


def columns() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        return list(cursor.fetchall())


def lying_open(secrets: list[str]) -> set[tuple[str, str]]:
    """Table and column in which one of the texts stands, read as text and, where it is bytes, as the bytes' own text."""
    found = set()
    pattern = "|".join(secrets)
    with connection.cursor() as cursor:
        for table, column in columns():
            cursor.execute(
                f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text ~ %s OR "{column}"::text ~ %s)',
                [pattern, "|".join(secret.encode().hex() for secret in secrets)],
            )
            if cursor.fetchone()[0]:
                found.add((table, column))
    return found


@pytest.fixture
def lived(world, clients) -> list[str]:
    """Journeys that put numbers in: a claim with a bank account, a relative's number, a record opened; what must not be found."""
    people = world[0]
    holder, stranger = people.holder, people.stranger
    member, clerk = clients["member"], clients["clerk"]
    member.post("/login/", {"login": holder.member.id_number, "password": "Wrong-canary-77"})
    for number in (holder.member.id_number, stranger.member.card_number):
        clerk.post("/counter/", fields(clerk.get("/counter/")) | {"number": number, "reason": "balance"})
    bind = {"name": stranger.member.name, "id_number": stranger.member.id_number, "relation": "sibling"}
    member.post(reverse("family:bind"), fields(member.get(reverse("family:bind"))) | bind)
    member.post(reverse("accounts:phone"), {"phone": make_phone()})
    return [holder.member.id_number, stranger.member.id_number, holder.phone, stranger.phone, holder.member.card_number]


def test_numbers_lie_nowhere_open(lived):
    assert lying_open(lived) == set()
