"""The log against the database: everything a client may have been told and the database does not hold."""

import pytest

from accounts.errors import Refused
from faults import checker, clients, told, world

pytestmark = pytest.mark.django_db
ON = world.LAST_DAY


@pytest.fixture
def day(tmp_path):
    """A client's day: two bills, one reversed, a credit, a refusal. (log, lines)"""
    hospital = world.institution()
    people = world.family(("60.37", "200.11"), ("0.00", "40.05"))
    closed = world.insure("1.00", "1.00")
    type(closed.enrolment).objects.filter(pk=closed.enrolment.pk).update(status="closed")
    asker = clients.Asker(told.Log(tmp_path / "client.log"))
    bill = asker.ask(clients.settle_act(people[0], hospital.pk, ON, "100.00"))
    asker.ask(clients.settle_act(people[1], hospital.pk, ON, "200.00"))
    asker.ask(clients.reverse_act(bill["settlement"], hospital.pk, ON))
    asker.ask(clients.credit_act(people[0], ON))
    assert asker.ask(clients.settle_act(closed, hospital.pk, ON, "100.00")) is None
    return asker.log, told.read(tmp_path)


def only(lines, what, verb):
    return next(line for line in lines if line["what"] == what and line["act"]["verb"] == verb)


def test_a_sound_day(day):
    assert checker.check(day[1], ON) == []


@pytest.mark.parametrize("verb", ["settle", "reverse", "credit"])
def test_something_told_that_is_not_there(day, verb):
    lines = day[1]
    line = only(lines, "told", verb)
    other = {**line, "act": {**line["act"], "key": "never", "period": "1999-01"}}
    assert any("is there as []" in found for found in checker.compare([*lines, other], ON))


@pytest.mark.parametrize("verb", ["settle", "reverse", "credit"])
def test_something_there_that_nobody_asked_for(day, verb):
    lines = day[1]
    gone = only(lines, "told", verb)["act"]
    found = checker.compare([line for line in lines if line["act"] != gone], ON)
    assert any("nobody asked for it" in what for what in found)


def test_one_fen_less_than_was_told(day):
    lines = day[1]
    only(lines, "told", "settle")["answer"]["fund"] = "0.01"
    assert any("is there as" in found for found in checker.compare(lines, ON))


def test_a_refusal_that_is_there(day):
    lines = day[1]
    line = only(lines, "told", "settle")
    turned = [{**line, "what": "refused", "code": "closed"} if one is line else one for one in lines]
    assert any("is there as" in found for found in checker.compare(turned, ON))


def test_two_answers_to_one_key(day):
    lines = day[1]
    line = only(lines, "told", "settle")
    other = {**line, "answer": {**line["answer"], "settlement": 0}}
    assert any("was told two things" in found for found in checker.compare([*lines, other], ON))


def test_an_account_that_the_log_does_not_add_up_to(day):
    lines = day[1]
    answer = only(lines, "told", "settle")["answer"]
    account = next(iter(answer["payers"]))
    answer["payers"][account] = "0.01"
    assert any(found.startswith(f"account {account} shows") for found in checker.compare(lines, ON))


def test_an_error_that_reached_a_client(day):
    lines = day[1]
    line = {**only(lines, "told", "settle"), "what": "failed", "error": "IntegrityError()"}
    assert any("was answered IntegrityError()" in found for found in checker.compare([*lines, line], ON))


def test_half_a_line_was_told_to_nobody(tmp_path):
    log = told.Log(tmp_path / "client.log")
    log.write("asked", {"verb": "settle"})
    (tmp_path / "client.log").open("ab").write(b'{"what": "told", "act"')
    assert [line["what"] for line in told.read(tmp_path)] == ["asked"]


def test_a_client_asks_until_there_is_an_answer(day, monkeypatch, tmp_path):
    """A line that breaks is no answer; a refusal is one."""
    from django.db import OperationalError

    outcomes = iter([OperationalError("gone"), OperationalError("gone"), Refused("closed")])

    def settle(act):
        raise next(outcomes)

    monkeypatch.setitem(clients.VERBS, "settle", settle)
    monkeypatch.setattr(clients.connection, "close", lambda: None)
    asker = clients.Asker(told.Log(tmp_path / "other" / "client.log"))
    asker.ask({"verb": "settle"})
    assert (asker.retries, asker.answers) == (2, 1)
    assert [line["what"] for line in told.read(tmp_path / "other")] == ["asked", "refused"]
