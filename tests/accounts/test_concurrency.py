"""Two at once: on committed data, with a connection for each."""

import threading

import pytest
from django.db import connection, transaction

from accounts.actions import audit, codes, messages, outbox, users
from accounts.clock import now
from accounts.crypto import blind_index
from accounts.errors import Refused
from accounts.models import AuditBlock, AuditEvent, ConsentCode, SmsOutbox, User
from tests.people import PASSWORD, last_code, make_member, make_phone

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*functions):
    """Run each in a thread of its own, let them start together, and give what each gave or raised."""
    ready = threading.Barrier(len(functions))
    results = [None] * len(functions)

    def run(number, function):
        try:
            ready.wait(10)
            results[number] = function()
        except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_a_line_that_commits_late_is_not_missed_by_the_seal(settings, tmp_path):
    settings.AUDIT_ANCHORS = tmp_path / "anchors"
    written, sealed = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                audit.record(action="slow", by=None, at=now())
                written.set()
                sealed.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(10)
    audit.record(action="quick", by=None, at=now())
    # The quick line has the higher number and is committed; sealing it now would leave the slow one out for ever.
    assert audit.seal(now()) == 0
    sealed.set()
    thread.join(20)
    assert audit.seal(now()) == 2
    assert [line.action for line in AuditEvent.objects.order_by("id")] == ["slow", "quick"]
    assert audit.check() == []
    assert settings.AUDIT_ANCHORS.read_text().split()[1] == AuditBlock.objects.get().hash


def test_two_workers_share_the_outbox(monkeypatch):
    sent, lock = [], threading.Lock()

    class Provider:
        def send(self, phone, text, reference):
            with lock:
                sent.append(reference)

    monkeypatch.setattr(outbox, "gateway", Provider)
    for _number in range(20):
        messages.send_text(phone=make_phone(), text="甲", kind="welcome", at=now())
    assert sum(at_once(outbox.send_waiting, outbox.send_waiting)) == 20
    assert len(sent) == len(set(sent)) == 20
    assert not SmsOutbox.objects.exclude(state="sent").exists()


def test_a_code_is_used_once_by_two_at_once():
    phone, at = make_phone(), now()
    codes.issue(phone=phone, purpose="login", subject="s", at=at)
    code = last_code(phone)

    def confirm():
        return codes.confirm(phone=phone, purpose="login", subject="s", code=code, at=at)

    results = at_once(confirm, confirm)
    assert results.count(None) == 1
    assert sum(isinstance(result, Refused) for result in results) == 1


def test_many_guesses_at_once_are_still_five():
    phone, at = make_phone(), now()
    codes.issue(phone=phone, purpose="login", subject="s", at=at)
    wrong = "000000" if last_code(phone) != "000000" else "111111"

    def guess():
        return codes.confirm(phone=phone, purpose="login", subject="s", code=wrong, at=at)

    refusals = [result.code for result in at_once(*[guess] * 8)]
    assert (refusals.count("code_wrong"), refusals.count("code_used_up")) == (4, 4)
    assert ConsentCode.objects.get(phone_index=blind_index(phone)).tries == 5


def test_a_record_is_claimed_once_by_two_at_once():
    member = make_member()

    def claim():
        return users.claim(member=member, phone=make_phone(), password=PASSWORD, at=now())

    results = at_once(claim, claim)
    assert sorted(type(result).__name__ for result in results) == ["Refused", "User"]
    assert User.objects.count() == 1
    assert AuditEvent.objects.filter(action="claim").count() == 1


def test_codes_for_one_telephone_do_not_slip_through_together():
    phone, at = make_phone(), now()

    def issue():
        return codes.issue(phone=phone, purpose="login", subject="s", at=at)

    results = at_once(*[issue] * 4)
    assert sum(isinstance(result, Refused) for result in results) == 3
    assert SmsOutbox.objects.count() == 1
