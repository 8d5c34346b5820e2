"""A small world without a database: one patient of a region, his grantors, and his bills one after the other."""

import datetime
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from accounts.money import ZERO
from settlements.domain.allocation import OWN, Candidate, allocate, order_sources
from settlements.domain.assessment import Claim, Step, assess
from settlements.domain.parameters import Person
from settlements.domain.region_file import RegionFile, load_region_text

ROOT = Path(__file__).parents[3]
SHANGHAI, BEIJING, SHENYANG, ZHENGZHOU = "310000", "110000", "210100", "410100"
HANGZHOU, TENGZHOU, SUZHOU, SHENZHEN, CHONGQING, VALLEY = "330100", "370481", "320500", "440300", "500000", "999001"
BORN = datetime.date(1985, 1, 1)


def file_of(code: str) -> Path:
    """The region's file, or that of a region which only the tests have."""
    own = ROOT / "regions" / f"{code}.toml"
    return own if own.exists() else ROOT / "tests" / "regions" / f"{code}.toml"


@cache
def region(code: str) -> RegionFile:
    return load_region_text(file_of(code).read_text("utf-8"), f"{code}.toml")


def version_on(versions: Any, on: datetime.date, **slot: str) -> Any:
    """The one version that holds on a day."""
    [found] = [
        version
        for version in versions
        if version.valid_from <= on
        and (version.valid_to is None or on < version.valid_to)
        and all(getattr(version, key) == value for key, value in slot.items())
    ]
    return found


def yuan(amounts: dict[str, str] | None) -> dict[str, Decimal]:
    return {key: Decimal(amount) for key, amount in (amounts or {}).items()}


@dataclass
class Patient:
    """Balances and counters of one benefit year, changed by each bill."""

    code: str
    person: Person
    insurance: str = "employee"
    own: dict[str, Decimal] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=dict)
    grantors: list[Candidate] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def bill(self, on: datetime.date, care: str, in_scope: str, **more: Any) -> dict[str, Any]:
        """Pay a bill of a kind of care and level ("outpatient tertiary"); what came out, zeros left out."""
        kind, level = care.split()
        extra = {key: Decimal(value) if key.endswith(("pay", "paid")) else value for key, value in more.items()}
        claim = Claim(person=self.person, level=level, in_scope=Decimal(in_scope), **extra)
        found = region(self.code)
        scheme = version_on(found.schemes, on, insurance=self.insurance, kind=kind).scheme
        decision = assess(scheme, claim, self.used, self.own, on)
        sources = ()
        if self.grantors:
            rules = version_on(found.sharing, on).rules
            sources = order_sources(rules.order, self.grantors, rules.keep)
        allocation = allocate(decision, self.own, sources)
        for counter, amount in decision.counters.items():
            self.used[counter] = self.used.get(counter, ZERO) + amount
        for bucket in self.own:
            self.own[bucket] -= allocation.paid(OWN, bucket)
        self.grantors = [
            replace(grantor, balance=grantor.balance - allocation.paid(grantor.grant)) for grantor in self.grantors
        ]
        self.steps += [*decision.steps, *allocation.steps]
        amounts = {
            "fund": decision.fund,
            "supplement": decision.supplement,
            "deductible": decision.deductible,
            "cash": allocation.cash,
            **{bucket: allocation.paid(OWN, bucket) for bucket in ("current", "historical")},
            **{grantor.grant: allocation.paid(grantor.grant) for grantor in self.grantors},
        }
        return {key: str(amount) for key, amount in amounts.items() if amount}


def patient(
    code: str,
    *,
    status: str = "active",
    birth: datetime.date = BORN,
    retired_on: datetime.date | None = None,
    enrolment: str = "normal",
    insurance: str = "employee",
    current: str = "0.00",
    historical: str = "0.00",
    used: dict[str, str] | None = None,
    grantors: dict[str, str] | None = None,
) -> Patient:
    """A patient; `grantors` are bound in the order given, name -> historical balance."""
    person = Person(birth=birth, status=status, retired_on=retired_on, enrolment=enrolment)
    own = yuan({"current": current, "historical": historical}) if insurance == "employee" else {}
    bound = [candidate(name, balance, at) for at, (name, balance) in enumerate((grantors or {}).items())]
    return Patient(code, person, insurance, own, yuan(used), bound)


def candidate(name: str, balance: str, bound_order: int = 0, **more: Any) -> Candidate:
    """A grant named like its grantor."""
    return Candidate(
        grant=name,
        account=f"account of {name}",
        name=name,
        balance=Decimal(balance),
        bound_on=more.pop("bound_on", datetime.date(2025, 1, 5)),
        bound_order=bound_order,
        **more,
    )
