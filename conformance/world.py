"""Whom programs meet: the regions as they are, hospitals and pharmacies with keys of every kind, invented people."""

import datetime
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from django.db import connection

from accounts.clock import now, today
from accounts.domain import id_number
from accounts.models import Enrolment, Institution, Member, Region
from conformance.manners import VARIANTS, Signer
from family.models import SharingGrant
from gateway.actions import keys
from gateway.models import InstitutionKey, InstitutionSettings
from portal.seeding import institutions
from settlements.actions import regions
from settlements.actions.opening import open_account

OUTPATIENT, PHARMACY, INPATIENT = "outpatient", "pharmacy", "inpatient"
INSUTYPE = {"employee": "310", "resident": "390"}
DAY = datetime.timedelta(days=1)
NAME, RELATIVE = "沈某宁", "方某"
BORN, SINCE = datetime.date(1960, 3, 12), datetime.date(2020, 1, 1)
# People of one birthday that an ID number can tell apart, of one sex.
SAME_DAY = 500
# In Shanghai, for what is not reconciled: what happens there is in no program's books.
APART = {"H": "H31019900001", "P": "P31019900001"}
_people = count()
# Everything that a message may write but the message itself.
COUNTED = ["gateway_", "settlements_", "accounts_auditevent", "accounts_message", "family_"]
NOT_COUNTED = ("gateway_gatewaymessage", "gateway_turnedaway")


@dataclass(frozen=True)
class Person:
    """What a card says of somebody."""

    id_number: str
    card_number: str
    name: str
    region: str
    insutype: str
    member_id: int


@cache
def files() -> dict[str, dict[str, Any]]:
    """Region -> its file as it lies there, read without the portal's reader."""
    found = (tomllib.loads(path.read_text(encoding="utf-8")) for path in regions.region_files())
    return {file["code"]: file for file in found}


def assesses(region: str, kind: str, insurance: str = "employee", on: datetime.date | None = None) -> bool:
    """Whether the region's file says how such bills are paid on a day; where it does not they must be refused."""
    day = on or today()
    schemes = [
        scheme
        for scheme in files()[region]["scheme"]
        if (scheme["kind"], scheme["insurance"]) == (kind, insurance)
        and scheme["valid_from"] <= day
        and not (scheme.get("valid_to") and scheme["valid_to"] <= day)
    ]
    return any(scheme.get("known", True) for scheme in schemes)


def build(codes: Sequence[str] = ()) -> None:
    """The regions (all if none is named), their institutions and catalogue, keys of each variant."""
    regions.load([path for path in regions.region_files() if not codes or path.stem in codes])
    institutions.make()
    for letter, code in APART.items():
        kind, level = ("hospital", "tertiary") if letter == "H" else ("pharmacy", "primary")
        Institution.objects.create(code=code, name="机构甲", kind=kind, level=level, region_id=f"{code[1:3]}0000")
    since = now() - DAY
    for institution in Institution.objects.all():
        for variant in VARIANTS:
            keys.issue(institution=institution, by=None, at=since, variant=variant)


@cache
def _codes(region: str, kind: str) -> list[str]:
    letter = "P" if kind == PHARMACY else "H"
    return [code for code, *_ in institutions.PLACES[region] if code.startswith(letter)]


def signer(
    region: str, kind: str, variant: str = "x-tif", *, number: int | None = 0, infcode_as_text: bool = False
) -> Signer:
    """The key of a hospital, or of a pharmacy, of a region (None: that which is apart); its setting for infcode is made
    what is asked."""
    known = _codes(region, kind)
    code = APART["P" if kind == PHARMACY else "H"] if number is None else known[number % len(known)]
    institution = Institution.objects.get(code=code)
    InstitutionSettings.objects.update_or_create(institution=institution, defaults={"infcode_as_text": infcode_as_text})
    key = InstitutionKey.objects.filter(institution=institution, variant=variant).order_by("pk")[0]
    return Signer(institution.code, key.key_id, key.secret)


def has_level(region: str, code: str) -> bool:
    """Whether a region's file knows hospitals of the level of an institution, which may lie in another region."""
    known = {place: level for places in institutions.PLACES.values() for place, _, _, level in places}
    return known.get(code, "tertiary") in files()[region]["levels"]


def number_of(region: str, kind: str, code: str) -> int:
    """By which `signer` finds an institution."""
    return _codes(region, kind).index(code)


def person(
    region: str,
    *,
    insurance: str = "employee",
    status: str = "normal",
    retired: bool = False,
    own: tuple[str, str] = ("120.00", "300.00"),
    shared: str | None = "5000.00",
) -> Person:
    """Somebody new. `own`: yuan in (current, historical) of an employee's account, one pot where the region has one;
    `shared`: what a relative who shares has, None without one. All are as old and have the same name."""
    place = Region.objects.get(pk=region)
    member = _member(place, NAME, insurance, status, retired)
    if insurance == "employee":
        _open(member, place, own)
    if shared is not None:
        relative = _member(place, RELATIVE, "employee", "normal", False)
        _open(relative, place, ("0.00", shared))
        SharingGrant.objects.create(
            grantor=relative, beneficiary=member, region=place, relation="spouse", bound_at=now(), starts_on=today()
        )
    return Person(member.id_number, member.card_number, member.name, region, INSUTYPE[insurance], member.pk)


def _member(place: Region, name: str, insurance: str, status: str, retired: bool) -> Member:
    number = next(_people)
    # Of one age whoever they are, so that answers about two people can be compared.
    birth = BORN + DAY * (number // SAME_DAY)
    member = Member.objects.create(
        name=name,
        id_number=id_number.make(f"{place.code[:4]}01", birth, number % SAME_DAY * 2),
        card_number=f"C{number:09d}",
        birth=birth,
        sex="F",
    )
    Enrolment.objects.create(
        member=member,
        region=place,
        insurance=insurance,
        status=status,
        personal_status="retired" if retired else "active",
        retired_on=datetime.date(2019, 4, 1) if retired else None,
        base=Decimal("9000.00") if insurance == "employee" else None,
        valid_from=SINCE,
    )
    return member


def _open(member: Member, place: Region, own: tuple[str, str]) -> None:
    current, historical = (Decimal(text) for text in own)
    if not place.two_buckets:
        current, historical = Decimal(0), current + historical
    open_account(member=member, region_id=place.code, on=today(), current=current, historical=historical)


def change(one: Person, *, died_on: datetime.date | None = None, **enrolment: Any) -> None:
    """What the register says of somebody now."""
    Member.objects.filter(pk=one.member_id).update(died_on=died_on)
    if enrolment:
        Enrolment.objects.filter(member=one.member_id).update(**enrolment)


def written() -> dict[str, int]:
    """Table -> rows, of every table that a message may write; accounts also by their versions, visits by their ends."""
    with connection.cursor() as cursor:
        cursor.execute(_count_statement())
        row = cursor.fetchone()
    return dict(zip(_counted_tables(), row, strict=True)) if row else {}


@cache
def _counted_tables() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        names = [name for (name,) in cursor.fetchall()]
    found = [name for name in names if name.startswith(tuple(COUNTED)) and name not in NOT_COUNTED]
    return (*found, "versions", "ends")


@cache
def _count_statement() -> str:
    counts = [f"(SELECT count(*) FROM {name})" for name in _counted_tables()[:-2]]
    counts.append("(SELECT coalesce(sum(version), 0) FROM settlements_personalaccount)")
    counts.append("(SELECT count(*) FROM gateway_visit WHERE ended <> '')")
    return f"SELECT {', '.join(counts)}"


@contextmanager
def suspended(code: str) -> Iterator[None]:
    """An institution that may not settle for a while."""
    Institution.objects.filter(code=code).update(is_active=False)
    try:
        yield
    finally:
        Institution.objects.filter(code=code).update(is_active=True)
