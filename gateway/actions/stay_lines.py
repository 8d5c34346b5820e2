"""2301 and 2302: the fee lines of a stay, charged, refunded and taken back."""

import datetime
from collections import Counter
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Institution
from accounts.money import plain
from gateway import answers
from gateway.actions.stays import MED_TYPES, must_follow, must_lie_within
from gateway.actions.visits import AHEAD, MOST_LINES, check_amount, fee_line
from gateway.domain import refunds
from gateway.domain.staying import Step
from gateway.errors import Rejected
from gateway.models import FeeLine, Stay
from gateway.queries.lines import items_by_day
from gateway.queries.stays import settled_of, stay_of
from gateway.queries.visits import taken

ALL_LINES = "0000"
NOT_NEEDED = "0"


def upload(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2301: the lines, all or none, each by the catalogue of its day; a line with a negative quantity takes back
    (part of) the line that init_feedetl_sn names, by the terms under which that one was charged.

    Raises Refused: lines_too_many, several_visits, visit_unknown, stay_settled, stay_cancelled, med_type_unsupported,
    line_later, line_before_stay,
    line_outside_stay, line_repeated, line_amount, amount_too_large, line_unknown, line_settled, refund_other,
    refund_more.
    """
    rows = given["feedetail"]
    if len(rows) > MOST_LINES:
        raise Refused("lines_too_many", most=MOST_LINES)
    stay = _stay_of(institution, rows)
    must_follow(stay, Step.CHARGE)
    for row in rows:
        _check_time(stay, row, at)
    _check_free(stay, rows)
    batch = settled_of(stay.visit).open_batch
    charges = [row for row in rows if row["cnt"] >= 0]
    wanted = {(row["med_list_codg"], timezone.localdate(row["fee_ocur_time"])) for row in charges}
    items = items_by_day(region_id=institution.region_id, wanted=wanted)
    new: dict[str, FeeLine] = {}
    for row in charges:
        check_amount(row)
        filled = row | {"chrg_bchno": batch, "hosp_appr_flag": row["hosp_appr_flag"] or NOT_NEEDED}
        item = items.get((row["med_list_codg"], timezone.localdate(row["fee_ocur_time"])))
        new[row["feedetl_sn"]] = fee_line(stay.visit, filled, item)
    FeeLine.objects.bulk_create(new.values())
    new |= _refunds(stay, batch, rows)
    return {"result": [answers.line(new[row["feedetl_sn"]]) for row in rows]}


def take_back(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2302: the lines named, or with "0000" every one that is not settled.

    Raises Refused: several_visits, visit_unknown, stay_settled, stay_cancelled, line_unknown, line_settled,
    line_refunded (its refund would be left over).
    """
    rows = given["data"]
    stay = _stay_of(institution, rows)
    must_follow(stay, Step.UNCHARGE)
    named = {row["feedetl_sn"] for row in rows}
    batch = settled_of(stay.visit).open_batch
    lines = stay.visit.lines.filter(cancelled_at=None)
    if ALL_LINES not in named:
        found = dict(lines.filter(sn__in=named).values_list("sn", "batch"))
        for sn in sorted(named):
            _must_be_open(sn, found.get(sn), batch)
        refund = lines.filter(takes_back__sn__in=named, takes_back__cancelled_at=None).exclude(sn__in=named).first()
        if refund:
            raise Refused("line_refunded", line=refund.takes_back.sn, refund=refund.sn)
        lines = lines.filter(sn__in=named)
    lines.filter(batch=batch).update(cancelled_at=at)
    return {}


def _stay_of(institution: Institution, rows: list[dict[str, Any]]) -> Stay:
    if len({(row["mdtrt_id"], row["psn_no"]) for row in rows}) > 1:
        raise Refused("several_visits")
    return stay_of(institution, rows[0]["mdtrt_id"], rows[0]["psn_no"], lock=True)


def _check_time(stay: Stay, row: dict[str, Any], at: datetime.datetime) -> None:
    if row["med_type"] not in MED_TYPES:
        raise Refused("med_type_unsupported")
    # Else what the catalogue will say one day could be had today; it goes by days.
    day = timezone.localdate(row["fee_ocur_time"])
    if day > timezone.localdate(at + AHEAD):
        raise Refused("line_later", line=row["feedetl_sn"])
    must_lie_within(stay, row["feedetl_sn"], row["fee_ocur_time"])


def _check_free(stay: Stay, rows: list[dict[str, Any]]) -> None:
    counted = Counter(row["feedetl_sn"] for row in rows)
    _settled, there = taken(stay.visit, counted)
    for sn, times in counted.items():
        if times > 1 or sn in there or sn == ALL_LINES:
            raise Refused("line_repeated", line=sn)


def _must_be_open(sn: str, batch: str | None, open_batch: str) -> None:
    if batch is None:
        raise Refused("line_unknown", line=sn)
    if batch != open_batch:
        raise Refused("line_settled", line=sn)


def _refunds(stay: Stay, batch: str, rows: list[dict[str, Any]]) -> dict[str, FeeLine]:
    """The refund lines, one after the other: each finds what the earlier ones have left."""
    made: dict[str, FeeLine] = {}
    for place, row in enumerate(rows):
        if row["cnt"] >= 0:
            continue
        if not row["init_feedetl_sn"]:
            raise Rejected("field_missing", field=f"feedetail[{place}].init_feedetl_sn")
        charged = stay.visit.lines.filter(sn=row["init_feedetl_sn"], cancelled_at=None).first()
        _must_be_open(row["init_feedetl_sn"], charged.batch if charged else None, batch)
        made[row["feedetl_sn"]] = _refund(stay, charged, row)
    return made


def _refund(stay: Stay, charged: FeeLine, row: dict[str, Any]) -> FeeLine:
    sn, said, quantity = row["feedetl_sn"], -row["det_item_fee_sumamt"], -row["cnt"]
    if charged.takes_back_id or (row["med_list_codg"], row["pric"]) != (charged.code, charged.price):
        raise Refused("refund_other", line=sn, charged=charged.sn)
    back = stay.visit.lines.filter(takes_back=charged, cancelled_at=None).values_list("amount", "quantity")
    left = refunds.Left(
        charged.amount + sum((amount for amount, _ in back), Decimal(0)),
        charged.quantity + sum((units for _, units in back), Decimal(0)),
    )
    try:
        amount = refunds.expected(left, quantity, charged.price, said)
    except refunds.TooMuch:
        raise Refused("refund_more", line=sn, charged=charged.sn, left=plain(left.amount)) from None
    if said != amount:
        raise Refused("line_amount", line=sn, amount=plain(-said), expected=plain(-amount))
    parts = refunds.parts_back(charged, left, amount, quantity, charged.price)
    return FeeLine.objects.create(
        visit=stay.visit,
        takes_back=charged,
        sn=sn,
        batch=charged.batch,
        code=charged.code,
        own_code=row["medins_list_codg"],
        occurred_at=row["fee_ocur_time"],
        quantity=-quantity,
        price=charged.price,
        amount=-amount,
        item_class=charged.item_class,
        self_pay_percent=charged.self_pay_percent,
        price_limit=charged.price_limit,
        in_scope=parts.in_scope,
        pre_self_pay=parts.pre_self_pay,
        over_limit=parts.over_limit,
        off_catalogue=parts.off_catalogue,
    )
