"""2201 and 2204: register a visit, upload its fee lines."""

import datetime
import secrets
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import clock
from accounts.calls import Call, to_json
from accounts.enums import EnrolmentStatus, InstitutionKind
from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member
from accounts.money import MAX_AMOUNT, ZERO, plain
from gateway import answers
from gateway.domain.life import DAYS, Stage, Step, refusal, stage_of
from gateway.domain.refunds import comes_to
from gateway.models import FeeLine, Visit
from gateway.queries.lines import items_by_day
from gateway.queries.people import patient
from gateway.queries.visits import taken, visit_of
from settlements.domain.catalogue import classify
from settlements.enums import CareKind
from settlements.models import CatalogueItem

REFUSED_BY_HOSPITAL = "2"
# General outpatient care, registration and emergency follow the outpatient scheme; other categories have schemes
# that no region file holds yet, and settling them as general care would be wrong money.
REGISTRATION = "12"
MED_TYPES = {
    "11": CareKind.OUTPATIENT,
    REGISTRATION: CareKind.OUTPATIENT,
    "13": CareKind.OUTPATIENT,
    "1301": CareKind.OUTPATIENT,
    "41": CareKind.PHARMACY,
}
# Lines a message may hold; more are sent in several. They are written while the visit is locked.
MOST_LINES = 1000
LINE = [field.attname for field in FeeLine._meta.concrete_fields if not field.primary_key]
# Clocks of institutions run ahead a little.
AHEAD = datetime.timedelta(minutes=10)
# Who is treated at night may be registered, and pays, after midnight.
NIGHT = datetime.timedelta(days=1)


def new_number(region_id: str, at: datetime.datetime) -> str:
    """A number for a visit or a settlement: 30 digits, division code and moment first, not to be guessed."""
    return f"{region_id}{clock.local(at):%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}"


def must_be_allowed(step: Step, stage: Stage, **params: object) -> None:
    """Raises Refused with what the table of `gateway.domain.life` says, if the step may not follow."""
    if code := refusal(stage, step):
        raise Refused(code, days=DAYS, **params)


def register(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2201: a new visit.

    Raises Refused: credential_unsupported, person_unknown, not_insured (on the day), insutype_not_his,
    insurance_ended, insuplc_other, begun_later.
    """
    data = given["data"]
    member, enrolment = insured(given, data, at)
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


def insured(given: dict[str, Any], data: dict[str, Any], at: datetime.datetime) -> tuple[Member, Enrolment]:
    """Who begins a visit at `begntime`, and how he is insured then; raises Refused as `register` does."""
    if data["begntime"] > at + AHEAD:
        raise Refused("begun_later")
    member, enrolment = patient(data, timezone.localdate(data["begntime"]))
    if enrolment is None:
        raise Refused("not_insured")
    if answers.INSUTYPE[enrolment.insurance] != data["insutype"]:
        raise Refused("insutype_not_his")
    if enrolment.status == EnrolmentStatus.CLOSED:
        raise Refused("insurance_ended")
    must_be_insured_there(given, enrolment.region_id)
    return member, enrolment


def must_be_insured_there(given: dict[str, Any], region_id: str) -> None:
    """What the envelope says of the place of insurance (insuplc_admdvs), if anything, is so. Raises insuplc_other."""
    if given.get("insured_at") not in (None, region_id):
        raise Refused("insuplc_other")


def upload(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 2204: the lines, all or none, classified by the catalogue of the day; written with the answer.

    The catalogue is that of the place of treatment, also for people insured elsewhere (就医地目录, 参保地政策).
    Raises Refused: visit_unknown, visit_cancelled, visit_expired, several_visits, batch_settled, and as `classified`.
    """
    rows = given["feedetail"]
    if len({(row["mdtrt_id"], row["psn_no"]) for row in rows}) > 1:
        raise Refused("several_visits")
    visit = visit_of(institution, rows[0]["mdtrt_id"], rows[0]["psn_no"], lock=True)
    must_be_allowed(Step.CHARGE, stage_of(visit.ended, lines=True, settled=False))
    _check_free(visit, rows)
    lines = classified(visit, rows, institution, at)
    unsent.append(charging(lines))
    return {"result": [answers.line(line) for line in lines]}


def classified(
    visit: Visit, rows: list[dict[str, Any]], institution: Institution, at: datetime.datetime
) -> list[FeeLine]:
    """The lines, not saved. Raises Refused: lines_too_many, line_later, line_early, and what `check_amount` does."""
    if len(rows) > MOST_LINES:
        raise Refused("lines_too_many", most=MOST_LINES)
    today, begun = clock.local(at + AHEAD).date(), clock.local(visit.begun_at).date()
    for row in rows:
        # Else what the catalogue says on another day, to come or long past, could be had today.
        if _day(row) > today:
            raise Refused("line_later", line=row["feedetl_sn"])
        if _day(row) < begun - NIGHT:
            raise Refused("line_early", line=row["feedetl_sn"], begun=f"{begun}")
        check_amount(row)
    wanted = {(row["med_list_codg"], _day(row)) for row in rows}
    items = items_by_day(region_id=institution.region_id, wanted=wanted)
    return [fee_line(visit, row, items.get((row["med_list_codg"], _day(row)))) for row in rows]


def charging(lines: Iterable[FeeLine]) -> Call:
    """The call that writes new lines, in their order."""
    # The number of a visit that was made after its lines is not in them.
    rows = [{name: getattr(line, name) for name in LINE} | {"visit_id": line.visit.pk} for line in lines]
    return Call("gateway_charge(%s::json)", [to_json(rows)])


def _check_free(visit: Visit, rows: Iterable[dict[str, Any]]) -> None:
    """No line number twice, and nothing more into a batch that is settled."""
    rows = list(rows)
    settled, there = taken(visit, {row["feedetl_sn"] for row in rows})
    for row in rows:
        if row["chrg_bchno"] in settled:
            must_be_allowed(Step.CHARGE, Stage.SETTLED, batch=row["chrg_bchno"])
        if row["feedetl_sn"] in there:
            raise Refused("line_repeated", line=row["feedetl_sn"])
    must_be_unique(rows)


def must_be_unique(rows: Iterable[dict[str, Any]]) -> None:
    """No line number twice in a message. Raises Refused("line_repeated")."""
    for number, times in Counter(row["feedetl_sn"] for row in rows).items():
        if times > 1:
            raise Refused("line_repeated", line=number)


def check_amount(row: dict[str, Any]) -> None:
    """Quantity times price is the line, to the fen (F7, as `comes_to` has it).

    Raises Refused: line_quantity, line_amount, amount_too_large.
    """
    said, product = row["det_item_fee_sumamt"], row["cnt"] * row["pric"]
    if max(said, product) > MAX_AMOUNT:
        raise Refused("amount_too_large")
    if row["cnt"] == 0:
        raise Refused("line_quantity", line=row["feedetl_sn"])
    if not comes_to(said, product):
        raise Refused("line_amount", line=row["feedetl_sn"], amount=plain(said), expected=plain(product))


def _day(row: dict[str, Any]) -> datetime.date:
    day: datetime.date = clock.local(row["fee_ocur_time"]).date()
    return day


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
