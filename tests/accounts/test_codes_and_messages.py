"""Codes by text message, the outbox, the inbox (A3, L5)."""

import datetime
import io
from urllib.request import HTTPSHandler, build_opener
from urllib.response import addinfourl

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation

from accounts import message_texts
from accounts.actions import codes, messages, outbox
from accounts.clock import now
from accounts.crypto import blind_index
from accounts.errors import Refused
from accounts.models import ConsentCode, Message, SmsOutbox
from accounts.models.messages import CODES
from accounts.sms import HttpGateway, SmsNotSent
from tests.people import last_code, last_text, make_member, make_phone, person

MINUTE = datetime.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def issue(phone, at, subject="case:1", **more):
    return codes.issue(phone=phone, purpose="sharing_consent", subject=subject, at=at, **more)


def confirm(phone, code, at, subject="case:1", purpose="sharing_consent"):
    codes.confirm(phone=phone, purpose=purpose, subject=subject, code=code, at=at)


def refused(function, *args, **kwargs):
    with pytest.raises(Refused) as error:
        function(*args, **kwargs)
    return error.value.code


def test_a_code_works_once_for_its_telephone_purpose_and_subject():
    phone, at = make_phone(), now()
    issue(phone, at)
    code = last_code(phone)
    assert refused(confirm, phone, code, at, subject="case:2") == "code_expired"
    assert refused(confirm, phone, code, at, purpose="login") == "code_expired"
    assert refused(confirm, make_phone(), code, at) == "code_expired"
    confirm(phone, code, at)
    assert refused(confirm, phone, code, at) == "code_expired"


def test_a_code_for_the_window_may_be_told_to_the_clerk():
    phone, at = make_phone(), now()
    with translation.override("en"):
        issue(phone, at)
        assert "the clerk who is serving you" in last_text(phone)
        assert "never ask" not in last_text(phone)
        other = make_phone()
        codes.issue(phone=other, purpose="login", subject="1", at=at)
        assert "never ask" in last_text(other)


def test_a_code_lives_ten_minutes():
    phone, at = make_phone(), now()
    issue(phone, at)
    assert refused(confirm, phone, last_code(phone), at + 10 * MINUTE) == "code_expired"


def test_a_new_code_ends_the_old_one():
    phone, at = make_phone(), now()
    issue(phone, at)
    old = last_code(phone)
    issue(phone, at + 2 * MINUTE)
    if old != last_code(phone):
        assert refused(confirm, phone, old, at + 2 * MINUTE) == "code_wrong"
    confirm(phone, last_code(phone), at + 2 * MINUTE)


def test_five_wrong_tries_use_it_up():
    phone, at = make_phone(), now()
    issue(phone, at)
    code = last_code(phone)
    wrong = "000000" if code != "000000" else "111111"
    for left in range(4, 0, -1):
        with pytest.raises(Refused) as error:
            confirm(phone, wrong, at)
        assert (error.value.code, error.value.params) == ("code_wrong", {"left": left})
    # Whoever has no try left is told to have a new one sent, not to try again.
    assert refused(confirm, phone, wrong, at) == "code_used_up"
    assert refused(confirm, phone, code, at) == "code_used_up"


def test_a_try_inside_a_transaction_is_a_mistake_of_the_caller():
    phone, at = make_phone(), now()
    issue(phone, at)
    with pytest.raises(RuntimeError), transaction.atomic():
        confirm(phone, "123456", at)


def test_codes_for_one_telephone_are_few_and_far_between(settings):
    settings.SMS_CODES_A_DAY_AND_PHONE = 3
    phone, at = make_phone(), now()
    issue(phone, at)
    assert refused(issue, phone, at + MINUTE / 2) == "code_too_soon"
    for minute in (2, 4):
        issue(phone, at + minute * MINUTE, known=False)
    assert refused(issue, phone, at + 6 * MINUTE) == "too_many_codes"
    issue(phone, at + 24 * 60 * MINUTE + 5 * MINUTE)


def test_neither_code_nor_telephone_lies_open():
    phone = make_phone()
    issue(phone, now())
    code = last_code(phone)
    for model in (ConsentCode, SmsOutbox):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")
            rows = " ".join(row[0] for row in cursor.fetchall())
        assert code.encode().hex() not in rows and phone not in rows and phone.encode().hex() not in rows


class Provider:
    """Takes or refuses messages, and remembers."""

    def __init__(self):
        self.sent, self.down = [], False

    def send(self, phone, text, reference):
        if self.down:
            raise SmsNotSent("down")
        self.sent.append((phone, text, reference))


@pytest.fixture
def provider(monkeypatch):
    made = Provider()
    monkeypatch.setattr(outbox, "gateway", lambda: made)
    return made


def test_the_outbox_is_sent_once_and_survives_a_provider_that_is_down(provider):
    messages.send_text(phone="13800138000", text="甲", kind="welcome", at=now())
    messages.send_text(phone="13800138001", text="乙", kind="welcome", at=now())
    provider.down = True
    assert outbox.send_waiting() == 0
    provider.down = False
    assert outbox.send_waiting() == 2
    assert outbox.send_waiting() == 0
    assert [phone for phone, _text, _reference in provider.sent] == ["13800138000", "13800138001"]
    assert set(SmsOutbox.objects.values_list("state", "tries")) == {("sent", 2)}


def test_a_provider_that_stays_down_is_given_up_after_five_tries(provider):
    messages.send_text(phone="13800138000", text="甲", kind="welcome", at=now())
    provider.down = True
    for _try in range(6):
        outbox.send_waiting()
    assert SmsOutbox.objects.values_list("state", "tries").get() == ("failed", 5)


def test_a_code_that_is_late_is_not_sent(provider):
    issue(make_phone(), now() - 11 * MINUTE)
    assert outbox.send_waiting() == 0
    assert SmsOutbox.objects.get().state == "failed"


def test_a_message_is_told_in_the_readers_language():
    message_texts.register_message("test_kind", "Limit", "From %(starts_on)s: %(limit)s yuan, %(nothing)s")
    member = make_member(phone=make_phone())
    params = {"starts_on": "2026-03-12", "limit": "1234.50"}
    message = messages.notify(member=member, kind="test_kind", params=params, at=now(), sms=True)
    body = message_texts.tell(message).body
    assert "1,234.50" in body and "2026" in body and "—" in body
    assert last_text(member.phone).startswith("【医保家账】")
    assert "http" not in last_text(member.phone)
    with pytest.raises(KeyError):
        messages.notify(member=member, kind="nobody_registered", params={}, at=now())


def test_a_message_of_something_undone_is_not_sent():
    member = make_member(phone=make_phone())
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        messages.notify(member=member, kind="welcome", params={}, at=now(), sms=True)
        raise ZeroDivisionError
    assert not Message.objects.exists() and not SmsOutbox.objects.exists()


def test_all_registered_messages_can_be_told():
    for kind in message_texts.registered():
        told = message_texts.tell_kind(kind, {})
        assert told.title and told.body, kind


def test_the_inbox_shows_ones_own_and_reading_needs_a_button(client):
    user, other = person("沈某宁", datetime.date(1985, 1, 1)), person("方某", datetime.date(1984, 1, 1))
    mine = messages.notify(member=user.member, kind="welcome", params={}, at=now())
    messages.notify(member=other.member, kind="identity_proven", params={}, at=now())
    client.force_login(user)
    page = client.get(reverse("accounts:inbox"))
    assert [row["message"] for row in page.context["rows"]] == [mine]
    assert page.context["unread"] == 1
    fragment = client.post(reverse("accounts:inbox_read_all"), headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<section id="inbox"')
    mine.refresh_from_db()
    assert mine.read_at
    foreign = Message.objects.get(member=other.member)
    assert client.post(reverse("accounts:inbox_read_all"), {"id": foreign.public_id}).status_code == 404
    assert client.post(reverse("accounts:inbox_read_all"), {"id": "nonsense"}).status_code == 404


def test_texts_of_codes_go_after_a_day_and_messages_after_half_a_year(monkeypatch, settings):
    monkeypatch.setattr(outbox, "CHUNK", 1)
    at, phone, waiting = now(), make_phone(), make_phone()
    issue(phone, at)
    messages.send_text(phone=phone, text="Your bill was paid", kind="bill_paid", at=at)
    outbox.send_waiting()
    issue(waiting, at)
    told = SmsOutbox.objects.exclude(phone_index=blind_index(waiting))
    assert outbox.forget_old(at=at + settings.SMS_CODE_TEXT_DAYS * codes.DAY) == (0, 0)
    assert outbox.forget_old(at=at + settings.SMS_CODE_TEXT_DAYS * codes.DAY + MINUTE) == (1, 0)
    assert {row.kind: row.text is None for row in told} == {"code:sharing_consent": True, "bill_paid": False}
    end = at + datetime.timedelta(days=settings.SMS_DAYS)
    assert outbox.forget_old(at=end) == (0, 0) and ConsentCode.objects.count() == 2
    assert outbox.forget_old(at=end + MINUTE) == (0, 2)
    assert not ConsentCode.objects.exists()
    assert SmsOutbox.objects.get().state == "waiting" and SmsOutbox.objects.get().text


def test_old_text_messages_are_found_by_an_index():
    """Not by reading through half a year of them every night."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    old = SmsOutbox.objects.filter(CODES, text__isnull=False, created_at__lt=now())
    assert "sms_code_text" in old.explain()


def test_the_provider_is_reached_by_https_and_nobody_instead_of_it(settings, monkeypatch):
    settings.SMS_SECRET, settings.SMS_URL = "secret", "http://sms.example/send"
    with pytest.raises(SmsNotSent, match="https"):
        HttpGateway().send(make_phone(), "text", "sms-1")

    class Elsewhere(HTTPSHandler):
        def https_open(self, request):
            asked.append(request.full_url)
            answer = addinfourl(io.BytesIO(), {"Location": "https://other.example/"}, request.full_url, 302)
            answer.msg = "Found"
            return answer

    asked = []
    real = build_opener
    monkeypatch.setattr("urllib.request.build_opener", lambda *handlers: real(Elsewhere, *handlers))
    settings.SMS_URL = "https://sms.example/send"
    with pytest.raises(SmsNotSent, match="HTTPError"):
        HttpGateway().send(make_phone(), "text", "sms-1")
    assert asked == ["https://sms.example/send"]
