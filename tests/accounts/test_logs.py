"""Canaries: an error on a person's row must not write the person into the log."""

import io
import logging

import pytest
from celery import signals
from django.db import IntegrityError, connection, transaction

import portal.celery  # noqa: F401 - connects what is tested
from accounts.logs import DiscreetFormatter
from accounts.models import Member
from tests.people import make_member, make_phone

log = logging.getLogger("accounts.canary")


@pytest.fixture
def written():
    """What the console of the settings' LOGGING is given."""
    handler = next(each for each in logging.getLogger().handlers if isinstance(each.formatter, DiscreetFormatter))
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)


@pytest.fixture
def member(db) -> Member:
    """A name with an empty line in it: nothing says where a row ends that PostgreSQL prints."""
    return make_member("金丝雀\n\n某某", phone=make_phone())


def failing_row(member: Member) -> IntegrityError:
    """PostgreSQL's own complaint, which names the whole row."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Member.objects.filter(pk=member.pk).update(id_number_index=None)
    assert "Failing row contains" in str(caught.value) and "金丝雀" in str(caught.value)
    return caught.value


def ways(error: IntegrityError, logger: logging.Logger) -> None:
    """Every way in which an error comes into a log."""
    try:
        try:
            raise error
        except IntegrityError as first:
            raise ValueError("later") from first
    except ValueError:
        logger.exception("gateway message %s failed", 7)
    logger.error("not saved: %s", error)
    logger.error("not saved: %r", error)
    logger.error("not saved: %(error)s", {"error": error})
    logger.error("raised unexpected: " + repr(error), exc_info=error)
    logger.error("kept: " + str(error.args[0]).replace("\n\n", ""))


def assert_discreet(text: str, member: Member) -> None:
    canaries = ["金丝雀", "某某", str(member.birth), str(member.public_id), member.id_number_index, "Failing row"]
    assert [canary for canary in canaries if canary in text] == []


def test_a_row_that_fails_is_not_in_the_log_and_the_error_is(written, member) -> None:
    ways(failing_row(member), log)
    text = written.getvalue()
    assert_discreet(text, member)
    assert text.count('null value in column "id_number_index"') >= 6
    assert "gateway message 7 failed" in text and "ValueError: later" in text and "test_logs.py" in text


def test_celery_and_gunicorn_write_no_row_either(member) -> None:
    stream, logger = io.StringIO(), logging.getLogger("tests.celery")
    logger.propagate, logger.handlers = False, [logging.StreamHandler(stream)]
    for signal in (signals.after_setup_logger, signals.after_setup_task_logger):
        signal.send(sender=None, logger=logger, loglevel=logging.INFO)
    ways(failing_row(member), logger)
    assert_discreet(stream.getvalue(), member)
    assert "ValueError: later" in stream.getvalue()


def test_a_statement_with_a_mistake_is_not_printed(written, member) -> None:
    """PostgreSQL shows the line with the mistake, values included where they stand in it."""
    statement = "SELECT '金丝雀' = nothing_of_that_name"
    with pytest.raises(Exception, match="LINE 1") as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert "金丝雀" in str(caught.value)
    log.error("no good", exc_info=caught.value)
    assert "金丝雀" not in written.getvalue() and "nothing_of_that_name" in written.getvalue()


def test_numbers_are_masked_and_others_are_not(written, member) -> None:
    log.error("GET /admin/?q=%s for %s, +86%s", member.id_number, member.phone, member.phone)
    log.error("chunk 12345678901 of 20261122003000, %s", "a" * 3 + member.phone)
    text = written.getvalue()
    assert member.id_number not in text and f"q={member.id_number[:3]}***" in text
    assert text.splitlines()[0].count(f"{member.phone[:3]}****{member.phone[-4:]}") == 2
    assert "chunk 12345678901 of 20261122003000" in text
