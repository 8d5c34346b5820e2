"""A family with money, made through the real actions: what the pages about money are tested on."""

import datetime
import itertools
from dataclasses import dataclass
from decimal import Decimal

from accounts.clock import today
from accounts.models import Institution, Member, Region, User
from family.models import SharingGrant
from settlements.actions import care
from settlements.actions.opening import open_account
from settlements.actions.regions import load, region_files
from settlements.models import PersonalAccount, Settlement
from tests.people import make_institution, make_member, make_region, person

_keys = itertools.count(1)
SHANGHAI, BEIJING = "310000", "110000"


@dataclass
class Scene:
    """A daughter with an account who lets her father use it; the father has bills."""

    region: Region
    daughter: User
    father: User
    stranger: User
    account: PersonalAccount
    fathers: PersonalAccount
    grant: SharingGrant
    institution: Institution
    on: datetime.date


def region_of_file(code: str = SHANGHAI) -> Region:
    """A region with the rules of its file."""
    if not Region.objects.filter(code=code).exists():
        load(region_files())
    return make_region(code)


def make_scene(
    *,
    code: str = SHANGHAI,
    on: datetime.date | None = None,
    current: str = "2604.00",
    historical: str = "5000.00",
    father_current: str = "118.40",
    father_historical: str = "203.65",
    fathers_name: str = "沈某梁",
) -> Scene:
    """On a day, today unless told. The father's bills: see `bill`."""
    on = on or today()
    region = region_of_file(code)
    opened = on - datetime.timedelta(days=40)
    two = region.two_buckets
    daughter = person("沈某宁", datetime.date(1985, 3, 12), sex="F", region=region)
    father = person(fathers_name, datetime.date(1958, 6, 1), sex="M", region=region)
    stranger = person("陆某川", datetime.date(1990, 11, 30), sex="M", region=region)
    account = open_with(daughter.member, region, opened, current, historical, two)
    fathers = open_with(father.member, region, opened, father_current, father_historical, two)
    grant = share(daughter.member, father.member, "parent", region, opened)
    institution = make_institution("浦江中心医院", region=region, level="tertiary")
    return Scene(region, daughter, father, stranger, account, fathers, grant, institution, on)


def open_with(
    member: Member, region: Region, on: datetime.date, current: str, historical: str, two: bool
) -> PersonalAccount:
    """An account with opening balances; in a region with one pot both together."""
    amounts = {"current": Decimal(current), "historical": Decimal(historical)}
    if not two:
        amounts = {"historical": sum(amounts.values())}
    return open_account(member=member, region_id=region.pk, on=on, **amounts)


def share(
    grantor: Member,
    beneficiary: Member,
    relation: str,
    region: Region,
    on: datetime.date,
    limit: str | None = "1000.00",
) -> SharingGrant:
    """A grant in force from a day on, without the application that leads to one."""
    at = datetime.datetime.combine(on, datetime.time(9), tzinfo=datetime.UTC)
    return SharingGrant.objects.create(
        grantor=grantor,
        beneficiary=beneficiary,
        region=region,
        relation=relation,
        limit=limit and Decimal(limit),
        bound_at=at,
        starts_on=on,
    )


def bill(
    scene: Scene,
    patient: User | Member | None = None,
    *,
    in_scope: str = "1340.00",
    pre_self_pay: str = "0.00",
    self_paid: str = "46.00",
    kind: str = "outpatient",
    on: datetime.date | None = None,
    **more: bool,
) -> Settlement:
    """Settle a bill; the father's unless told."""
    who = patient or scene.father
    return care.settle(
        patient=getattr(who, "member", None) or who,
        institution=scene.institution,
        bill=care.Bill(
            kind=kind,
            level=scene.institution.level,
            in_scope=Decimal(in_scope),
            pre_self_pay=Decimal(pre_self_pay),
            self_paid=Decimal(self_paid),
        ),
        on=on or scene.on,
        key=f"scene-{next(_keys)}",
        **more,
    )


def undo(scene: Scene, settlement: Settlement, on: datetime.date | None = None) -> Settlement:
    """Reverse a bill."""
    care.reverse(settlement=settlement, on=on or scene.on, key=f"scene-{next(_keys)}")
    settlement.refresh_from_db()
    return settlement


__all__ = [
    "BEIJING",
    "SHANGHAI",
    "Scene",
    "bill",
    "make_member",
    "make_scene",
    "open_with",
    "region_of_file",
    "share",
    "undo",
]
