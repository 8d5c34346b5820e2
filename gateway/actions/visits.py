"""2201 and 2204: register a visit, upload its fee lines."""

import datetime
import secrets
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.enums import InstitutionKind
from accounts.errors import Refused
from accounts.models import Institution
from accounts.money import MAX_AMOUNT, ZERO, fen, plain
from gateway import answers
from gateway.models import FeeLine, Visit
from gateway.queries import patient, taken, visit_of
from gateway.queries_lines import items_by_day
from settlements.domain.catalogue import classify
from settlements.enums import CareKind
from settlements.models import CatalogueItem

REFUSED_BY_HOSPITAL = "2"
# Clocks of institutions run ahead a little.
AHEAD = datetime.timedelta(minutes=10)


def new_number(region_id: str, at: datetime.datetime) -> str:
    """A number for a visit or a settlement: 30 digits, division code and moment first, not to be guessed."""
    return f"{region_id}{timezone.localtime(at):%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}"


def register(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2201: a new visit.

    Raises Refused: credential_unsupported, person_unknown, not_insured (in the insurance named, on the day),
    begun_later.
    """
    data = given["data"]
    member, enrolment = patient(data, timezone.localdate(data["begntime"]))
    if data["begntime"] > at + AHEAD:
        raise Refused("begun_later")
    if enrolment is None or answers.INSUTYPE[enrolment.insurance] != data["insutype"]:
        raise Refused("not_insured")
    pharmacy = institution.kind == InstitutionKind.PHARMACY
    visit = Visit.objects.create(
        mdtrt_id=new_number(enrolment.region_id, at),
        institution=institution,
        member=member,
        region_id=enrolment.region_id,
        insurance=enrolment.insurance,
        kind=CareKind.PHARMACY if pharmacy else CareKind.OUTPATIENT,
        ipt_otp_no=data["ipt_otp_no"],
        begun_at=data["begntime"],
        registered_at=at,
    )
    return {"data": {"mdtrt_id": visit.mdtrt_id, "psn_no": data["psn_no"], "ipt_otp_no": visit.ipt_otp_no}}


def upload(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2204: the lines, all or none, classified by the catalogue of the day.

    The catalogue is that of the place of treatment, also for people insured elsewhere (就医地目录, 参保地政策).
    Raises Refused: visit_unknown, several_visits, batch_settled, line_repeated, line_later, line_amount, amount_too_large.
    """
    rows = given["feedetail"]
    if len({(row["mdtrt_id"], row["psn_no"]) for row in rows}) > 1:
        raise Refused("several_visits")
    visit = visit_of(institution, rows[0]["mdtrt_id"], rows[0]["psn_no"], lock=True)
    _check_free(visit, rows)
    for row in rows:
        # Else what the catalogue will say one day could be had today; it goes by days.
        if _day(row) > timezone.localdate(at + AHEAD):
            raise Refused("line_later", line=row["feedetl_sn"])
        check_amount(row)
    wanted = {(row["med_list_codg"], _day(row)) for row in rows}
    items = items_by_day(region_id=institution.region_id, wanted=wanted)
    lines = [fee_line(visit, row, items.get((row["med_list_codg"], _day(row)))) for row in rows]
    FeeLine.objects.bulk_create(lines)
    return {"result": [answers.line(line) for line in lines]}


def _check_free(visit: Visit, rows: Iterable[dict[str, Any]]) -> None:
    """No line number twice, and nothing more into a batch that is settled."""
    counted = Counter(row["feedetl_sn"] for row in rows)
    settled, there = taken(visit, counted)
    for row in rows:
        if row["chrg_bchno"] in settled:
            raise Refused("batch_settled", batch=row["chrg_bchno"])
        if counted[row["feedetl_sn"]] > 1 or row["feedetl_sn"] in there:
            raise Refused("line_repeated", line=row["feedetl_sn"])


def check_amount(row: dict[str, Any]) -> None:
    """Quantity times price is the line, to the fen (F7). Raises Refused: line_amount, amount_too_large."""
    said, product = row["det_item_fee_sumamt"], row["cnt"] * row["pric"]
    if max(said, product) > MAX_AMOUNT:
        raise Refused("amount_too_large")
    if row["cnt"] == 0 or said != fen(product):
        raise Refused("line_amount", line=row["feedetl_sn"], amount=plain(said), expected=plain(product))


def _day(row: dict[str, Any]) -> datetime.date:
    return timezone.localdate(row["fee_ocur_time"])


def fee_line(visit: Visit, row: dict[str, Any], item: CatalogueItem | None) -> FeeLine:
    """The line as the catalogue of the day classifies it; not saved."""
    # An item that the hospital itself refused is the patient's own, whatever the catalogue says.
    counts = None if row["hosp_appr_flag"] == REFUSED_BY_HOSPITAL else item
    amount, quantity, price = row["det_item_fee_sumamt"], row["cnt"], row["pric"]
    parts = classify(counts, amount, quantity, price)
    return FeeLine(
        visit=visit,
        sn=row["feedetl_sn"],
        batch=row["chrg_bchno"],
        code=row["med_list_codg"],
        own_code=row["medins_list_codg"],
        occurred_at=row["fee_ocur_time"],
        quantity=quantity,
        price=price,
        amount=amount,
        item_class=counts.item_class if counts else CatalogueItem.Class.C,
        self_pay_percent=counts.self_pay_percent if counts else Decimal(100),
        price_limit=counts.price_limit if counts else None,
        in_scope=parts.in_scope,
        pre_self_pay=parts.pre_self_pay,
        over_limit=parts.over_limit,
        off_catalogue=parts.off_catalogue or ZERO,
    )
