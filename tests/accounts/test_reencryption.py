"""A key can be replaced and given up while the portal runs (D2), and no stored value can be changed or moved (D1)."""

import base64

import pytest
from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from django.core.management import call_command
from django.db import connection

from accounts import crypto
from accounts.actions import reencryption
from accounts.models import Member, User
from tests.people import PASSWORD, totp_code

SECOND = base64.b64encode(b"2" * 32).decode()


def key_numbers() -> set[int]:
    """Which keys hold something, in all encrypted columns."""
    found = set()
    with connection.cursor() as cursor:
        for field in reencryption.encrypted_fields():
            cursor.execute(f"SELECT DISTINCT get_byte({field.column}, 1) FROM {field.model._meta.db_table}")
            found |= {number for (number,) in cursor.fetchall() if number is not None}
    return found


def test_an_old_key_can_be_given_up(world, settings, monkeypatch, client, capsys):
    monkeypatch.setattr(reencryption, "BATCH", 3)
    people = world[0]
    totp_code(people.clerk)
    before = {member.pk: (member.id_number, member.phone) for member in Member.objects.all()}
    phones = dict(User.objects.values_list("pk", "phone"))
    first = settings.PII_KEYS
    settings.PII_KEYS = first | {2: SECOND}
    assert key_numbers() == {1}
    call_command("reencrypt")
    assert "accounts_member.id_number: " in capsys.readouterr().out
    assert key_numbers() == {2}

    settings.PII_KEYS = {2: SECOND}
    assert {member.pk: (member.id_number, member.phone) for member in Member.objects.all()} == before
    assert dict(User.objects.values_list("pk", "phone")) == phones
    for authenticator in Authenticator.objects.all():
        authenticator.wrap()  # reads it
    client.post("/login/", {"login": people.clerk.username, "password": PASSWORD})
    assert client.post("/login/code/", {"code": totp_code(people.clerk)}).status_code == 302
    call_command("reencrypt")
    assert capsys.readouterr().out == "0 values encrypted anew\n"


def test_a_value_that_was_changed_or_moved_is_an_error(people):
    member = people.holder.member
    stored = crypto.encrypt(member.id_number, "accounts_member.id_number")
    assert crypto.decrypt(stored, "accounts_member.id_number") == member.id_number
    with pytest.raises(InvalidTag):
        crypto.decrypt(stored, "accounts_member.card_number")
    for place in (5, 20, len(stored) - 1):
        changed = bytearray(stored)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            crypto.decrypt(bytes(changed), "accounts_member.id_number")
    assert crypto.encrypt(member.id_number, "x") != crypto.encrypt(member.id_number, "x"), "one nonce each"
