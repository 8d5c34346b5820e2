"""Functions of the database, called without the driver's cursor: what goes in, what comes out, and what goes wrong."""

import datetime
from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import TextChoices

from accounts.calls import Call, Moved, send, send_if

UTC = datetime.UTC


class Kind(TextChoices):
    CARE = "care"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "given", "told"),
    [
        ("concat(%s::text)", "医保家账 %s ' \\ {}", "医保家账 %s ' \\ {}"),
        ("concat(%s::text)", "", ""),
        ("concat(%s::text)", Kind.CARE, "care"),
        ("(%s::bigint + 1)", 2**40, 2**40 + 1),
        ("(%s::numeric * 2)::text", Decimal("1E+2"), "200"),
        ("(%s::numeric)::text", Decimal("-0.10"), "-0.10"),
        ("(NOT %s::boolean)", True, False),
        ("(NOT %s::boolean)", False, True),
        ("(%s::text IS NULL)", None, True),
        ("nullif(%s::text, 'x')", "x", None),
        ("(%s::date + 1)::text", datetime.date(2026, 12, 31), "2027-01-01"),
        ("extract(epoch FROM %s::timestamptz)::bigint", datetime.datetime(1970, 1, 2, tzinfo=UTC), 86400),
        ("cardinality(%s::bigint[])", [3, 5], 2),
        ("cardinality(%s::bigint[])", [], 0),
        ("encode(%s::bytea, 'hex')", b"\x00\xff%s", "00ff2573"),
    ],
)
def test_values_go_in_and_come_out_as_they_are(sql, given, told):
    assert send(Call(sql, [given])) == (told,)
    # The second time the server knows the statement.
    assert send(Call(sql, [given])) == (told,)


@pytest.mark.django_db
def test_a_text_that_holds_nul_is_an_error_and_is_not_cut_short():
    with pytest.raises(DataError, match="NUL"):
        send(Call("concat(%s::text)", ["a\0b"]))


@pytest.mark.django_db
def test_several_run_in_one_statement_and_those_that_lock_last():
    last = Call("concat(%s::text, clock_timestamp()::text)", ["2"], last=True)
    first, second = send(last, Call("concat(%s::text, clock_timestamp()::text)", ["1"]))
    assert (first[0], second[0]) == ("1", "2") and first[1:] <= second[1:]


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "runs"), [("", True), (None, False)])
def test_what_hangs_on_the_first_runs_after_it_or_not_at_all(first, runs):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY SEQUENCE counted")
        condition = Call("concat(%s::text)" if runs else "nullif(%s::text, '')", [first])
        assert send_if(condition) is runs
        assert send_if(condition, *[Call("nextval(%s::text::regclass)", ["counted"])] * 2) is runs
        cursor.execute("SELECT last_value, is_called FROM counted")
        assert cursor.fetchone() == ((2, True) if runs else (1, False))


@pytest.mark.django_db(transaction=True)
def test_the_first_call_begins_the_transaction_and_leaving_it_ends_it():
    with transaction.atomic():
        (inside,) = send(Call("txid_current()::bigint", []))
        assert send(Call("txid_current()::bigint", [])) == (inside,)
        transaction.set_rollback(True)
    assert send(Call("txid_current()::bigint", [])) != (inside,)
    assert connection.get_autocommit() and not connection.in_atomic_block


@pytest.mark.django_db
def test_a_statement_is_prepared_again_when_the_driver_has_let_the_server_forget_all():
    call = Call("concat(%s::text)", ["x"])
    send(call)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert send(call) == ("x",)


@pytest.mark.django_db
def test_an_error_of_the_server_is_djangos_with_what_broke():
    with pytest.raises(ProgrammingError, match="there is no ledger transaction"), transaction.atomic():
        send(Call("ledger_answer(%s, '{}'::jsonb, '', NULL)", [10**12]))
    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        send(Call("gateway_charge(%s::json)", ['[{"visit_id": null}]']))
    assert broken.value.__cause__.diag.table_name == "gateway_feeline"
    with pytest.raises(Moved), transaction.atomic():
        send(Call("wallet_move(%s, 1, 1, 'care', '2026-01-01', 1, NULL)", [10**12]))
    # The connection is as good as before.
    assert send(Call("concat('whole')", [])) == ("whole",)
