"""5201, 5202 and 5303: what an institution asks of its own visits. Another's are not told: a diagnosis is nobody else's."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Enrolment, Institution, Member
from gateway import answers, fields
from gateway.domain.stating import ILLNESS, stated
from gateway.domain.staying import Where, days_of
from gateway.models import Stay, Visit
from gateway.queries.people import member_by_psn_no
from gateway.queries.visits import visit_of
from settlements.enums import CareKind
from settlements.queries.year import year_on

# A range that holds more is asked for in pieces: there is no paging in the interface.
MOST_ROWS = 500
# What a visit is of that was registered and neither diagnosed (2203) nor settled.
USUAL_TYPE = {CareKind.OUTPATIENT: "11", CareKind.PHARMACY: "41", CareKind.INPATIENT: "21"}
DAYS = {"birctrl_matn_date", "die_date"}
IN_HOSPITAL, DISCHARGED = "1", "0"


def visits(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 5201: the person's visits here of a medical category that began in a time, cancelled ones not.

    Raises Refused: person_unknown, range_backwards, too_many_rows.
    """
    data, on = given["data"], timezone.localdate(at)
    member = person(data["psn_no"])
    since, until = span(data["begntime"], data["endtime"])
    found = Visit.objects.filter(institution=institution, member=member, begun_at__gte=since, begun_at__lt=until)
    if data["mdtrt_id"]:
        found = found.filter(mdtrt_id=data["mdtrt_id"])
    found = (
        found.exclude(ended="cancelled")
        .select_related("stay")
        .prefetch_related("settlements")
        .order_by("begun_at", "id")
    )
    enrolments = list(member.enrolments.all())
    rows = [_visit(visit, member, enrolments, on) for visit in few(found)]
    return {"mdtrtinfo": [row for row in rows if row["med_type"] == data["med_type"]]}


def diagnoses(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 5202: the diagnoses of a visit, those of the admission first. Raises Refused("visit_unknown")."""
    data = given["data"]
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], stay=None)
    rows = list(visit.diagnoses.order_by("at_discharge", "order", "id"))
    stay = visit.kind == CareKind.INPATIENT
    return {
        "diseinfo": [
            {
                "diag_info_id": row.pk,
                "mdtrt_id": visit.mdtrt_id,
                "psn_no": data["psn_no"],
                "inout_diag_type": "2" if row.at_discharge else "1",
                "diag_type": row.kind,
                "maindiag_flag": "1" if (row.is_main if stay else row is rows[0]) else "0",
                "diag_srt_no": row.order,
                "diag_time": row.diagnosed_at,
                "adm_cond": "",
                **stated(row.said),
            }
            for row in rows
        ]
    }


def in_hospital(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime
) -> dict[str, Any]:
    """Answer 5303: who was admitted here in a time and has not been discharged; one person, or everybody.

    Raises Refused: person_unknown, range_backwards, too_many_rows.
    """
    data, on = given["data"], timezone.localdate(at)
    since, until = span(data["begntime"], data["endtime"])
    stays = Stay.objects.filter(state=Where.ADMITTED, visit__institution=institution)
    stays = stays.filter(admitted_at__gte=since, admitted_at__lt=until).select_related("visit", "member")
    if data["psn_no"]:
        stays = stays.filter(member=person(data["psn_no"]))
    return {"data": [_bed(stay, institution, on) for stay in few(stays.order_by("admitted_at", "pk"))]}


def person(number: str) -> Member:
    """Raises Refused("person_unknown")."""
    member = member_by_psn_no(number)
    if member is None:
        raise Refused("person_unknown")
    return member


def span(since: datetime.datetime, until: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    """From a moment to before another one; a day alone is meant whole. Raises Refused("range_backwards")."""
    midnight = timezone.localtime(until).time() == datetime.time()
    end = until + (datetime.timedelta(days=1) if midnight else datetime.timedelta(seconds=1))
    if end <= since:
        raise Refused("range_backwards")
    return since, end


def illness_of(visit: Visit) -> dict[str, str]:
    """What a visit was for; of a stay as the discharge says it: it is known then, and was a guess at the admission."""
    stay: Stay | None = getattr(visit, "stay", None)
    said = stated(stay.discharge) if stay else {}
    return stated(visit.illness) | {name: said[name] for name in ILLNESS if said.get(name)}


def few(rows: Any) -> list[Any]:
    """The rows of a query, if they are not too many. Raises Refused("too_many_rows")."""
    found = list(rows[: MOST_ROWS + 1])
    if len(found) > MOST_ROWS:
        raise Refused("too_many_rows", most=MOST_ROWS)
    return found


def _visit(visit: Visit, member: Member, enrolments: Iterable[Enrolment], on: datetime.date) -> dict[str, Any]:
    stay: Stay | None = getattr(visit, "stay", None)
    said = stated(stay.admission) | stated(stay.discharge) if stay else {}
    paid = max(visit.settlements.all(), key=lambda known: known.pk, default=None)
    day = timezone.localdate(visit.begun_at)
    held = next(
        (row for row in enrolments if row.valid_from <= day and not (row.valid_to and row.valid_to <= day)), None
    )
    ended = stay.discharged_at if stay else paid and paid.settled_at
    return _named("5201", said) | {
        "mdtrt_id": visit.mdtrt_id,
        **answers.person(member, on),
        "insutype": answers.INSUTYPE[visit.insurance],
        "psn_type": answers.psn_type(held or Enrolment(insurance=visit.insurance)),
        "cvlserv_flag": "0",
        "insu_optins": visit.region_id,
        "emp_name": held.employer if held else None,
        "begntime": visit.begun_at,
        "endtime": ended,
        "mdtrt_cert_type": said.get("mdtrt_cert_type") or (paid.mdtrt_cert_type if paid else None),
        "med_type": visit.med_type or (paid.med_type if paid else USUAL_TYPE[CareKind(visit.kind)]),
        "ipt_otp_no": visit.ipt_otp_no,
        **dict.fromkeys(ILLNESS, ""),
        **illness_of(visit),
        **(_stay(stay, visit.region_id, on) if stay else {}),
    }


def _stay(stay: Stay, region_id: str, on: datetime.date) -> dict[str, Any]:
    first, last = stay.days
    year = year_on(region_id, first)
    return {
        "inhosp_stas": DISCHARGED if last else IN_HOSPITAL,
        "ipt_days": days_of(first, last or on),
        "ars_year_ipt_flag": "1" if year and year.ends_on < (last or on) else "0",
    }


def _named(number: str, said: Mapping[str, str]) -> dict[str, Any]:
    """Of what was said the fields that the answer has."""
    known = {field.name for field in fields.tables(number).output[0].fields}
    return {
        name: datetime.date.fromisoformat(value) if name in DAYS else value
        for name, value in said.items()
        if name in known
    }


def _bed(stay: Stay, institution: Institution, on: datetime.date) -> dict[str, Any]:
    visit = stay.visit
    return answers.person(stay.member, on) | {
        "mdtrt_id": visit.mdtrt_id,
        "insutype": answers.INSUTYPE[visit.insurance],
        "begndate": stay.days[0],
        "med_type": visit.med_type,
        "ipt_otp_no": visit.ipt_otp_no,
        "out_flag": "0" if visit.region_id == institution.region_id else "1",
    }
