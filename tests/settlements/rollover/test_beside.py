"""While a rollover runs, everything else goes on and is right: bills, reversals, statements, bindings, on real connections.

Each of them keeps its own log of what it was told; at the end the accounts hold what the logs say, and check_ledger finds
nothing. Bounded in time: each does so many acts and stops.
"""

import datetime
import itertools
import threading
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connections

from family.actions import sharing
from family.models import SharingGrant
from settlements.actions import care, rollover, rollover_work, statements
from settlements.domain import pacing
from settlements.enums import RunState
from settlements.models import Entry, PersonalAccount, RolloverRun, Settlement
from tests.family.support import AT, make_rules
from tests.people import make_member
from tests.settlements.rollover.world import BOUNDARY, FIRST_DAY, LAST_DAY, YEAR, at, faults, release_run
from tests.settlements.scene import Scene, make_scene, open_with
from tests.support.ledger import open_many

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = AT.date()
ACCOUNTS, CHUNK, ACTS = 400, 4, 25
PATIENCE = 60
_keys = itertools.count(1)


class Beside:
    """Threads with connections of their own; what goes wrong in one is told to the test."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.threads: list[threading.Thread] = []

    def start(self, act: Callable[[], None]) -> None:
        def run() -> None:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
                self.errors.append(f"{act}: {error!r}")
            finally:
                connections.close_all()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self.threads), "one of them hangs"
        assert self.errors == []


def settle(scene: Scene, patient, on: datetime.date, amount: str = "120.00") -> Settlement:
    bill = care.Bill(kind="outpatient", level=scene.institution.level, in_scope=Decimal(amount))
    key = f"beside-{next(_keys)}"
    return care.settle(patient=patient, institution=scene.institution, bill=bill, on=on, key=key)


def work(run: RolloverRun) -> Callable[[], None]:
    """A worker: what movements hold is come back for."""

    def roll() -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            outcome = rollover_work.work(run_id=run.pk, seconds=PATIENCE)
            if outcome in (rollover_work.Outcome.FINISHED, rollover_work.Outcome.STOPPED):
                return
            time.sleep(0.01)
        raise TimeoutError("the batch does not end")

    return roll


@pytest.mark.fault
def test_bills_reversals_statements_and_bindings_beside_a_rollover(settings, monkeypatch):
    settings.ROLLOVER_CHUNK_SIZE = CHUNK
    # Slowly, so that everything else really happens beside it.
    settings.ROLLOVER_BUSY = -1
    monkeypatch.setattr(pacing, "MOST_MS", 100)
    scene = make_scene(on=LAST_DAY, current="9000.00", historical="30000.00", fathers_name="沈某梁")
    make_rules(scene.region)
    payers = [make_member(region=scene.region) for _ in range(6)]
    accounts = [open_with(payer, scene.region, FIRST_DAY, "3000.00", "9000.00", True) for payer in payers]
    parents = [make_member(region=scene.region) for _ in range(ACTS)]
    children = [
        make_member(f"苗某{number}", datetime.date(2020, 2, 2), region=scene.region, insurance="resident")
        for number in range(ACTS)
    ]
    before = [settle(scene, payers[n % 3], LAST_DAY, "60.00") for n in range(ACTS)]
    open_many(scene.region, YEAR, ACCOUNTS, FIRST_DAY)
    run = rollover.begin(run=release_run(scene.region), at=at(BOUNDARY))
    moved: dict[int, Decimal] = {account.pk: Decimal(0) for account in accounts}
    for one in before:
        moved[accounts[payers.index(one.patient)].pk] -= one.own_current + one.own_historical
    told = threading.Lock()

    def note(account: PersonalAccount, amount: Decimal) -> None:
        with told:
            moved[account.pk] += amount

    def bills() -> None:
        for n in range(ACTS):
            place = n % len(payers)
            settled = settle(scene, payers[place], TODAY)
            note(accounts[place], -(settled.own_current + settled.own_historical))

    def reversals() -> None:
        """Of bills of the year that is being closed: what came from current goes to historical."""
        for one in before:
            care.reverse(settlement=one, on=TODAY, key=f"beside-{next(_keys)}")
            note(accounts[payers.index(one.patient)], one.own_current + one.own_historical)

    def shared() -> None:
        for _ in range(ACTS):
            settle(scene, scene.father.member, TODAY, "40.00")

    def told_on_paper() -> None:
        for _ in range(5):
            account = PersonalAccount.objects.select_related("region", "member").get(pk=scene.account.pk)
            whole = {"start": LAST_DAY - datetime.timedelta(days=30), "end": TODAY}
            body = statements.export_csv(account=account, **whole, by=scene.daughter, at=AT)
            last = body.decode("utf-8-sig").splitlines()[-1].split(",")
            # Whatever moment it was told at: after the year's end nothing of the old year's current is left.
            assert Decimal(last[-3]) == 0 < Decimal(last[-2])

    def bindings() -> None:
        for parent, child in zip(parents, children, strict=True):
            sharing.bind(grantor=parent, beneficiary=child, relation="child", at=AT)

    beside = Beside()
    for act in (bills, reversals, shared, told_on_paper, bindings, work(run), work(run)):
        beside.start(act)
    beside.join()

    run = rollover.finish(run=RolloverRun.objects.get(), at=at(TODAY))
    assert (run.state, run.totals["agrees"]) == (RunState.RECONCILED, True)
    everybody = ACCOUNTS + len(accounts) + 2
    assert run.totals["batch"]["accounts"] + run.totals["otherwise"]["accounts"] == everybody
    assert 0 < run.totals["otherwise"]["accounts"] <= len(accounts) + 2
    assert Entry.objects.filter(kind="rollover").count() == everybody
    assert PersonalAccount.objects.filter(benefit_year=YEAR).count() == 0
    # By the logs: opening, less what was paid, plus what came back, plus the interest of the closed year.
    for account in accounts:
        interest = sum(entry.historical_delta for entry in account.entries.filter(kind="interest"))
        account.refresh_from_db()
        assert (account.current, account.historical) == (0, Decimal("12000.00") + moved[account.pk] + interest)
    assert Settlement.objects.exclude(reversed_on=None).count() == ACTS
    assert SharingGrant.objects.filter(beneficiary__in=children).count() == ACTS
    assert faults(TODAY) == []
