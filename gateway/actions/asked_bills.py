"""5203, 5204 and 5205: what was settled, its lines, and what somebody was given for a chronic disease."""

import datetime
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from accounts.calls import Call
from accounts.enums import InstitutionKind, Level
from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from accounts.money import ZERO
from gateway import answers, envelope, fields
from gateway.actions.asked_visits import few, illness_of, person, span
from gateway.actions.institutions import LEVELS
from gateway.actions.people import seen
from gateway.answers import Occasion
from gateway.models import FeeLine, GatewayMessage, Visit, VisitSettlement
from gateway.queries.lines import items_by_day
from gateway.queries.visits import BatchFacts, batch_facts, visit_of
from settlements.models import CatalogueItem, Entry, LedgerTransaction, PersonalAccount

PAID_AT_INSTITUTION = "2"
# Medical categories of chronic and special diseases.
CHRONIC = ["14", "9901"]
# First letter of a national code -> type of catalogue; whatever else is a service.
LIST_TYPE = {"X": "101", "Z": "101", "T": "102", "C": "301"}
SERVICES = "201"


def settlement(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 5203: a settlement, or the reversal of one, each under its own number, as it was then.

    Raises Refused: visit_unknown, settlement_unknown.
    """
    data = given["data"]
    visit, known = _known(institution, data)
    back = known.reversal_setl_id == data["setl_id"]
    facts = _facts(visit, known)
    money = answers.amounts(known.settlement, facts, visit.insurance)
    if back:
        money = answers.negated(money)
    setl_id, sent, moment = (
        (known.reversal_setl_id, known.reversal_msgid, known.reversed_at)
        if back
        else (known.setl_id, known.msgid, known.settled_at)
    )
    occasion = Occasion(
        msgid=sent or "",
        med_type=known.med_type,
        mdtrt_cert_type=known.mdtrt_cert_type,
        balance=_balance_after(known, back=back),
        on=timezone.localdate(moment),
        setl_id=setl_id,
        settled_at=moment,
    )
    enrolment = facts.enrolment or Enrolment(insurance=visit.insurance)
    info = answers.setlinfo(visit, enrolment, money, occasion) | {
        "psn_pay": money["psn_part_amt"],
        "cash_payamt": money["psn_cash_pay"],
        "insu_optins": visit.region_id,
        "pay_loc": PAID_AT_INSTITUTION,
        "fixmedins_code": institution.code,
        "fixmedins_name": institution.name,
        "hosp_lv": LEVELS[Level(institution.level)] if institution.kind == InstitutionKind.HOSPITAL else None,
        "fixmedins_poolarea": institution.region_id,
        "begndate": visit.begun_at,
        "enddate": known.settlement.service_on,
        "refd_setl_flag": "1" if known.reversed_at else "0",
        "year": str(known.settlement.counted_year),
        "invono": _invoice(institution, known),
        **illness_of(visit),
    }
    named = {field.name for field in fields.tables("5203").output[0].fields}
    steps = [] if back else known.settlement.steps
    return {
        "setlinfo": {name: value for name, value in info.items() if name in named},
        "setldetail": answers.setldetail(money, visit.insurance, steps),
    }


def lines(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 5204: the lines that a settlement was made of. Raises Refused: visit_unknown, settlement_unknown."""
    data = given["data"]
    visit, known = _known(institution, data)
    rows = list(_lines(visit, known).order_by("id"))
    items = _items(rows, institution.region_id)
    named = {field.name for field in fields.tables("5204").output[0].fields}
    return {
        "rows": [
            {name: value for name, value in answers.line(row).items() if name in named}
            | _listed(row, items)
            | {"mdtrt_id": visit.mdtrt_id, "setl_id": data["setl_id"], "med_type": known.med_type}
            for row in rows
        ]
    }


def medication(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 5205: what was settled for the person under a category of chronic diseases, wherever it was.

    That is what it is asked for: whether another hospital has prescribed the same; the person can see who asked. Raises
    Refused: person_unknown, range_backwards, too_many_rows.
    """
    data = given["data"]
    member = person(data["psn_no"])
    since, until = span(data["begntime"], data["endtime"] or at)
    unsent.append(seen(member, institution, msgid, at))
    settled = VisitSettlement.objects.filter(
        visit=OuterRef("visit"), batch=OuterRef("batch"), reversed_at=None, med_type__in=CHRONIC
    )
    found = FeeLine.objects.filter(Exists(settled), visit__member=member, cancelled_at=None)
    found = found.filter(occurred_at__gte=since, occurred_at__lt=until).select_related("visit__institution")
    rows = few(found.annotate(med_type=settled.values("med_type")[:1]).order_by("occurred_at", "id"))
    items = {}
    for region_id in {row.visit.institution.region_id for row in rows}:
        there = [row for row in rows if row.visit.institution.region_id == region_id]
        items |= {(region_id, *key): item for key, item in _items(there, region_id).items()}
    return {"feedetail": [_medicine(row, data["psn_no"], items) for row in rows]}


def _known(institution: Institution, data: dict[str, Any]) -> tuple[Visit, VisitSettlement]:
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], stay=None)
    named = Q(setl_id=data["setl_id"]) | Q(reversal_setl_id=data["setl_id"])
    known = visit.settlements.select_related("settlement").filter(named).first()
    if known is None:
        raise Refused("settlement_unknown")
    return visit, known


def _lines(visit: Visit, known: VisitSettlement) -> QuerySet[FeeLine]:
    """The lines of its batch that stood while it stood. Those that came in after a reversal cannot be told apart."""
    stood = Q(cancelled_at=None) | Q(cancelled_at__gte=known.reversed_at or known.settled_at)
    return visit.lines.filter(stood, batch=known.batch)


def _facts(visit: Visit, known: VisitSettlement) -> BatchFacts:
    """The parts of the bill that the settlement does not keep one by one: over the limit and off-catalogue."""
    settled = known.settlement
    over = _lines(visit, known).aggregate(over=Sum("over_limit"), off=Sum("off_catalogue"), amount=Sum("amount"))
    facts = batch_facts(visit, known.batch, settled.service_on)
    whole = over["amount"] == settled.total and over["over"] + over["off"] == settled.self_paid
    split = (over["over"], over["off"]) if whole else (ZERO, settled.self_paid)
    return replace(facts, over_limit=split[0], off_catalogue=split[1])


def _invoice(institution: Institution, known: VisitSettlement) -> str | None:
    """The invoice number that the institution gave: it stands in its message alone, as long as that is kept."""
    message = GatewayMessage.objects.filter(institution=institution, claim=known.msgid).first()
    if message is None or message.body is None:
        return None
    call = envelope.read(str(message.body).encode())
    head = next(iter(fields.read(fields.tables(call.infno).input, call.input).values()))
    return head["invono"]


def _balance_after(known: VisitSettlement, *, back: bool) -> Decimal:
    """What the patient's own account held after the settlement or its reversal, in yuan."""
    settled = known.settlement
    account = PersonalAccount.objects.filter(member_id=settled.patient_id, region_id=settled.region_id).first()
    moved = settled.transaction_id
    if back:
        # Of a bill that was settled anew the last went back; what moved the first was the recalculation.
        moved = LedgerTransaction.objects.get(reverses_id=settled.last.transaction_id).pk
    last = account and Entry.objects.filter(account=account, transaction_id__lte=moved).order_by("-version").first()
    return last.current_after + last.historical_after if last else ZERO


def _items(rows: Iterable[FeeLine], region_id: str) -> dict[tuple[str, datetime.date], CatalogueItem]:
    return items_by_day(region_id=region_id, wanted={(row.code, timezone.localdate(row.occurred_at)) for row in rows})


def _listed(row: FeeLine, items: dict[tuple[str, datetime.date], CatalogueItem]) -> dict[str, Any]:
    """What the catalogue calls a line; an institution sends no name with it, and off-catalogue it has its code alone."""
    item = items.get((row.code, timezone.localdate(row.occurred_at)))
    name = item.name if item else row.code
    return {
        "fee_ocur_time": row.occurred_at,
        "hilist_code": row.code,
        "hilist_name": name,
        "list_type": LIST_TYPE.get(row.code[:1].upper(), SERVICES),
        "med_list_codg": row.code,
        "medins_list_codg": row.own_code,
        "medins_list_name": name,
    }


def _medicine(row: FeeLine, psn_no: str, items: dict[tuple[str, str, datetime.date], CatalogueItem]) -> dict[str, Any]:
    institution = row.visit.institution
    day = timezone.localdate(row.occurred_at)
    item = items.get((institution.region_id, row.code, day))
    told = answers.line(row)
    return _listed(row, {(row.code, day): item} if item else {}) | {
        "feedetl_sn": row.sn,
        "fixmedins_code": institution.code,
        "fixmedins_name": institution.name,
        "psn_no": psn_no,
        "med_type": row.med_type,  # type: ignore[attr-defined]
        **{name: told[name] for name in ("cnt", "pric", "chrgitm_lv", "med_chrgitm_type", "lmt_used_flag")},
    }
