"""A member's visits, diagnoses and fee lines as institutions sent them, as tables of the file that he can take with him."""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.own_data import CHUNK, Table, in_chunks
from gateway.domain.stating import stated
from gateway.enums import VisitState
from gateway.models import Diagnosis, FeeLine, Visit, VisitSettlement
from gateway.queries.lines import items_by_day

Rows = Iterator[list[Any]]


def visits(user: User, at: datetime.datetime) -> Rows:
    """Registered ones too, of which nothing was settled."""
    found = Visit.objects.filter(member=user.member_id).select_related("institution", "stay")
    for visit in found.defer("stay__admission", "stay__discharge").order_by("begun_at", "pk").iterator(CHUNK):
        said, stay = stated(visit.illness), getattr(visit, "stay", None)
        yield [
            visit.mdtrt_id,
            visit.begun_at,
            stay.discharged_at if stay else None,
            visit.institution.name,
            visit.get_kind_display(),
            said.get("main_cond_dscr"),
            said.get("dise_codg"),
            said.get("dise_name"),
            VisitState(visit.ended).label if visit.ended else None,
        ]


def diagnoses(user: User, at: datetime.datetime) -> Rows:
    """Those of an admission before those of the discharge."""
    found = Diagnosis.objects.filter(visit__member=user.member_id).select_related("visit").defer("visit__illness")
    for row in found.order_by("visit__begun_at", "visit_id", "at_discharge", "order", "id").iterator(CHUNK):
        said = stated(row.said)
        yield [
            row.visit.mdtrt_id,
            row.diagnosed_at,
            said.get("diag_code"),
            said.get("diag_name"),
            said.get("diag_dept"),
            said.get("dise_dor_name"),
        ]


def lines(user: User, at: datetime.datetime) -> Rows:
    """What was billed, named as the catalogue of its day names it; taken back ones too."""
    found = (
        FeeLine.objects.filter(visit__member=user.member_id)
        .select_related("visit__institution")
        .defer("visit__illness")
    )
    for chunk in in_chunks(found.order_by("occurred_at", "id").iterator(CHUNK)):
        names, bills = _names(chunk), _bills(chunk)
        for line in chunk:
            yield [
                line.visit.mdtrt_id,
                bills.get((line.visit_id, line.batch)),
                line.occurred_at,
                line.visit.institution.name,
                line.code,
                names.get((line.visit.institution.region_id, line.code, timezone.localdate(line.occurred_at))),
                _short(line.quantity),
                _short(line.price),
                line.amount,
                line.get_item_class_display(),
                line.in_scope,
                line.pre_self_pay,
                line.over_limit,
                line.off_catalogue,
                line.cancelled_at,
            ]


def _names(chunk: Collection[FeeLine]) -> dict[tuple[str, str, datetime.date], str]:
    """By place of treatment, code and day."""
    wanted = defaultdict(set)
    for line in chunk:
        wanted[line.visit.institution.region_id].add((line.code, timezone.localdate(line.occurred_at)))
    return {
        (region, *key): item.name
        for region, keys in wanted.items()
        for key, item in items_by_day(region_id=region, wanted=keys).items()
    }


def _bills(chunk: Collection[FeeLine]) -> dict[tuple[int, str], str]:
    """By visit and charge batch; of a batch that was settled anew the last."""
    found = VisitSettlement.objects.filter(visit__in={line.visit_id for line in chunk}).select_related("settlement")
    return {(row.visit_id, row.batch): row.settlement.number for row in found.order_by("id")}


def _short(number: Decimal) -> str:
    """Without the noughts that the interface's decimals bring."""
    return f"{number.normalize():f}"


TABLES = [
    Table(
        order=202,
        title=_("Visits to institutions"),
        heads=[
            _("Number of the visit"),
            _("Begun on"),
            _("Discharged on"),
            _("Institution"),
            _("Kind of care"),
            _("Main condition"),
            _("Disease code"),
            _("Disease"),
            _("State"),
        ],
        rows=visits,
    ),
    Table(
        order=204,
        title=_("Diagnoses"),
        heads=[
            _("Number of the visit"),
            _("When"),
            _("Diagnosis code"),
            _("Diagnosis"),
            _("Department"),
            _("Doctor"),
        ],
        rows=diagnoses,
    ),
    Table(
        order=206,
        title=_("Bills line by line"),
        heads=[
            _("Number of the visit"),
            _("Number of the bill"),
            _("When"),
            _("Institution"),
            _("Catalogue code"),
            _("Name in the catalogue"),
            _("Quantity"),
            _("Unit price"),
            _("Amount"),
            _("Class"),
            _("In scope"),
            _("Pre-self-pay"),
            _("Over the price limit"),
            _("Off-catalogue"),
            _("Taken back on"),
        ],
        rows=lines,
    ),
]
