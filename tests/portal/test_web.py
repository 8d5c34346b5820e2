"""What the web processes add to the portal: statements that end, and headers on whatever goes out, errors included."""

import logging

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.signals import connection_created
from django.test import Client
from django.urls import reverse

from tests.test_strict_pages import wrong_headers


@pytest.fixture
def as_web(settings, monkeypatch):
    """The connection as the web server opens it, with the loggers and signals of this process put back afterwards."""
    settings.WEB_STATEMENT_SECONDS = 1
    handlers = {name: logging.getLogger(name).handlers[:] for name in ("gunicorn.error", "gunicorn.access")}
    before = connection_created.receivers[:]
    from portal import wsgi

    connection_created.receivers = before
    for name, kept in handlers.items():
        logging.getLogger(name).handlers = kept
    wsgi.bound_statements(connection)
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")


def test_a_statement_of_a_page_ends(db, as_web):
    """W13: else one page that takes an hour holds a worker, and eight of them the portal."""
    with (
        pytest.raises(OperationalError, match="statement timeout"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(5)")


def test_only_web_connections_are_bound(db):
    """Rollovers, region files and check_ledger have statements that are meant to take longer."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def broken(request):
    raise RuntimeError("as a mistake in the code would")


def test_errors_keep_the_headers_too(world, clients, monkeypatch):
    member = clients["member"]
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    much = "x" * (3 * 1024 * 1024)
    form = "application/x-www-form-urlencoded"
    answers = {
        400: member.get("/?page=%00"),
        403: strict.post("/login/", {"login": "x"}),
        404: member.get("/nowhere/"),
        405: member.get(reverse("preferences:set")),
        413: member.post(reverse("accounts:password"), f"name={much}", content_type=form),
        422: Client().post("/login/", {}),
    }
    monkeypatch.setattr("accounts.queries.inbox", broken)
    member.raise_request_exception = False
    answers[500] = member.get(reverse("accounts:inbox"))
    told = {status: (answer.status_code, list(wrong_headers(answer))) for status, answer in answers.items()}
    assert told == {status: (status, []) for status in answers}
    assert member.get("/", HTTP_HOST="evil.example").status_code == 400
