"""Clients: each asks, retries with the same key until there is an answer, and logs what it was told."""

import multiprocessing
import random
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection, connections

from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member
from accounts.money import plain
from faults import world
from faults.told import Line, Log
from settlements.actions import care, crediting
from settlements.models import Settlement

PATIENCE = 60.0
AMOUNTS = ["8.13", "39.99", "120.07", "361.55"]


def settle(act: Line) -> Line:
    """Do it, and say what a client sees of it."""
    bill = care.Bill(kind="outpatient", level=act["level"], in_scope=Decimal(act["amount"]), self_paid=Decimal("1.01"))
    made = care.settle(
        patient=Member(pk=act["patient"]),
        institution=Institution.objects.get(pk=act["institution"]),
        bill=bill,
        on=date.fromisoformat(act["on"]),
        key=act["key"],
    )
    parts = ("fund", "own_current", "own_historical", "shared", "cash")
    payers = {str(payer.account_id): plain(payer.current + payer.historical) for payer in made.payers.all()}
    return {"settlement": made.pk, **{part: plain(getattr(made, part)) for part in parts}, "payers": payers}


def reverse(act: Line) -> Line:
    """The same of a reversal."""
    back = care.reverse(
        settlement=Settlement.objects.get(pk=act["settlement"]), on=date.fromisoformat(act["on"]), key=act["key"]
    )
    returned = {str(account): [plain(current), plain(historical)] for account, (current, historical) in back.items()}
    return {"settlement": act["settlement"], "returned": returned}


def credit(act: Line) -> Line:
    """The same of a month's credit."""
    enrolment = Enrolment.objects.select_related("member", "region").get(pk=act["enrolment"])
    given = crediting.credit(enrolment=enrolment, every="month", on=date.fromisoformat(act["on"]))
    return {"amount": plain(given.current + given.historical + given.debt_repaid)}


VERBS: dict[str, Callable[[Line], Line]] = {"settle": settle, "reverse": reverse, "credit": credit}


def settle_act(patient: world.Insured, institution_id: int, on: date, amount: str, level: str = "tertiary") -> Line:
    """What to ask, in plain values."""
    return {
        "verb": "settle", "scope": f"institution:{institution_id}", "key": uuid.uuid4().hex, "on": on.isoformat(),
        "institution": institution_id, "patient": patient.member.pk, "amount": amount, "level": level,
    }  # fmt: skip


def reverse_act(settlement_id: int, institution_id: int, on: date) -> Line:
    """What to ask, in plain values."""
    return {
        "verb": "reverse", "scope": f"institution:{institution_id}", "key": uuid.uuid4().hex, "on": on.isoformat(),
        "settlement": settlement_id,
    }  # fmt: skip


def credit_act(one: world.Insured, on: date) -> Line:
    """What to ask, in plain values."""
    return {
        "verb": "credit", "account": one.account.pk, "enrolment": one.enrolment.pk, "on": on.isoformat(),
        "period": f"{on:%Y-%m}",
    }  # fmt: skip


@dataclass
class Asker:
    """Asks until there is an answer. `retries` counts lost connections, `deadlocks` what the server broke off."""

    log: Log
    retries: int = 0
    deadlocks: int = 0
    answers: int = 0
    settled: list[tuple[Line, Line]] = field(default_factory=list)
    patience: float = PATIENCE

    def ask(self, act: Line) -> Line | None:
        """The answer; None for a refusal or a failure, which stand in the log."""
        self.log.write("asked", act)
        end = time.monotonic() + self.patience
        while True:
            try:
                answer = VERBS[act["verb"]](act)
            except Refused as refusal:
                self.answers += 1
                self.log.write("refused", act, code=refusal.code)
                return None
            except (OperationalError, InterfaceError) as error:
                if getattr(error.__cause__, "sqlstate", None) == "40P01":
                    self.deadlocks += 1
                connection.close()
                self.retries += 1
                if time.monotonic() > end:
                    self.log.write("failed", act, error=f"nothing for {self.patience:.0f} s: {error!r}")
                    return None
                time.sleep(0.02)
            except Exception as error:  # noqa: BLE001 - whatever else a client gets is a finding
                if isinstance(error, Error):
                    connection.close()
                self.log.write("failed", act, error=repr(error))
                return None
            else:
                self.answers += 1
                self.log.write("told", act, answer=answer)
                if act["verb"] == "settle":
                    self.settled.append((act, answer))
                return answer


@dataclass(frozen=True)
class Plan:
    """What a client does all day. `days`: on which days it asks, chosen by chance."""

    people: list[world.Insured]
    institution_id: int
    days: list[date]
    seconds: float
    pause: float = 0.0


def wander(asker: Asker, plan: Plan, seed: int) -> None:
    """Bills, reversals, credits and repeated questions by chance, until the time is up."""
    chance = random.Random(seed)
    end = time.monotonic() + plan.seconds
    while time.monotonic() < end:
        asker.ask(_next(asker, plan, chance))
        if plan.pause:
            time.sleep(plan.pause)


def _next(asker: Asker, plan: Plan, chance: random.Random) -> Line:
    on, dice = chance.choice(plan.days), chance.random()
    if asker.settled and dice < 0.12:
        return chance.choice(asker.settled)[0]
    if asker.settled and dice < 0.30:
        return reverse_act(chance.choice(asker.settled)[1]["settlement"], plan.institution_id, on)
    if dice < 0.40:
        return credit_act(chance.choice(plan.people), on + timedelta(days=31 * chance.randrange(4)))
    amount, level = chance.choice(AMOUNTS), chance.choice(["primary", "tertiary"])
    return settle_act(chance.choice(plan.people), plan.institution_id, on, amount, level)


@dataclass
class Crew:
    """Clients in processes of their own; `wait` gives what they counted."""

    processes: list[Any]
    counts: Any

    def wait(self) -> dict[str, int]:
        """Join all; a client that died counts as `dead`."""
        total = {"answers": 0, "retries": 0, "deadlocks": 0, "dead": 0}
        for process in self.processes:
            process.join(PATIENCE + 60)
            if process.exitcode != 0:
                total["dead"] += 1
                process.kill()
        while not self.counts.empty():
            for name, number in self.counts.get().items():
                total[name] += number
        return total


def send(count: int, folder: Path, plan: Plan, prepare: Callable[[int], None] | None = None) -> Crew:
    """Start so many clients; `prepare(number)` runs first in each, to spoil its clock or its line."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    counts = fork.Queue()
    processes = [
        fork.Process(target=_client, args=(number, folder, plan, prepare, counts), daemon=True)
        for number in range(count)
    ]
    for process in processes:
        process.start()
    return Crew(processes, counts)


def _client(number: int, folder: Path, plan: Plan, prepare: Callable[[int], None] | None, counts: Any) -> None:
    if prepare:
        prepare(number)
    asker = Asker(Log(folder / f"client-{number}.log"))
    wander(asker, plan, seed=number)
    counts.put({"answers": asker.answers, "retries": asker.retries, "deadlocks": asker.deadlocks})
    connections.close_all()


def side_by_side(acts: Iterable[Callable[[], None]]) -> list[Any]:
    """Other work in processes of its own."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=act, daemon=True) for act in acts]
    for process in processes:
        process.start()
    return processes
