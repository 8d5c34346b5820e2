"""F5: relatives who all share with each other, at once, in every order; and many at once on the last fen of one account."""

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from django.db import connections
from django.db.models import F

from accounts.errors import Refused
from family.actions import grants
from family.models import SharingGrant
from faults import checker, clients, places, told, world
from faults.outcome import Outcome
from settlements.models import PersonalAccount, Settlement

CLIENTS, SECONDS = 8, 8.0
CROWD_AT_ONCE = 50
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def meddle(grant_ids: list[int], seconds: float) -> None:
    """Grants paused, resumed and limited while bills use them."""
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        grant = SharingGrant.objects.get(pk=grant_ids[turn % len(grant_ids)])
        at = world.at(world.BOUNDARY)
        verb = grants.resume if grant.paused_at else grants.pause
        verb(grant=grant, by=None, at=at)
        grants.adjust(grant=grant, by=None, at=at, limit=Decimal(50 + turn % 3 * 500))
        turn += 1


def crosswise() -> Outcome:
    """No deadlock, and every answer right, with two families in which everybody shares with everybody."""
    places.fresh()
    people = [one for family in world.families(2) for one in family]
    hospital = world.institution()
    folder = places.scratch("locks")
    # Some are rolled by the movement itself.
    days = [world.LAST_DAY, world.BOUNDARY]
    crew = clients.send(CLIENTS, folder, clients.Plan(people, hospital.pk, days, SECONDS))
    grants = list(SharingGrant.objects.values_list("pk", flat=True))
    [other] = clients.side_by_side([lambda: meddle(grants, SECONDS)])
    counts = crew.wait()
    other.join(30)
    [(deadlocks,)] = places.execute(DEADLOCKS)
    outcome = Outcome(
        f"{CLIENTS} clients on {len(people)} accounts, {counts['answers']} answers, {deadlocks} deadlocks",
        checker.check(told.read(folder), world.BOUNDARY + 120 * world.DAY),
    )
    outcome.require(f"{deadlocks} deadlocks", deadlocks == 0 and counts["deadlocks"] == 0)
    outcome.require("connections were lost", counts["retries"] == 0)
    outcome.require("a client died", counts["dead"] == 0 and other.exitcode == 0)
    outcome.require("hardly anything happened", counts["answers"] > 100)
    return outcome


def at_once(acts: list[Callable[[], str]]) -> list[str]:
    """Each in a thread with a connection of its own, all let go at the same moment; what came of each."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int) -> None:
        try:
            connections["default"].ensure_connection()
            start.wait(60)
            outcomes[number] = acts[number]()
        except Refused as refused:
            outcomes[number] = refused.code
        except Exception as error:  # noqa: BLE001 - told to the caller
            outcomes[number] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def fight_for_the_last_fen(many: int = CROWD_AT_ONCE) -> list[str]:
    """So many relatives at once, each with a bill of one fen, on an account that has one fen to give."""
    hospital = world.institution()
    grantor = world.insure("0.00", "5.01")
    others = [world.insure("0.00", "0.00") for _ in range(many)]
    for other in others:
        world.share(grantor, other)

    def pay(other: world.Insured) -> str:
        act = clients.settle_act(other, hospital.pk, world.LAST_DAY, "0.01")
        bill = clients.care.Bill(kind="outpatient", level="primary", in_scope=Decimal("0.01"))
        made = clients.care.settle(
            patient=other.member, institution=hospital, bill=bill, on=world.LAST_DAY, key=act["key"]
        )
        return f"{made.shared} shared, {made.cash} cash"

    outcomes = at_once([partial(pay, other) for other in others])
    expected = ["0.00 shared, 0.01 cash"] * (many - 1) + ["0.01 shared, 0.00 cash"]
    found = [] if sorted(outcomes) == expected else [f"they were told {sorted(set(outcomes))}"]
    left = PersonalAccount.objects.get(pk=grantor.account.pk).historical
    winners = Settlement.objects.annotate(due=F("shared")).filter(due__gt=0, patient__in=[o.member.pk for o in others])
    if (left, winners.count()) != (Decimal("5.00"), 1):
        found.append(f"{winners.count()} were paid for, {left} is left")
    return found + checker.books(world.LAST_DAY)


def last_fen() -> Outcome:
    """Exactly one gets it."""
    places.fresh()
    return Outcome(f"{CROWD_AT_ONCE} at once on the last fen", fight_for_the_last_fen())
