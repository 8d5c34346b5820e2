"""Deliberate defects, each put in by a patch in this process alone: a checker that finds none of them proves nothing."""

import itertools
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import DatabaseError, IntegrityError, connection, transaction

from faults import checker, clients, clocks, locks, machine, places, reckoning, tills, told, unanswered, world
from faults.outcome import Outcome
from faults.tills import Straight, Till, open_shop, patients
from gateway.actions import corrections, messages
from gateway.models import GatewayMessage, VisitSettlement
from settlements import ledger
from settlements.actions import care, quoting, rollover, rollover_work
from settlements.domain import assessment
from settlements.enums import EntryKind
from settlements.ledger import batch, books
from settlements.models import RolloverChunk

# -- ways of finding: each gives what it found, and nothing in a sound portal


def by_model() -> list[str]:
    """Some stories against the model."""
    world.institution()
    try:
        machine.play(examples=25, steps=25, shrink=False, seed=True)
    except (AssertionError, IntegrityError) as error:
        return [repr(error)[:200]]
    return []


def by_paper() -> list[str]:
    """A bill worked out on paper: above the deductible of 100.00 the fund pays 33.35 percent of 2.00, which is 0.667."""
    patient, hospital = world.insure("0.00", "0.00"), world.institution()
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("102.00"))
    quoted = care.quote(patient=patient.member, institution=hospital, bill=bill, on=world.LAST_DAY)
    return [] if quoted.fund == Decimal("0.67") else [f"the fund pays {quoted.fund}, not 0.67"]


def by_log() -> list[str]:
    """A client who repeats himself, and the log of what he was told."""
    hospital = world.institution()
    people = world.family(("60.37", "20.11"), ("0.00", "400.05"), ("15.50", "90.02"))
    with tempfile.TemporaryDirectory() as folder:
        asker = clients.Asker(told.Log(Path(folder) / "client.log"), patience=3)
        for amount in clients.AMOUNTS:
            act = clients.settle_act(people[0], hospital.pk, world.LAST_DAY, amount)
            asker.ask(act)
            asker.ask(act)
            asker.ask(clients.credit_act(people[1], world.LAST_DAY))
        return checker.check(told.read(Path(folder)), world.LAST_DAY)


def by_books() -> list[str]:
    """Bills, then a year's end by the batch, in a transaction that leaves nothing behind; the books against themselves."""
    hospital = world.institution()
    with transaction.atomic():
        people = world.family(("60.37", "20.11"), ("0.00", "400.05"))
        for patient in people:
            act = clients.settle_act(patient, hospital.pk, world.LAST_DAY, "361.55")
            clients.settle(act)
        run = rollover.begin(run=world.release_run(), at=world.at(world.BOUNDARY))
        rollover_work.roll_next(run_id=run.pk)
        found = checker.books(world.BOUNDARY)
        transaction.set_rollback(True)
    return found


def by_fight() -> list[str]:
    """Several at once on one fen."""
    return locks.fight_for_the_last_fen(8)


def by_crowd() -> list[str]:
    """Relatives at once, crosswise; a deadlock is what is looked for."""
    hospital = world.institution()
    people = world.family(("60.37", "900.11"), ("10.00", "400.05"), ("15.50", "300.02"))
    end = time.monotonic() + 3

    def pay(patient: world.Insured) -> str:
        while time.monotonic() < end:
            try:
                clients.settle(clients.settle_act(patient, hospital.pk, world.LAST_DAY, "8.13"))
            except DatabaseError as error:
                return repr(error)[:80]
        return ""

    return [outcome for outcome in locks.at_once([partial(pay, one) for one in people * 2]) if outcome]


def by_tills() -> list[str]:
    """Tills whose answers are lost, a third of them: they ask again, or have undone what they do not know."""
    family = world.family(("60.37", "900.11"), ("0.00", "400.05"))
    with tempfile.TemporaryDirectory() as folder, clocks.going_on_from(world.at(world.LAST_DAY, 9)) as ahead:
        till = Till(open_shop(), Straight(cut=0.33), told.Log(Path(folder) / "till.log"), lambda: ahead)
        chance, people = random.Random(1), patients(family)
        try:
            unanswered.late(till, till.visit(people[0], "39.99"))
            for number in range(10):
                unanswered.bill(till, till.visit(people[number % 2], "39.99"), chance, unanswered.Seen())
        except tills.Stranded as error:
            return [str(error)]
        return reckoning.check(told.read(Path(folder)), unanswered.accounts([family]), world.LAST_DAY)


# -- defects


@contextmanager
def wrong_bucket_order() -> Iterator[None]:
    """Relatives pay before the patient's own account."""

    def allocate(decision: Any, own: Any, sources: Any, wallet: Any) -> Any:
        payers = {item: tuple(reversed(row)) for item, row in decision.payers.items()}
        return real(replace(decision, payers=payers), own, sources, wallet)

    real = quoting.allocate
    with mock.patch.object(quoting, "allocate", allocate):
        yield


@contextmanager
def no_lazy_roll() -> Iterator[None]:
    """A movement of the new year takes the row as it stands."""
    with mock.patch.object(books, "roll", lambda account_id, on: 0):
        yield


@contextmanager
def no_replay() -> Iterator[None]:
    """The same key is a new request each time."""
    real, number = ledger.once, itertools.count(1)
    with mock.patch.object(ledger, "once", lambda **asked: real(**{**asked, "key": f"{asked['key']}-{next(number)}"})):
        yield


@contextmanager
def no_funds_check() -> Iterator[None]:
    """What is not there is paid all the same."""
    real = quoting.allocate

    def allocate(decision: Any, own: Any, sources: Any, wallet: Any) -> Any:
        return real(decision, {bucket: amount + 1000 for bucket, amount in own.items()}, sources, wallet)

    with mock.patch.object(quoting, "allocate", allocate):
        yield


@contextmanager
def no_funds_check_at_all() -> Iterator[None]:
    """Nor does the database refuse it: its CHECKs are gone (until the transaction that looks is rolled back)."""
    real = world.family

    def family(*balances: tuple[str, str]) -> Any:
        people = real(*balances)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass"
                "::text IN ('settlements_personalaccount', 'settlements_entry')"
            )
            for table, name in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        return people

    with no_funds_check(), mock.patch.object(world, "family", family):
        yield


@contextmanager
def wrong_rounding() -> Iterator[None]:
    """Fractions of a fen are cut off."""

    def fen(amount: Any) -> Decimal:
        return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal("0.01"), ROUND_DOWN)

    with mock.patch.object(assessment, "fen", fen):
        yield


@contextmanager
def double_chunk() -> Iterator[None]:
    """A chunk is rolled twice, as by a batch that does not look which year an account is in."""
    real = batch.roll_next

    def roll_next(run_id: int, most: int | None = None) -> Any:
        visit = real(run_id, most)
        if visit is not None:
            chunk = RolloverChunk.objects.filter(run=run_id, accounts__gt=0).latest("done_at")
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE settlements_personalaccount SET benefit_year = benefit_year - 1 WHERE id BETWEEN %s AND %s",
                    [chunk.first_id, chunk.last_id],
                )
            batch.roll_chunk(chunk.pk)
        return visit

    with mock.patch.object(batch, "roll_next", roll_next):
        yield


@contextmanager
def commit_lost() -> Iterator[None]:
    """Every fifth COMMIT never reaches the disk, and nobody is told."""
    real, number = connection._commit, itertools.count(1)

    def commit() -> Any:
        return connection._rollback() if next(number) % 5 == 0 else real()

    with mock.patch.object(connection, "_commit", commit):
        yield


@contextmanager
def broken_function(name: str, old: str, new: str) -> Iterator[None]:
    """A function of the database with a place in it replaced, for everybody, until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [name])
        (real,) = cursor.fetchone()
        assert old in real
        cursor.execute(real.replace(old, new))
        try:
            yield
        finally:
            cursor.execute(real)


@contextmanager
def any_lock_order() -> Iterator[None]:
    """Accounts are locked as they come."""
    row = "current numeric, historical numeric, debt numeric, contra text, contra_id bigint"
    loop = f"{row}\n    ) LOOP"
    with broken_function("ledger_post", loop, f"{row}\n    ) ORDER BY random() LOOP PERFORM pg_sleep(0.002);"):
        yield


@contextmanager
def decided_before_the_lock() -> Iterator[None]:
    """What an account holds is read, and under its lock nobody looks whether it still does."""
    held = "AND a.historical >= coalesce(move.least, 0) AND a.historical <= coalesce(move.most, a.historical)"
    with broken_function("ledger_post", held, ""):
        yield


@contextmanager
def msgid_not_honoured() -> Iterator[None]:
    """The gateway takes the same msgid for a new call each time."""

    def once(message: Any, given: Any) -> Any:
        with transaction.atomic():
            return messages._act(message, given, None)

    with mock.patch.object(messages, "_once", once):
        yield


@contextmanager
def undone_twice() -> Iterator[None]:
    """A second correction does not see the mark of the first, and gives the money back once more, past the ledger's own
    guards."""
    real, looked = corrections._undo, corrections._original

    def undo(institution: Any, msgid: str, omsgid: str, psn_no: str, at: Any) -> Any:
        known = real(institution, msgid, omsgid, psn_no, at)
        return known or _give_back(VisitSettlement.objects.select_related("settlement").get(msgid=omsgid), msgid)

    def unmarked(institution: Any, omsgid: str) -> Any:
        found = looked(institution, omsgid)
        if found and found.outcome == corrections.CORRECTED and found.request_hash:
            found.outcome = GatewayMessage.OK
        return found

    with mock.patch.object(corrections, "_undo", undo), mock.patch.object(corrections, "_original", unmarked):
        yield


def _give_back(known: VisitSettlement, msgid: str) -> VisitSettlement:
    settlement = known.settlement
    payers, on = list(settlement.payers.all()), world.LAST_DAY

    def work(transaction_id: int) -> dict[str, Any]:
        accounts = [payer.account_id for payer in payers]
        opened = ledger.open(patient_id=settlement.patient_id, years=[], account_ids=accounts, on=on)
        back = [care._back(payer, opened.accounts[payer.account_id], settlement) for payer in payers]
        opened.post(transaction_id, back)
        return {}

    ledger.once(
        scope=f"institution:{settlement.institution_id}", key=msgid, request={}, kind=EntryKind.REVERSAL, on=on,
        region_id=world.REGION, by_id=None, work=work,
    )  # fmt: skip
    return known


@contextmanager
def late_original_let_in() -> Iterator[None]:
    """A correction of what never came leaves nothing behind by which it would be known when it comes."""
    with mock.patch.object(corrections, "_bar", lambda *_asked: None):
        yield


@dataclass(frozen=True)
class Defect:
    """What is put in, and by which way it must be found."""

    name: str
    put_in: Callable[[], AbstractContextManager[None]]
    way: Callable[[], list[str]]


DEFECTS = [
    Defect("wrong bucket order", wrong_bucket_order, by_model),
    Defect("no lazy roll", no_lazy_roll, by_model),
    Defect("no replay of the kept answer", no_replay, by_model),
    Defect("no replay, as the log sees it", no_replay, by_log),
    Defect("no funds check", no_funds_check, by_model),
    Defect("no funds check, nor one in the database", no_funds_check_at_all, by_books),
    Defect("wrong rounding", wrong_rounding, by_paper),
    Defect("a chunk rolled twice", double_chunk, by_books),
    Defect("a commit that is lost", commit_lost, by_log),
    Defect("locks in any order", any_lock_order, by_crowd),
    Defect("decided before the lock", decided_before_the_lock, by_fight),
    Defect("a msgid that is not honoured", msgid_not_honoured, by_tills),
    Defect("undone twice", undone_twice, by_tills),
    Defect("a late original is let in", late_original_let_in, by_tills),
]
WAYS = [by_model, by_paper, by_log, by_books, by_fight, by_crowd, by_tills]


def all_caught() -> Outcome:
    """Every way finds nothing in the portal as it is, and each defect is found."""
    outcome = Outcome(f"{len(DEFECTS)} defects, {len(WAYS)} ways of finding them")
    for way in WAYS:
        places.fresh()
        outcome.findings += [f"{way.__name__} finds without any defect: {found}" for found in way()]
    for defect in DEFECTS:
        places.fresh()
        with defect.put_in():
            found = defect.way()
        outcome.require(f"not found: {defect.name}", bool(found))
    return outcome
