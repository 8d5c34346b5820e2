"""The audit log: with its act or not at all, append-only, and a chain that tells (L1-L3, L6)."""

import datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from accounts import audit_texts
from accounts.actions import audit, users
from accounts.clock import now
from accounts.models import AuditBlock, AuditEvent, User
from tests.people import PASSWORD, make_login, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anchors(settings, tmp_path):
    settings.AUDIT_ANCHORS = tmp_path / "anchors"
    return settings.AUDIT_ANCHORS


def line(action="test", **more):
    return audit.record(action=action, by=None, at=now(), **more)


def test_the_act_and_its_line_are_kept_together_or_not_at_all(monkeypatch):
    user = make_login(make_member())

    def broken(**_line):
        raise ZeroDivisionError

    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(ZeroDivisionError):
        users.set_password(user=user, password="Maple-tree-1937", by=user, at=now())
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


@pytest.mark.parametrize("sql", ["UPDATE accounts_auditevent SET reason = ''", "DELETE FROM accounts_auditevent"])
def test_nobody_changes_a_line(sql):
    line()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditEvent.objects.count() == 1


def test_a_line_stays_one_line():
    event = line(reason="so\r\n2026-01-01 forged\x1b[31m line")
    assert event.reason.isprintable()


def test_a_citizen_is_masked_and_staff_are_named(people):
    assert audit.record(action="x", by=people.holder, at=now()).actor == "沈**"
    assert people.clerk.username in audit.record(action="x", by=people.clerk, at=now()).actor


def seal():
    """As the beat does; in tests nothing commits, so the anchor is written by hand."""
    sealed = audit.seal(now())
    for block in AuditBlock.objects.order_by("id"):
        audit._anchor(block)
    return sealed


def tamper(sql, *params):
    """As the owner of the tables, who can take the triggers away and put them back."""
    with connection.cursor() as cursor:
        for table in ("accounts_auditevent", "accounts_auditblock"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute(sql, params)
        for table in ("accounts_auditevent", "accounts_auditblock"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only")


@pytest.fixture
def chain(monkeypatch):
    """Three blocks of two lines."""
    monkeypatch.setattr(audit, "LINES_A_BLOCK", 2)
    for number in range(6):
        line(action=f"act{number}")
    assert seal() == 6
    assert AuditBlock.objects.count() == 3
    assert audit.check() == []
    return list(AuditEvent.objects.order_by("id"))


def test_sealing_again_does_nothing(chain):
    assert audit.seal(now()) == 0
    line()
    assert audit.seal(now()) == 1
    assert audit.check() == []


@pytest.mark.parametrize(
    ("what", "sql"),
    [
        ("changed", "UPDATE accounts_auditevent SET actor = 'somebody else' WHERE id = %s"),
        ("moved in time", "UPDATE accounts_auditevent SET at = at - interval '1 second' WHERE id = %s"),
        ("deleted", "DELETE FROM accounts_auditevent WHERE id = %s"),
    ],
)
def test_a_line_that_was_touched_is_found(chain, what, sql):
    tamper(sql, chain[2].pk)
    assert len(audit.check()) == 1, what


def test_a_line_put_in_between_is_found(chain):
    tamper("UPDATE accounts_auditevent SET id = id + 1000 WHERE id = %s", chain[5].pk)
    assert audit.check()


def test_two_lines_exchanged_are_found(chain):
    first, second = chain[2].pk, chain[3].pk
    tamper("UPDATE accounts_auditevent SET id = -1 WHERE id = %s", first)
    tamper("UPDATE accounts_auditevent SET id = %s WHERE id = %s", first, second)
    tamper("UPDATE accounts_auditevent SET id = %s WHERE id = -1", second)
    assert audit.check()


def test_a_chain_cut_off_at_its_end_is_found_by_its_anchors(chain):
    tamper("DELETE FROM accounts_auditblock WHERE last_event = %s", chain[5].pk)
    tamper("DELETE FROM accounts_auditevent WHERE id >= %s", chain[4].pk)
    assert audit.check() == [f"anchor at line {chain[5].pk}: no such block any more"]


def test_the_command_says_so_and_fails(chain, capsys):
    call_command("check_audit")
    assert "audit: whole" in capsys.readouterr().out
    tamper("DELETE FROM accounts_auditevent WHERE id = %s", chain[0].pk)
    with pytest.raises(SystemExit) as stopped:
        call_command("check_audit")
    assert stopped.value.code == 1


def test_denied_access_is_recorded(client, people):
    client.force_login(people.holder)
    assert client.get("/admin/", follow=True).status_code == 404
    client.force_login(people.clerk)
    assert client.get(reverse("accounts:inbox")).status_code == 404
    denied = AuditEvent.objects.get(action="denied")
    assert (denied.actor_id, denied.target) == (people.clerk.pk, "/inbox/")


def test_a_member_sees_who_of_the_staff_looked_and_why(client, people):
    at = now() - datetime.timedelta(days=1)
    audit.record(action="open_member", by=people.clerk, at=at, member=people.holder.member, reason="来窗口改手机号")
    audit.record(action="open_member", by=people.clerk, at=at, member=people.spouse.member, reason="别人的事")
    client.force_login(people.holder)
    page = client.get(reverse("accounts:seen")).content.decode()
    assert "来窗口改手机号" in page and people.clerk.username in page
    assert "别人的事" not in page
    assert len(client.get(reverse("accounts:seen")).context["rows"]) == 1, "one's own acts are not among them"


def test_pages_looked_at_one_after_the_other_are_one_line_with_a_count(client, people):
    start = now() - datetime.timedelta(days=1)

    def look(minute, action="read_member", target="member", by=people.clerk, reason="家庭共济"):
        at = start + datetime.timedelta(minutes=minute)
        audit.record(action=action, by=by, at=at, member=people.holder.member, target=target, reason=reason)

    for minute, target in ((0, "member"), (1, "bind"), (3, "member"), (10, "member"), (11, "member")):
        look(minute, target=target)
    look(2, action="read_case", target="case A")
    look(4, action="read_case", target="case B")
    look(5, by=people.supervisor)
    look(6, reason="余额或对账单")
    lines = audit_texts.grouped(AuditEvent.objects.filter(member_id=people.holder.member.pk).order_by("-at"))
    told = [(line.event.action, line.event.actor_id, line.count) for line in lines]
    assert sorted(line.count for line in lines) == [1, 1, 1, 1, 1, 4]
    assert told[0] == ("read_member", people.clerk.pk, 4)
    assert "–" in lines[0].when and "–" not in lines[1].when
    client.force_login(people.holder)
    page = client.get(reverse("accounts:seen"))
    assert len(page.context["rows"]) == 6


def test_a_consent_on_paper_has_a_reason_in_words(client, people):
    member = people.holder.member
    audit.record(action="case_consent", by=people.clerk, at=now(), member=member, target="case A", reason="paper")
    client.force_login(people.holder)
    page = client.get(reverse("accounts:seen"), headers={"Accept-Language": "en"}).content.decode()
    assert "Reason: the relative signed on paper" in page
    assert AuditEvent.objects.get(action="case_consent").reason == "paper", "the log itself stays as it was written"
