"""G5: ten and twenty times as many tills as the web server has threads, none of which pauses. Whoever cannot be served in
time is told so at once, nothing breaks, and it is over when they go."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connections

from faults import places, reckoning, tills, told, web, world
from faults.outcome import Outcome
from faults.unanswered import accounts, crew

PROCESSES, SECONDS, QUIET_SECONDS = 4, 8.0, 6.0
FAMILIES, VISITS = 40, 6000
# Who is told to come again in a moment does so after so many seconds.
PAUSE = 0.1
# Of the calls that were let in: how much slower than for a till that is alone.
MOST_TIMES_SLOWER = 10
BUSY = b"[busy]"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'faults' AND usename = 'portal'"


@dataclass
class Timed:
    """A line that notes how long each call took, and whether it was told to come again."""

    line: tills.Way
    let_in: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)

    def __call__(self, body: bytes, headers: dict[str, str]) -> bytes:
        began = time.monotonic()
        text = self.line(body, headers)
        (self.turned_away if BUSY in text else self.let_in).append(time.monotonic() - began)
        return text


@dataclass
class Pace:
    """What a phase came to: seconds of each answer, what was lost, what failed, and how long it was."""

    let_in: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    lost: int = 0
    errors: int = 0
    seconds: float = 0.0

    @property
    def p99(self) -> float:
        """Seconds below which 99 of 100 calls that were let in were answered."""
        return percentile(self.let_in, 0.99)

    @property
    def a_second(self) -> float:
        """Calls let in."""
        return len(self.let_in) / self.seconds

    def told(self) -> str:
        """For the table."""
        away = f", {len(self.turned_away)} turned away" if self.turned_away else ""
        if self.turned_away:
            away += f" in {percentile(self.turned_away, 0.5) * 1000:.0f} ms (99 of 100: "
            away += f"{percentile(self.turned_away, 0.99) * 1000:.0f})"
        middle = statistics.median(self.let_in) * 1000 if self.let_in else 0
        return f"{self.a_second:.0f}/s, {middle:.0f} ms (99 of 100: {self.p99 * 1000:.0f}){away}"


def percentile(values: Sequence[float], share: float) -> float:
    """0 of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def till_day(till: tills.Till, visits: Sequence[tills.Visit], end: float) -> None:
    """Two looks at a person, a quote, a settlement; without a pause."""
    for number in count():
        visit = visits[number % len(visits)]
        who = {"data": {name: value for name, value in visit.patient.shown.items() if name.startswith("mdtrt")}}
        calls: list[tuple[str, Any]] = [("1101", who), ("1101", who), ("2206", visit.bill), ("2207", visit.bill)]
        # Once the visits are used up there are only looks left; a settled one cannot be quoted.
        for infno, given in calls if number < len(visits) else calls[:2]:
            if time.monotonic() >= end:
                return
            till.ask(infno, given)


def _client(
    number: int, clients: int, site: web.Site, shop: tills.Shop, visits: list[Any], logs: Path, seconds: float, out: Any
) -> None:
    """A process's share of the clients, a thread each."""
    connections.close_all()
    mine = range(number, clients, PROCESSES)
    made = [
        tills.Till(
            shop, Timed(tills.Wire(site.address)), told.Log(logs / f"{one}.log", durable=False), lambda: site.ahead, PAUSE
        )
        for one in mine
    ]  # fmt: skip
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=till_day, args=(till, visits[one::clients], end))
        for one, till in zip(mine, made, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ways = [till.way for till in made if isinstance(till.way, Timed)]
    out.put(Pace(
        [taken for way in ways for taken in way.let_in], [taken for way in ways for taken in way.turned_away],
        sum(till.lost for till in made), sum(till.errors for till in made), seconds,
    ))  # fmt: skip


@dataclass
class Rush:
    """A site, and the visits that are left to be settled at it."""

    site: web.Site
    shop: tills.Shop
    visits: list[tills.Visit]
    logs: Path
    phases: int = 0

    def let_loose(self, clients: int, seconds: float, share: float, beside: Callable[[], None] | None = None) -> Pace:
        """So many clients for so long, on a share of the visits; `beside` is called now and then."""
        self.phases += 1
        most = int(len(self.visits) * share)
        mine, self.visits = self.visits[:most], self.visits[most:]
        folder = self.logs / f"{self.phases}"
        processes, out = crew(
            min(PROCESSES, clients), _client, clients, self.site, self.shop, mine, folder, seconds
        )  # fmt: skip
        end = time.monotonic() + seconds
        while beside and time.monotonic() < end:
            beside()
            time.sleep(0.25)
        paces = [out.get(timeout=seconds + tills.PATIENCE + 30) for _ in processes]
        for process in processes:
            process.join(10)
        return Pace(
            [taken for pace in paces for taken in pace.let_in], [taken for pace in paces for taken in pace.turned_away],
            sum(pace.lost for pace in paces), sum(pace.errors for pace in paces), seconds,
        )  # fmt: skip

    def told(self) -> list[told.Line]:
        """What all clients of all phases were told."""
        return [line for phase in range(1, self.phases + 1) for line in told.read(self.logs / f"{phase}")]


def overload() -> Outcome:
    """Quiet, ten times the threads, twenty times, quiet again."""
    places.fresh()
    families = world.families(FAMILIES)
    people = tills.patients(one for family in families for one in family)
    noon, sessions = world.at(world.LAST_DAY), [0]
    visits, shop = tills.stock(people, VISITS, noon), tills.open_shop()

    def look() -> None:
        [(found,)] = places.execute(SESSIONS)
        sessions[0] = max(sessions[0], int(str(found)))

    with web.serve(places.scratch("overload-web"), noon) as site:
        rush, threads = Rush(site, shop, visits, places.scratch("overload")), web.WORKERS * web.THREADS
        rush.let_loose(threads, 3.0, 0.1)
        loose = partial(rush.let_loose, beside=look)
        paces = [loose(1, QUIET_SECONDS, 0.2), loose(threads, SECONDS / 2, 0.2)]
        paces += [
            loose(threads * 10, SECONDS, 0.4),
            loose(threads * 20, SECONDS, 0.9),
            loose(1, QUIET_SECONDS / 2, 1.0),
        ]
    quiet, full, ten, twenty, after = paces
    slower = max(ten.p99, twenty.p99) / quiet.p99
    names = ["alone", f"{threads} tills", f"{threads * 10}", f"{threads * 20}", "alone again"]
    outcome = Outcome(
        "; ".join(f"{name}: {pace.told()}" for name, pace in zip(names, paces, strict=True))
        + f"; {slower:.1f} times slower, {sessions[0]} sessions",
        reckoning.check(rush.told(), accounts(families), world.LAST_DAY),
    )
    outcome.require("an answer was lost", not any(pace.lost for pace in paces))
    outcome.require("the portal failed", not any(pace.errors for pace in paces))
    outcome.require(f"{sessions[0]} sessions for {threads} threads", sessions[0] <= threads)
    outcome.require("nobody was turned away", bool(ten.turned_away and twenty.turned_away))
    outcome.require(f"{slower:.1f} times slower", slower < MOST_TIMES_SLOWER)
    outcome.require("it collapsed", min(ten.a_second, twenty.a_second) > full.a_second / 2)
    outcome.require(
        "it did not recover",
        after.p99 < MOST_TIMES_SLOWER * quiet.p99 and len(after.turned_away) < len(after.let_in) / 50,
    )
    return outcome
