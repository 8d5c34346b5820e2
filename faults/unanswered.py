"""Answers that never reach the till: the till hangs up, or the web server's process dies once it has committed. The till
asks again with the same msgid, or has undone (2601) what it does not know the fate of."""

import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections

from faults import places, reckoning, tills, told, web, world
from faults.outcome import Outcome

TILLS, SECONDS, CUT, DEATHS, KILL_EVERY = 4, 12.0, 0.25, 0.01, 3.0
AMOUNTS = ["8.13", "39.99", "120.07", "361.55"]


@dataclass
class Seen:
    """What a till did besides its bills: `undone_unseen` corrections of bills whose answer it never saw."""

    undone_unseen: int = 0
    repeated: int = 0


def work(till: tills.Till, people: Sequence[tills.Patient], seconds: float, seed: int) -> Seen:
    """Visits or sales, one after the other, by chance: settled, asked again, reversed, corrected; until the time is up and,
    on a busy machine, until there was one of what is looked for."""
    chance, end, seen = random.Random(seed), time.monotonic() + seconds, Seen()
    late(till, till.customer(chance.choice(people), chance.choice(AMOUNTS)))
    while time.monotonic() < end or not (seen.undone_unseen and seen.repeated):
        bill(till, till.customer(chance.choice(people), chance.choice(AMOUNTS)), chance, seen)
    return seen


def late(till: tills.Till, visit: tills.Visit | tills.Sale) -> None:
    """A settlement that comes only after it was corrected; and one that two corrections are sent for."""
    msgid = till.msgid()
    till.ask("2601", tills.correction(visit, msgid))
    till.ask(visit.settles, visit.bill, msgid=msgid)
    till.ask(visit.settles, visit.bill, msgid=(second := till.msgid()))
    till.ask("2601", tills.correction(visit, second))
    till.ask("2601", tills.correction(visit, second))


def hung_up(till: tills.Till, visit: tills.Visit | tills.Sale, msgid: str) -> None:
    """Sent once, and the answer never heard."""
    way = till.way
    assert isinstance(way, tills.Wire | tills.Straight)
    before, way.cut = way.cut, 1.0
    till.ask(visit.settles, visit.bill, msgid=msgid, patience=0)
    way.cut = before


def bill(till: tills.Till, visit: tills.Visit | tills.Sale, chance: random.Random, seen: Seen) -> None:
    """One of them. The first of each till, and some later, it has undone without having heard what became of it."""
    msgid, dice = till.msgid(), chance.random()
    if dice < 0.3 or not seen.undone_unseen:
        hung_up(till, visit, msgid)
        till.ask("2601", tills.correction(visit, msgid))
        seen.undone_unseen += 1
        return
    answer = till.ask(visit.settles, visit.bill, msgid=msgid)
    if dice < 0.55:
        seen.repeated += till.ask(visit.settles, visit.bill, msgid=msgid) == answer
    elif dice < 0.7 and answer and not answer["infcode"]:
        till.ask(visit.reverses, tills.reversal(answer))
    elif dice > 0.85:
        till.ask("2601", tills.correction(visit, msgid))


def _client(number: int, site: web.Site, shops: Any, people: Any, folder: Path, seconds: float, out: Any) -> None:
    wire = tills.Wire(site.address, CUT, seed=number)
    till = tills.Till(shops[number % len(shops)], wire, told.Log(folder / f"till-{number}.log"), lambda: site.ahead)
    seen = work(till, people, seconds, seed=number)
    out.put([till.answers, till.lost, till.busy, till.errors, seen.undone_unseen, seen.repeated, wire.cuts])


def crew(count: int, start: Callable[..., None], *args: Any) -> tuple[list[Any], Any]:
    """So many tills in processes of their own, `start(number, *args, out)` in each; and the queue of what they counted."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    out = fork.Queue()
    processes = [fork.Process(target=start, args=(number, *args, out), daemon=True) for number in range(count)]
    for process in processes:
        process.start()
    return processes, out


def answers_lost_to_tills() -> Outcome:
    """Who asks again is told what was done, who has it undone has nothing left of it; nobody pays twice."""
    places.fresh()
    families = world.families(6)
    shops, folder = [tills.open_shop(), tills.open_shop(world.pharmacy())], places.scratch("unanswered")
    people = tills.patients(one for family in families for one in family)
    with web.serve(places.scratch("unanswered-web"), world.at(world.LAST_DAY, 9)) as site:
        site.die(DEATHS)
        processes, out = crew(TILLS, _client, site, shops, people, folder, SECONDS)
        end, killed = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            time.sleep(KILL_EVERY)
            killed += site.kill_one()
        site.die(0)
        for process in processes:
            process.join(tills.PATIENCE + 60)
        counts = [sum(column) for column in zip(*(out.get(timeout=5) for _ in processes), strict=True)]
    answers, lost, busy, errors, unseen, repeated, cuts = counts
    outcome = Outcome(
        f"{answers} answers, {lost} lost ({cuts} hung up on, the others with a process that died: {killed} killed from"
        f" outside, more after a commit), {unseen} undone unseen, {repeated} asked again, {busy} told to come later",
        reckoning.check(told.read(folder), accounts(families), world.LAST_DAY),
    )
    outcome.require("a till died", all(process.exitcode == 0 for process in processes))
    outcome.require("too few answers were lost", cuts > 10 and lost > cuts)
    outcome.require("nothing was undone unseen", unseen >= TILLS)
    outcome.require("nothing was asked again", repeated > 0)
    outcome.require(f"{errors} times the portal failed", errors == 0)
    return outcome


def accounts(families: Sequence[Sequence[world.Insured]]) -> list[list[int]]:
    """Their ids, for the reckoning."""
    return [[one.account.pk for one in family] for family in families]
