"""Visits to hospitals and pharmacies at plausible prices: planned from a seed, settled through the real action."""

import datetime
import random
from dataclasses import dataclass
from decimal import Decimal

from accounts.errors import Refused
from accounts.models import Institution, Member
from settlements.actions import care
from settlements.models import Settlement

FIRST_DAYS = 5
REVERSED = 0.02
# How often a person goes in the year; about four on average.
TIMES = [1, 2, 3, 4, 4, 5, 6, 7]


@dataclass
class Visit:
    """One bill of the person at a place in the family; amounts in yuan."""

    on: datetime.date
    who: int
    kind: str
    institution: str
    in_scope: Decimal
    pre_self_pay: Decimal
    self_paid: Decimal
    reversed_on: datetime.date | None
    key: str


def plan(family, rng: random.Random, institutions, start: datetime.date, today: datetime.date) -> None:
    """Give each of a family its visits between two days."""
    for who, person in enumerate(family.people):
        last = min(person.suspended_on or today, today) - datetime.timedelta(days=1)
        days = (last - start).days - FIRST_DAYS
        for number in range(rng.choice(TIMES) if person.visits is None else person.visits):
            on = start + datetime.timedelta(days=FIRST_DAYS + rng.randint(0, days))
            key = f"seed-{family.number}-{who}-{number}"
            family.visits.append(one(rng, person, who, on, today, institutions[person.region], key))


def one(rng: random.Random, person, who: int, on: datetime.date, today: datetime.date, places, key: str) -> Visit:
    """A bill: residents come to pharmacies only, for no region file holds another scheme for them."""
    kind = "pharmacy"
    if person.insurance == "employee":
        chances = [50, 47, 3 if person.region == "310000" else 0]
        kind = rng.choices(["pharmacy", "outpatient", "inpatient"], chances)[0]
    total = price(rng, kind)
    self_paid = share(total, rng.choice([0, 0, 0, 0, 5, 10, 20]))
    pre_self_pay = share(total, rng.choice([0, 0, 0, 4, 8])) if kind != "pharmacy" else Decimal(0)
    undone = on + datetime.timedelta(days=rng.randint(0, 4)) if rng.random() < REVERSED else None
    return Visit(
        on=on,
        who=who,
        kind=kind,
        institution=rng.choice([code for code, of in places if (of == "pharmacy") == (kind == "pharmacy")]),
        in_scope=total - self_paid - pre_self_pay,
        pre_self_pay=pre_self_pay,
        self_paid=self_paid,
        reversed_on=min(undone, today) if undone else None,
        key=key,
    )


def price(rng: random.Random, kind: str) -> Decimal:
    """Yuan: at a pharmacy 20 to 300, outpatients 80 to 1,500, a stay 4,000 to 38,000; small bills are the most."""
    low, high, most = {"pharmacy": (20, 300, 60), "outpatient": (80, 1500, 220), "inpatient": (4000, 38000, 9000)}[kind]
    return Decimal(round(rng.triangular(low * 100, high * 100, most * 100))) / 100


def share(total: Decimal, percent: int) -> Decimal:
    """A part of a bill, to the fen."""
    return (total * percent / 100).quantize(Decimal("0.01"))


def settle(visit: Visit, person, institutions: dict[str, Institution]) -> Settlement | None:
    """Settle a planned visit; None where the region refuses it, which is kept as an answer like any other."""
    institution = institutions[visit.institution]
    bill = care.Bill(
        kind=visit.kind,
        level=institution.level,
        in_scope=visit.in_scope,
        pre_self_pay=visit.pre_self_pay,
        self_paid=visit.self_paid,
    )
    patient = Member(pk=person.member_id)
    try:
        return care.settle(patient=patient, institution=institution, bill=bill, on=visit.on, key=visit.key)
    except Refused:
        return None


def reverse(visit: Visit, institutions: dict[str, Institution]) -> None:
    """The institution takes the bill back."""
    scope = f"institution:{institutions[visit.institution].pk}"
    settled = Settlement.objects.filter(transaction__scope=scope, transaction__key=visit.key).first()
    if settled is not None:
        care.reverse(settlement=settled, on=visit.reversed_on, key=f"{visit.key}-back")
