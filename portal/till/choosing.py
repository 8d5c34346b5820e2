"""Whom and what one can choose at the till: places with a key, people of the demo with what they have, prices."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zlib import crc32

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts import kinship, masks
from accounts.enums import InstitutionKind, Insurance
from accounts.models import Enrolment, Institution, Member, Region
from accounts.money import ZERO, plain
from accounts.queries import valid_on
from family import telling as family
from family.models import SharingGrant
from family.queries import in_force
from portal.till.calling import keys
from settlements.ledger import balances
from settlements.models import CatalogueItem, PersonalAccount
from settlements.queries.catalogue import search

# National codes of services are digits; those of medicines and consumables begin with a letter.
SOLD = "^[A-Z]"


def places() -> list[tuple[Region, list[Institution]]]:
    """Region -> its institutions with a key, first the regions in which people of the demo are insured."""
    here: dict[str, dict[str, Institution]] = {}
    for key in keys():
        here.setdefault(key.institution.region_id, {})[key.institution.code] = key.institution
    lived_in = set(Enrolment.objects.filter(region__in=here).order_by().values_list("region", flat=True).distinct())
    found = [(next(iter(known.values())).region, list(known.values())) for known in here.values()]
    return sorted(found, key=lambda pair: (pair[0].pk not in lived_in, pair[0].pk))


def place(code: str) -> Institution | None:
    """A place of the till by its code."""
    return next((key.institution for key in keys() if key.institution.code == code), None)


def regions(institution: Institution, on: datetime.date) -> list[Region]:
    """Where there are people to choose from, the place's own region first."""
    held = set(Enrolment.objects.filter(valid_on(on)).order_by().values_list("region", flat=True).distinct())
    found = Region.objects.filter(pk__in=held or {institution.region_id})
    return sorted(found, key=lambda region: (region.pk != institution.region_id, region.pk))


def patients(*, region_id: str, name: str, helped: bool, on: datetime.date) -> QuerySet[Member]:
    """People insured in a region on a day; `helped`: only those who may use a relative's account for care, employees first,
    for residents' outpatient care no region's rules are known."""
    insured = Enrolment.objects.filter(valid_on(on), member=OuterRef("pk"), region=region_id)
    found = Member.objects.filter(Exists(insured), died_on=None, name__contains=name).order_by("pk")
    grants = SharingGrant.objects.filter(in_force(on), beneficiary=OuterRef("pk"), uses_care=True)
    employed = Exists(insured.filter(insurance=Insurance.EMPLOYEE))
    return found.filter(Exists(grants)).order_by(employed.desc(), "pk") if helped else found


def cards(members: Sequence[Member], on: datetime.date) -> list[dict[str, Any]]:
    """What the till shows of people to choose from: insurance, own balances in yuan, who shares with them."""
    ids = [member.pk for member in members]
    enrolments = {row.member_id: row for row in Enrolment.objects.filter(valid_on(on), member__in=ids)}
    accounts = {
        (row.member_id, row.region_id): row.pk for row in PersonalAccount.objects.filter(member__in=ids, status="open")
    }
    held = balances(accounts.values(), on)
    grants = SharingGrant.objects.filter(in_force(on), beneficiary__in=ids, uses_care=True).select_related("grantor")
    sharing: dict[int, list[SharingGrant]] = {}
    for grant in grants:
        sharing.setdefault(grant.beneficiary_id, []).append(grant)
    made = []
    for member in members:
        enrolment = enrolments.get(member.pk)
        account = accounts.get((member.pk, enrolment.region_id)) if enrolment else None
        made.append(
            {
                "public_id": member.public_id,
                "name": masks.mask_name(member.name),
                "id_number": masks.mask_id(member.id_number),
                "enrolment": enrolment,
                "balance": held.get(account) if account else None,
                "relatives": [relative(grant) for grant in sharing.get(member.pk, [])],
            }
        )
    return made


def relative(grant: SharingGrant) -> str:
    """Daughter 沈*禾, at most 1,000.00 yuan a year."""
    who = family.named(kinship.term(kinship.inverse(grant.relation), grant.grantor.sex), grant.grantor)
    told = f"{who} ({family.limit(grant.limit)})"
    return " · ".join([told, _("Paused at present")]) if grant.paused_at else told


def goods(institution: Institution, text: str, on: datetime.date) -> QuerySet[CatalogueItem]:
    """What the place may charge for, by code or name: a pharmacy sells, and examines nobody."""
    found = search(region_id=institution.region_id, text=text, on=on)
    return found.filter(code__regex=SOLD) if institution.kind == InstitutionKind.PHARMACY else found


def usual_price(item: CatalogueItem) -> str:
    """A price to begin with, in yuan: the limit where there is one, else invented, always the same for a code."""
    invented = Decimal(800 + crc32(item.code.encode()) % 8000) / 100
    return plain(item.price_limit if item.price_limit else max(invented, ZERO))
