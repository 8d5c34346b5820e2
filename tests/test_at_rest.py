"""What a copy of the database tells whoever has no keys: no number of a person lies open in any column of any table (D1)."""

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Enrolment
from settlements.models import Claim
from tests.people import make_phone
from tests.support.pages import fields


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
    """Journeys that put numbers in (bill paid in cash, relative, open record); gives what must not be found."""
    people = world[0]
    holder, stranger = people.holder, people.stranger
    member, clerk = clients["member"], clients["clerk"]
    member.post("/login/", {"login": holder.member.id_number, "password": "Wrong-canary-77"})
    for number in (holder.member.id_number, stranger.member.card_number):
        clerk.post("/counter/", fields(clerk.get("/counter/")) | {"number": number, "reason": "balance"})
    bind = {"name": stranger.member.name, "id_number": stranger.member.id_number, "relation": "sibling"}
    member.post(reverse("family:bind"), fields(member.get(reverse("family:bind"))) | bind)
    new = make_phone()
    member.post(reverse("accounts:phone"), {"phone": new})
    told = [person.member.id_number for person in (holder, stranger)] + [holder.phone, stranger.phone, new]
    return [*told, holder.member.card_number, Claim.objects.get().bank_account]


def test_numbers_lie_nowhere_open(lived):
    assert all(lived) and lying_open(lived) == set()


def test_these_eyes_see(lived):
    Enrolment.objects.update(employer=f"where {lived[0]} works")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_member SET phone = convert_to(%s, 'UTF8')", [lived[2]])
    assert lying_open(lived) == {("accounts_enrolment", "employer"), ("accounts_member", "phone")}
