"""Families of several shapes: who lives together, who shares with whom. Made from a seed, nothing written."""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from portal.seeding.people import EMPLOYERS, Names, Person
from portal.seeding.visits import Visit

SHARES = {"310000": 40, "110000": 26, "210100": 16, "410100": 18}
WHOLE_YEARS = datetime.timedelta(days=365)


@dataclass
class Bind:
    """One shares with another from a day on: their places in the family, and what the beneficiary is to the grantor."""

    on: datetime.date
    grantor: int
    beneficiary: int
    relation: str
    limit: Decimal | None = None


@dataclass
class Family:
    """People whose accounts may meet in one bill: one process does all of them, in the order of the days."""

    number: int
    region: str
    people: list[Person] = field(default_factory=list)
    binds: list[Bind] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    stage: str = ""


def yuan(low: int, high: int, rng: random.Random) -> Decimal:
    """An amount with fen."""
    return Decimal(rng.randint(low * 100, high * 100)) / 100


class Builder:
    """Builds one family after the other."""

    def __init__(self, rng: random.Random, start: datetime.date, today: datetime.date) -> None:
        self.rng, self.start, self.today = rng, start, today
        self.names = Names(rng)
        self.numbers = 0

    def family(self, region: str | None = None, shape: Callable[["Builder", Family], None] | None = None) -> Family:
        """A family of a shape, by chance where none is given."""
        made = self.empty(region or self.rng.choices(list(SHARES), list(SHARES.values()))[0])
        (shape or self.rng.choices([one for one, _ in SHAPES], [weight for _, weight in SHAPES])[0])(self, made)
        return made

    def empty(self, region: str) -> Family:
        """A family with a number of its own and nobody in it yet."""
        self.numbers += 1
        return Family(self.numbers, region)

    # -- people ------------------------------------------------------------------------------------------------------

    def add(self, family: Family, sex: str, birth: datetime.date, surname: str = "", **facts: Any) -> int:
        """Puts somebody into the family; his place in it."""
        names, region = self.names, family.region
        family.people.append(
            Person(
                name=names.name(sex, surname),
                sex=sex,
                birth=birth,
                region=region,
                id_number=names.id_number(region, birth, sex),
                card_number=names.card(region),
                signed=self.rng.random() < 0.3,
                **facts,
            )
        )
        return len(family.people) - 1

    def worker(self, family: Family, sex: str, surname: str = "", ages: tuple[int, int] = (24, 54), **more: Any) -> int:
        facts: dict[str, Any] = {
            "phone": self.names.phone(),
            "base": Decimal(self.rng.randrange(5000, 30000, 50)),
            "employer": self.rng.choice(EMPLOYERS),
            "opening": self.opening(family.region, poor=self.rng.random() < 0.3),
        }
        return self.add(family, sex, self.names.birth(self.today, *ages), surname, **facts | more)

    def retired(self, family: Family, sex: str, surname: str = "", ages: tuple[int, int] = (61, 84)) -> int:
        birth = self.names.birth(self.today, *ages)
        facts: dict[str, Any] = {
            "phone": self.names.phone(),
            "personal_status": "retired",
            "retired_on": min(birth + 60 * WHOLE_YEARS, self.start - datetime.timedelta(days=40)),
            "opening": self.opening(family.region, poor=self.rng.random() < 0.7),
            "has_login": self.rng.random() < 0.6,
        }
        return self.add(family, sex, birth, surname, **facts)

    def resident(self, family: Family, sex: str, surname: str = "", ages: tuple[int, int] = (1, 15)) -> int:
        """Insured as a resident, without an account: a child, or an old person who was never employed."""
        grown = ages[0] >= 16
        facts = {"insurance": "resident", "phone": self.names.phone() if grown else None, "has_login": False}
        return self.add(family, sex, self.names.birth(self.today, *ages), surname, **facts)

    def opening(self, region: str, poor: bool) -> tuple[Decimal, Decimal]:
        """What is on the account on the first day; regions with one pot have all of it in the second."""
        historical = yuan(0, 160, self.rng) if poor else yuan(300, 9000, self.rng)
        return (yuan(0, 600, self.rng) if region == "310000" and not poor else Decimal(0)), historical

    # -- sharing -----------------------------------------------------------------------------------------------------

    def bind(self, family: Family, grantor: int, beneficiary: int, relation: str) -> None:
        """Most have been sharing since before the year that is shown."""
        earlier = self.rng.random() < 0.7
        away = self.rng.randint(10, 300)
        days = (self.today - self.start).days - 40
        on = (
            self.start - datetime.timedelta(days=away) if earlier else self.start + datetime.timedelta(days=away % days)
        )
        # Nobody shares with a child that is not born yet.
        on = max(on, family.people[beneficiary].birth + datetime.timedelta(days=40))
        limit = Decimal(self.rng.randrange(500, 6000, 500)) if self.rng.random() < 0.3 else None
        family.binds.append(Bind(on, grantor, beneficiary, relation, limit))


def single(builder: Builder, family: Family) -> None:
    builder.worker(family, builder.rng.choice("MF"))


def couple(builder: Builder, family: Family) -> tuple[int, int]:
    return builder.worker(family, "M", ages=(28, 54)), builder.worker(family, "F", ages=(28, 52))


def sharing_couple(builder: Builder, family: Family) -> None:
    man, woman = couple(builder, family)
    builder.bind(family, man, woman, "spouse")


def with_child(builder: Builder, family: Family) -> None:
    man, woman = couple(builder, family)
    child = builder.resident(family, builder.rng.choice("MF"), family.people[man].surname)
    builder.bind(family, man, child, "child")
    if family.region == "110000":
        builder.bind(family, woman, child, "child")


def with_two_children(builder: Builder, family: Family) -> None:
    man, woman = couple(builder, family)
    for grantor in (man, woman):
        child = builder.resident(family, builder.rng.choice("MF"), family.people[man].surname)
        builder.bind(family, grantor, child, "child")


def three_generations(builder: Builder, family: Family) -> None:
    man, woman = couple(builder, family)
    surname = family.people[man].surname
    child = builder.resident(family, builder.rng.choice("MF"), surname)
    father = builder.retired(family, "M", surname)
    mother = builder.resident(family, "F", ages=(60, 82))
    builder.bind(family, woman, child, "child")
    builder.bind(family, man, father, "parent")
    builder.bind(family, man, mother, "parent")


def lone_parent(builder: Builder, family: Family) -> None:
    parent = builder.worker(family, "F", ages=(28, 48))
    builder.bind(family, parent, builder.resident(family, builder.rng.choice("MF")), "child")


def old_couple(builder: Builder, family: Family) -> None:
    father = builder.retired(family, "M")
    builder.bind(family, father, builder.resident(family, "F", ages=(58, 84)), "spouse")


def siblings(builder: Builder, family: Family) -> None:
    older = builder.worker(family, builder.rng.choice("MF"))
    younger = builder.worker(family, builder.rng.choice("MF"), family.people[older].surname)
    builder.bind(family, older, younger, "sibling")


def with_grandchild(builder: Builder, family: Family) -> None:
    grandmother = builder.retired(family, "F", ages=(58, 75))
    builder.bind(family, grandmother, builder.resident(family, builder.rng.choice("MF")), "grandchild")


def suspended(builder: Builder, family: Family) -> None:
    """His employer stopped paying two months ago: relatives cannot use his account meanwhile."""
    since = (builder.today - datetime.timedelta(days=62)).replace(day=1)
    worker = builder.worker(family, "M", suspended_on=since)
    builder.bind(family, worker, builder.resident(family, "F"), "child")


def waiting(builder: Builder, family: Family) -> None:
    """For an application at a window: a daughter or son with an account, a parent without login."""
    worker = builder.worker(family, builder.rng.choice("MF"), ages=(30, 50))
    builder.resident(family, builder.rng.choice("MF"), family.people[worker].surname, ages=(62, 80))


SHAPES: list[tuple[Callable[[Builder, Family], Any], int]] = [
    (single, 14),
    (couple, 7),
    (sharing_couple, 10),
    (with_child, 18),
    (with_two_children, 8),
    (three_generations, 16),
    (lone_parent, 8),
    (old_couple, 8),
    (siblings, 6),
    (with_grandchild, 4),
    (suspended, 2),
]
