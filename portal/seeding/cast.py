"""The people whose logins the demo prints: always the same, whatever the seed. Invented, like all others."""

import datetime
from decimal import Decimal
from typing import Any

from accounts.domain import id_number
from portal.seeding.families import Bind, Builder, Family
from portal.seeding.people import Person

DAY = datetime.date
SHANGHAI, BEIJING = "310000", "110000"


def _number(area: str, year: int, month: int, day: int, order: int) -> str:
    return id_number.make(area, DAY(year, month, day), order)


MEMBER = ("沈嘉树", _number("310104", 1985, 3, 12, 117))
WIFE = ("方若晴", _number("310110", 1986, 8, 2, 224))
FATHER = ("沈守诚", _number("310104", 1956, 6, 1, 31))
MOTHER = ("梁桂芳", _number("310104", 1958, 11, 20, 48))
DAUGHTER = ("沈小禾", _number("310104", 2018, 5, 20, 86))
BROTHER_IN_LAW = ("方明远", _number("310110", 1990, 1, 15, 139))
# Whom the rest of the demo leaves alone: what happens to these is told.
NUMBERS = {number for _name, number in (MEMBER, WIFE, FATHER, DAUGHTER, BROTHER_IN_LAW)}
ORDERS = ("韩雪", _number("110108", 1998, 12, 6, 62))
HER_FATHER = ("韩立国", _number("110108", 1969, 4, 9, 15))
HER_MOTHER = ("周敏", _number("110105", 1970, 9, 27, 108))
HER_BROTHER = ("韩松", _number("110108", 1995, 2, 18, 77))
UNCLAIMED = ("罗静姝", _number("410105", 1991, 7, 7, 244))
UNCLAIMED_CARD, UNCLAIMED_PHONE = "ZZ9000001", "13800004101"
RARE = ("𬘭䶮", _number("210102", 1979, 10, 1, 190))


def families(builder: Builder) -> list[Family]:
    """A family in Shanghai, one in Beijing, and two people alone."""
    return [
        _shanghai(builder),
        _beijing(builder),
        _alone(builder, "410100", _unclaimed()),
        _alone(builder, "210100", _rare()),
    ]


def has_examples(family: Family) -> bool:
    """Whether what happens to somebody of the family is told."""
    return any(person.id_number in NUMBERS for person in family.people)


# Whose own money is to be used up, so that the relatives' share is seen, goes more often than others.
def _person(who: tuple[str, str], region: str, phone: str | None, **facts: Any) -> Person:
    name, number = who
    return Person(
        name=name,
        sex=id_number.sex_of(number),
        birth=id_number.birth_of(number),
        region=region,
        id_number=number,
        card_number=f"Z{number[6:14]}{number[14:17]}",
        phone=phone,
        **facts,
    )


def _money(current: str, historical: str) -> tuple[Decimal, Decimal]:
    return Decimal(current), Decimal(historical)


def _shanghai(builder: Builder) -> Family:
    family = builder.empty(SHANGHAI)
    work = {"base": Decimal("14800.00"), "employer": "示例软件有限公司"}
    family.people = [
        _person(MEMBER, SHANGHAI, "13800003101", opening=_money("412.36", "6280.55"), visits=5, **work),
        _person(WIFE, SHANGHAI, "13800003102", opening=_money("188.20", "3519.08"), visits=4, **work),
        _person(
            FATHER, SHANGHAI, "13800003103", opening=_money("0.00", "86.40"), visits=24,
            personal_status="retired", retired_on=DAY(2016, 6, 30),
        ),
        _person(MOTHER, SHANGHAI, "13800003104", insurance="resident", has_login=False, visits=6),
        _person(DAUGHTER, SHANGHAI, None, insurance="resident", has_login=False, visits=4),
        _person(BROTHER_IN_LAW, SHANGHAI, "13800003105", opening=_money("120.00", "4902.77"), visits=2, **work),
    ]  # fmt: skip
    before = builder.start - datetime.timedelta(days=120)
    family.binds = [
        Bind(before, 0, 2, "parent", Decimal("3000.00")),
        Bind(before, 0, 4, "child"),
        Bind(builder.start + datetime.timedelta(days=60), 0, 3, "parent", Decimal("2000.00")),
    ]
    family.stage = "cast"
    return family


def _beijing(builder: Builder) -> Family:
    family = builder.empty(BEIJING)
    work = {"base": Decimal("9600.00"), "employer": "示例设计院"}
    family.people = [
        _person(ORDERS, BEIJING, "13800001101", opening=_money("0.00", "35.10"), visits=14, base=Decimal("6400.00")),
        _person(HER_FATHER, BEIJING, "13800001102", opening=_money("0.00", "4105.90"), visits=3, **work),
        _person(HER_MOTHER, BEIJING, "13800001103", opening=_money("0.00", "1260.00"), visits=3, **work),
        _person(HER_BROTHER, BEIJING, "13800001104", opening=_money("0.00", "780.25"), visits=2, **work),
    ]
    first = builder.start - datetime.timedelta(days=90)
    family.binds = [
        Bind(first, 1, 0, "child"),
        Bind(first + datetime.timedelta(days=30), 2, 0, "child", Decimal("1500.00")),
        Bind(builder.start + datetime.timedelta(days=45), 3, 0, "sibling"),
    ]
    family.stage = "order"
    return family


def _unclaimed() -> Person:
    """Has not claimed her record yet: for whoever wants to try that. Needs no family and no bill."""
    person = _person(UNCLAIMED, "410100", UNCLAIMED_PHONE, opening=_money("0.00", "655.00"), has_login=False)
    person.card_number, person.base = UNCLAIMED_CARD, Decimal("5200.00")
    return person


def _rare() -> Person:
    return _person(RARE, "210100", "13800002101", opening=_money("0.00", "1333.10"), base=Decimal("7000.00"))


def _alone(builder: Builder, region: str, person: Person) -> Family:
    family = builder.empty(region)
    family.people = [person]
    return family
