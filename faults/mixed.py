"""F5 with every verb that moves money at once, on the same few accounts: no deadlock, no error, sound books."""

import datetime
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from django.db import connection

from accounts.errors import Refused
from accounts.models import Enrolment, Region
from family.actions import grants
from family.models import SharingGrant
from faults import checker, clients, locks, places, world
from faults.outcome import Outcome
from settlements.actions import credit_runs, crediting, leaving, premiums, wallet
from settlements.models import PremiumPayment, Settlement, WalletTransfer

THREADS, SECONDS = 10, 12.0
DAYS = range(-3, 4)


@dataclass
class Crowd:
    """What the threads share; `seen` counts what came of each act."""

    people: list[world.Insured]
    hospital_id: int
    region: Region
    until: float
    seen: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


@dataclass
class Turn:
    """One act of a thread: two people and a day by chance."""

    crowd: Crowd
    chance: random.Random

    def __post_init__(self) -> None:
        self.one, self.other = self.chance.sample(self.crowd.people, 2)
        self.on = world.BOUNDARY + self.chance.choice(DAYS) * world.DAY
        self.at = world.at(self.on, self.chance.randrange(6, 22))

    def settle(self) -> None:
        """A bill that relatives share."""
        clients.settle(clients.settle_act(self.one, self.crowd.hospital_id, self.on, "8.13"))

    def reverse(self) -> None:
        """Any bill that stands."""
        if made := Settlement.objects.filter(reversed_on=None).order_by("?").first():
            clients.reverse(clients.reverse_act(made.pk, self.crowd.hospital_id, self.on))

    def send(self) -> None:
        """One yuan on its way."""
        facts = {"sender": self.one.member, "receiver": self.other.member, "at": self.at, "key": uuid.uuid4().hex}
        wallet.transfer(**facts, amount=Decimal("1.00"))

    def accept(self) -> None:
        """Whatever is on its way, or back at six."""
        if sent := WalletTransfer.objects.filter(state="pending").order_by("?").first():
            wallet.accept(transfer=sent, at=self.at)
        wallet.return_overdue(at=self.at)

    def pay_premium(self) -> None:
        """For a relative, out of the account or the wallet."""
        year = 2027 + self.chance.randrange(50)
        premium = premiums.Premium(amount=Decimal("2.00"), year=year, benefit_from=datetime.date(2027, 1, 1))
        facts = {"payer": self.one.member, "insured": self.other.member, "on": self.on}
        source = self.chance.choice(["account", "wallet"])
        premiums.pay(**facts, premium=premium, key=uuid.uuid4().hex, source=source)

    def give_back(self) -> None:
        """Any premium that stands."""
        if paid := PremiumPayment.objects.filter(refunded_on=None).order_by("?").first():
            premiums.refund(payment=paid, on=self.on)

    def credit(self) -> None:
        """One person's month."""
        enrolment = Enrolment.objects.select_related("member", "region").get(pk=self.one.enrolment.pk)
        crediting.credit(enrolment=enrolment, every="month", on=self.on)

    def credit_all(self) -> None:
        """Everybody's month."""
        if run := credit_runs.begin(region=self.crowd.region, every="month", on=self.on):
            credit_runs.work_next(run_id=run.pk)

    def meddle(self) -> None:
        """A grant paused or resumed."""
        grant = SharingGrant.objects.order_by("?").first()
        verb = grants.resume if grant.paused_at else grants.pause
        verb(grant=grant, by=None, at=self.at)

    def leave(self) -> None:
        """Out of the insurance, or back into it."""
        enrolment = Enrolment.objects.filter(member=self.one.member).latest("valid_from")
        if enrolment.status == "normal":
            leaving.leave(enrolment=enrolment, why="stopped", on=self.on - 40 * world.DAY, at=self.at)
        else:
            leaving.rejoin(enrolment=enrolment, on=enrolment.valid_from + world.DAY, at=self.at)


VERBS: list[tuple[Callable[[Turn], None], int]] = [
    (Turn.settle, 30), (Turn.reverse, 10), (Turn.send, 12), (Turn.accept, 12), (Turn.pay_premium, 10),
    (Turn.give_back, 5), (Turn.credit, 5), (Turn.credit_all, 5), (Turn.meddle, 6), (Turn.leave, 2),
]  # fmt: skip


def wander(crowd: Crowd, seed: int) -> str:
    """Act after act until the time is up."""
    chance = random.Random(seed)
    verbs, weights = zip(*VERBS, strict=True)
    while time.monotonic() < crowd.until:
        [verb] = chance.choices(verbs, weights)
        name = verb.__name__
        try:
            verb(Turn(crowd, chance))
            crowd.seen[name] += 1
        except Refused:
            crowd.seen["refused"] += 1
        except Exception as error:  # noqa: BLE001 - whatever else comes is a finding
            crowd.errors.append(f"{name}: {error!r}"[:300])
            connection.close()
    return ""


def all_at_once(seconds: float = SECONDS) -> Outcome:
    """Ten threads on six accounts."""
    places.fresh()
    people = [one for family in world.families(2) for one in family]
    for one in people:
        wallet.open_wallet(member=one.member, by=None, at=world.at(world.LAST_DAY))
    crowd = Crowd(people, world.institution().pk, world.region(), time.monotonic() + seconds)
    locks.at_once([partial(wander, crowd, seed) for seed in range(THREADS)])
    [(deadlocks,)] = places.execute(locks.DEADLOCKS)
    did = ", ".join(f"{count} {name}" for name, count in crowd.seen.most_common())
    outcome = Outcome(
        f"{did}; {deadlocks} deadlocks", [*crowd.errors, *checker.books(world.BOUNDARY + 120 * world.DAY)]
    )
    outcome.require(f"{deadlocks} deadlocks", deadlocks == 0)
    missing = [verb.__name__ for verb, _ in VERBS if not crowd.seen[verb.__name__]]
    outcome.require(f"never done: {', '.join(missing)}", not missing)
    return outcome
