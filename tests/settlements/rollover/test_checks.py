"""check_ledger finds nothing in sound books and each of these faults: a checker that cannot fail proves nothing."""

import datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Region
from settlements import tasks
from settlements.actions import care, regions
from settlements.ledger import books
from settlements.ledger.checks import CHECKS
from settlements.models import Settlement
from tests.people import make_institution, make_member
from tests.settlements.rollover.world import YEAR, faults, release_run, work_to_the_end, yuan
from tests.support.ledger import move, open_account

IN_MAY = datetime.date(2026, 5, 10)
IN_JULY = datetime.date(2026, 7, 10)


def bill(amount: str, level: str = "tertiary") -> care.Bill:
    return care.Bill(kind="outpatient", level=level, in_scope=yuan(amount))


@pytest.fixture
def world(db):
    """Shanghai before the boundary: an account with two bills, one of them reversed, one behind, one in debt."""
    regions.load([path for path in regions.region_files() if path.stem == "310000"])
    region = Region.objects.get(pk="310000")
    patient = make_member(region=region)
    account = open_account(patient, region, YEAR, "2000.00", "9000.00")
    open_account(make_member(region=region), region, YEAR - 1, "300.00", "40.00")
    open_account(make_member(region=region), region, YEAR, "20.00", "0.00", "70.00")
    hospital = make_institution(region=region)
    care.settle(patient=patient, institution=hospital, bill=bill("1200.00"), on=IN_MAY, key="a")
    second = care.settle(patient=patient, institution=hospital, bill=bill("3000.00"), on=IN_MAY, key="b")
    care.reverse(settlement=second, on=IN_MAY, key="c")
    release_run(region, YEAR - 1)
    run = release_run(region)
    return region, account, hospital, patient, run


def found() -> set[str]:
    """Which checks complain. Foreign keys are looked at first: what they catch needs no checker."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return {finding.check.name for finding in faults(IN_JULY)}


def write(sql: str, *parameters: object) -> None:
    """A write that the triggers would refuse: what a thief with the owner's password, or a broken disk, might do."""
    tables = ["entry", "settlement", "settlementpayer", "ledgertransaction", "credit"]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE settlements_{table} DISABLE TRIGGER USER")
        cursor.execute(sql, parameters)
        assert cursor.rowcount > 0
        for table in tables:
            cursor.execute(f"ALTER TABLE settlements_{table} ENABLE TRIGGER USER")


def test_sound_books_before_and_after_the_rollover(world, capsys):
    region, account, hospital, patient, run = world
    assert found() == set()
    care.settle(patient=patient, institution=hospital, bill=bill("100.00"), on=IN_JULY, key="d")
    settled = Settlement.objects.get(transaction__key="a")
    care.reverse(settlement=settled, on=IN_JULY, key="e")
    assert found() == set()
    work_to_the_end(run)
    assert found() == set()
    call_command("check_ledger")
    lines = capsys.readouterr().out.splitlines()
    assert "all checks passed" in lines[-1]
    assert all(line.endswith(": ok") for line in lines[:-1])


def test_the_command_ends_with_1_and_names_what_differs(world, capsys):
    account = world[1]
    write("UPDATE settlements_personalaccount SET historical = historical + 0.01 WHERE id = %s", account.pk)
    with pytest.raises(SystemExit) as ended:
        call_command("check_ledger")
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    assert "I1   money is conserved: accounts = sum by contra: FAIL 1" in printed
    assert f"account_id {account.pk}" in printed


def test_no_lazy_roll(world, monkeypatch):
    """A movement of the new year that takes the old row as it stands spends last year's current."""
    region, account, hospital, patient, run = world
    monkeypatch.setattr(books, "roll", lambda account_id, on: 0)
    care.settle(patient=patient, institution=hospital, bill=bill("100.00"), on=IN_JULY, key="d")
    assert "a movement lies in a year that has not ended" in found()


def test_a_chunk_counted_twice(world):
    run = world[-1]
    work_to_the_end(run)
    run.chunks.update(accounts=2 * run.chunks.get().accounts, moved=2 * run.chunks.get().moved)
    assert found() == {"chunks add up with their entries"}


def broken(old: str, new: str) -> None:
    """The batch's function with a fault in it, until the test's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('rollover_chunk'::regproc)")
        (text,) = cursor.fetchone()
        assert old in text
        cursor.execute(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "current = 0, historical = n.historical",
            "current = n.historical, historical = 0",
            {"an account's row is its last entry"},
            id="left in the wrong bucket",
        ),
        pytest.param(
            "current = 0, historical = n.historical",
            "current = 0, historical = a.historical",
            {"money is conserved: accounts = sum by contra", "an account's row is its last entry"},
            id="taken from current and not put anywhere",
        ),
        pytest.param(
            "FROM rolled r, cause WHERE interest <> 0",
            "FROM rolled r, cause WHERE false",
            {"money is conserved: accounts = sum by contra", "versions have no gap"},
            id="interest paid and not booked",
        ),
        pytest.param(
            "SET benefit_year = closing.year,",
            "SET benefit_year = closing.year + 1,",
            {"every year passed was closed"},
            id="a year skipped",
        ),
        pytest.param(
            "'', NULL, current_products, historical_products",
            "'', NULL, historical_products, current_products",
            {"interest is rate times products"},
            id="products of one bucket at the rate of the other",
        ),
        pytest.param(
            "done = behind.accounts = visit.accounts",
            "done = true",
            {"a chunk that is done left nobody behind"},
            id="done with somebody left behind",
        ),
        pytest.param(
            "moved = c.moved + visit.moved",
            "moved = c.moved + visit.moved + 0.01",
            {"chunks add up with their entries"},
            id="one fen too much in the totals",
        ),
    ],
)
def test_a_broken_batch(world, old, new, expected):
    run = world[-1]
    broken(old, new)
    if "done" in old:
        broken("BETWEEN behind.year + 1", "BETWEEN todo.year + 1")
    work_to_the_end(run)
    assert expected <= found()


def insert_entry(account, **changes: object) -> None:
    last = account.entries.order_by("-version").values().first()
    row = {**last, "version": last["version"] + 1, **changes}
    columns = ", ".join(row)
    write(
        f"INSERT INTO settlements_entry ({columns}) VALUES ({', '.join(['%s'] * len(row))})",
        *row.values(),
    )


def test_a_year_closed_twice(world):
    region, account, *_, run = world
    work_to_the_end(run)
    nothing = {"current_delta": 0, "historical_delta": 0, "debt_delta": 0}
    insert_entry(account, kind="rollover", contra="", contra_id=None, benefit_year=YEAR, **nothing)
    assert {"a year of an account is closed once", "entries lie in the order of their years"} <= found()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE settlements_entry SET current_delta = current_delta + 0.01 WHERE kind = 'care'",
         "each balance follows from the one before"),
        ("UPDATE settlements_ledgertransaction SET answer = NULL WHERE key = 'a'", "every key has its answer"),
        ("DELETE FROM settlements_entry WHERE version = 2 AND kind = 'care'", "versions have no gap"),
        ("UPDATE settlements_settlementpayer SET historical = historical + 1", "the legs of a bill are its entries"),
        ("UPDATE settlements_settlement SET shared = shared + 1, fund = fund - 1 WHERE fund > 1",
         "a bill adds up with its legs"),
        ("UPDATE settlements_usage SET amount = amount + 0.01 WHERE counter = 'deductible'",
         "counters are what standing bills counted"),
        ("UPDATE settlements_settlement SET reversed_on = '2026-05-11' WHERE reversed_on IS NULL",
         "reversed once, and whole"),
        ("UPDATE settlements_ledgertransaction SET refused = 'frozen' WHERE key = 'a'", "a refusal moved nothing"),
        ("UPDATE settlements_ledgertransaction SET kind = 'credit' WHERE key = 'a'",
         "one settlement for each settled key"),
        ("""UPDATE settlements_ledgertransaction SET answer = '{"settlement": 0}' WHERE key = 'a'""",
         "one settlement for each settled key"),
        ("UPDATE settlements_entry SET transaction_id = 0 WHERE kind = 'care'", "every key names a row"),
        ("UPDATE settlements_settlement SET patient_id = 0", "every key names a row"),
        ("UPDATE settlements_ledgertransaction SET reverses_id = NULL WHERE kind = 'reversal'",
         "reversed once, and whole"),
        ("UPDATE settlements_entry SET contra = 'contribution' WHERE kind = 'care'",
         "an entry's kind, cause and other side belong together"),
        ("UPDATE settlements_entry SET contra_id = contra_id + 1 WHERE kind = 'care'",
         "money for care goes to the institution of the bill"),
        ("UPDATE settlements_settlement SET shared = shared + 1, own_current = own_current - 1 WHERE own_current > 1",
         "a bill adds up with its legs"),
        ("UPDATE settlements_settlementpayer SET member_id = (SELECT max(id) FROM accounts_member)",
         "a bill is paid by the patient and those who share with him"),
        ("UPDATE settlements_personalaccount SET current_products = current_products + 0.01 WHERE version > 1",
         "products are balance times days"),
        ("UPDATE settlements_personalaccount SET products_on = products_on - 1 WHERE version > 1",
         "products are balance times days"),
    ],
)  # fmt: skip
def test_a_tampered_row(world, sql, expected):
    write(sql)
    assert expected in found()


@pytest.mark.parametrize(
    ("table", "constraint", "sql", "expected"),
    [
        ("entry", "entry_balanced_by_form", "UPDATE settlements_entry SET contra = '' WHERE kind = 'care'",
         "every entry is balanced by its form"),
        ("personalaccount", "account_never_negative",
         "UPDATE settlements_personalaccount SET current = -0.01 WHERE version > 1", "nothing is negative"),
        ("usage", "usage_never_negative", "UPDATE settlements_usage SET amount = -0.01", "nothing is negative"),
    ],
)  # fmt: skip
def test_a_row_that_the_table_itself_would_refuse(world, table, constraint, sql, expected):
    """The table's own rule may be gone, after a restore by hand or a migration that forgot it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE settlements_{table} DROP CONSTRAINT {constraint}")
    write(sql)
    assert expected in found()


def test_a_closed_year_that_left_something_behind(world):
    run = world[-1]
    work_to_the_end(run)
    write(
        "UPDATE settlements_entry SET current_delta = current_delta + 1, historical_delta = historical_delta - 1"
        " WHERE kind = 'rollover' AND current_delta < -1"
    )
    assert "current of a closed year went out whole" in found()


def test_each_check_has_been_seen_to_find_something():
    """A check that no test has seen fail may be one that cannot."""
    tests = "".join(file.read_text() for file in Path(__file__).parents[2].rglob("test_*.py"))
    assert [check.name for check in CHECKS if f'"{check.name}"' not in tests] == []


def test_products_of_a_closed_year(world):
    """Interest by wrong products is right by its rate: only counting the days again shows it."""
    run = world[-1]
    work_to_the_end(run)
    write("UPDATE settlements_entry SET historical_products = historical_products + 1 WHERE kind = 'rollover'")
    assert "products are balance times days" in found()


def test_a_credit_of_another_amount_than_its_row(world):
    move(world[1], IN_MAY, historical=yuan("10.00"))
    assert found() == set()
    write("UPDATE settlements_credit SET amount = 9.99")
    assert found() == {"credits are what was booked"}


def test_money_made_up_by_a_credit_that_stands_for_no_period(world):
    move(world[1], IN_MAY, historical=yuan("10.00"))
    write("DELETE FROM settlements_credit")
    assert found() == {"credits are what was booked"}


def test_money_given_back_for_no_bill(world):
    move(world[1], IN_MAY, historical=yuan("10.00"))
    write("DELETE FROM settlements_credit")
    for table in ("ledgertransaction", "entry"):
        write(f"UPDATE settlements_{table} SET kind = 'reversal' WHERE kind = 'credit'")
    write("UPDATE settlements_entry SET contra = 'institution' WHERE kind = 'reversal'")
    assert found() == {"reversed once, and whole"}


def test_what_a_member_brought_along_is_told_apart(world):
    region, account, hospital, patient, run = world
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO settlements_usage (member_id, benefit_year, counter, amount)"
            " VALUES (%s, 2025, 'stay', 100.00), (%s, 2025, 'opening:stay', 100.00)",
            [patient.pk, patient.pk],
        )
    assert found() == set()


def test_a_shown_balance_that_loses_money(world):
    """The one definition itself broken: it forgets the interest in what it shows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('account_closed'::regproc)")
        source = cursor.fetchone()[0]
        broken_source = source.replace("GREATEST((net + gain), ", "GREATEST(net, ").replace(
            "greatest(net + gain, 0)", "greatest(net, 0)"
        )
        assert broken_source != source
        cursor.execute(broken_source)
    assert "the shown balance is the rolled one" in found()


def test_the_nightly_check_raises_an_alarm(world, caplog, monkeypatch):
    monkeypatch.setattr(tasks.check_one, "delay", tasks.check_one)
    tasks.check_ledger()
    assert "ledger:" not in caplog.text
    write("UPDATE settlements_personalaccount SET historical = historical + 0.01 WHERE id = %s", world[1].pk)
    tasks.check_ledger()
    assert "ledger: I1 money is conserved: accounts = sum by contra: 1 rows" in caplog.text
