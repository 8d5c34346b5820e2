"""Numbers and codes leave no trace where they do not belong (L5)."""

import json
import logging

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.urls import reverse

from accounts.actions import outbox
from accounts.models import AuditEvent
from portal.celery import app
from tests.people import PASSWORD, last_code, make_member, make_phone


@pytest.fixture
def canaries(client, people, caplog):
    """Every way in once, right and wrong; gives what must not be found."""
    caplog.set_level(logging.DEBUG)
    member, phone = make_member("陆某川"), make_phone()
    facts = {"name": member.name, "id_number": member.id_number, "card_number": member.card_number, "phone": phone}
    client.post(reverse("accounts:claim"), facts)
    code = last_code(phone)
    client.post(reverse("accounts:claim_code"), {"code": code})
    holder = people.holder
    for password in ("Wrong-Canary-77", PASSWORD):
        client.post("/login/", {"login": holder.member.id_number, "password": password})
    client.post("/logout/")
    client.post(reverse("accounts:login_by_text"), {"phone": holder.phone})
    second = last_code(holder.phone)
    client.post(reverse("accounts:login_by_text_code"), {"code": second})
    outbox.send_waiting()
    return [phone, member.id_number, code, holder.phone, holder.member.id_number, second, "Wrong-Canary-77", PASSWORD]


def test_nothing_of_it_in_logs_sessions_redis_and_audit(canaries, caplog):
    redis = cache._cache.get_client()
    kept = [*redis.keys()]
    places = {
        "log": " ".join(line.getMessage() for line in caplog.get_records("setup") if line.name != "django.db.backends"),
        "sms log": (settings.BASE_DIR / "var" / "log" / "sms.log").read_text(),
        "sessions": " ".join(session.session_data for session in Session.objects.all()),
        "redis": " ".join(key.decode(errors="replace") for key in kept)
        + " ".join(repr(redis.get(key)) for key in kept if redis.type(key) == b"string"),
        "audit": " ".join(str(row) for row in AuditEvent.objects.values()),
    }
    assert all(places.values()), "nothing was looked at"
    found = [(place, canary) for place, text in places.items() for canary in canaries if canary in text]
    assert found == []


def test_every_bell_of_the_beat_has_a_task():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_the_cache_holds_json(canaries):
    """Pickles in Redis would let whoever writes there run code here (W9)."""
    redis = cache._cache.get_client()
    values = [redis.get(key) for key in redis.scan_iter() if redis.type(key) == b"string"]
    assert values
    for value in values:
        json.loads(value)
